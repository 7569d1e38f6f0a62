/** Hubs on several servers, in memory and on Redis. */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.backplane;
