package dev.windhover.hubs;

/**
 * The beginning or the end of a connection, as a {@link HubFilter} sees it.
 *
 * @param hub the instance that serves it
 * @param context the connection
 */
public record HubLifetimeContext(Hub<?> hub, HubCallerContext context) {}
