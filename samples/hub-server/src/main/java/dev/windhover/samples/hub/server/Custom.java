package dev.windhover.samples.hub.server;

import org.jspecify.annotations.Nullable;

/** A value with two properties. */
public record Custom(@Nullable String name, int value) {}
