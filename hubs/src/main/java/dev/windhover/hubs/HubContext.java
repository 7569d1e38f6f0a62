package dev.windhover.hubs;

/** A hub from outside its calls. */
public interface HubContext<C> {}
