package dev.windhover.samples.hubs;

import java.time.Instant;

/** What somebody has said, and when. */
public record Said(String name, String text, Instant at) {}
