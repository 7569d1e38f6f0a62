/** Hubs on several servers, of ours and of .NET, that share their clients through Redis. */
package dev.windhover.hubs.redis;
