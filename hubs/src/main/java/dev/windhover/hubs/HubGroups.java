package dev.windhover.hubs;

/** The groups of a hub. */
public interface HubGroups {}
