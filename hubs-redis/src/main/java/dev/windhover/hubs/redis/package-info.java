/** Lets several servers, ours and ASP.NET Core's, share a hub's clients through Redis. */
package dev.windhover.hubs.redis;
