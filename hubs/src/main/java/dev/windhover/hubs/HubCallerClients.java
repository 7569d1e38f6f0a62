package dev.windhover.hubs;

/** Those whom a hub can call, from within a call. */
public interface HubCallerClients<C> {}
