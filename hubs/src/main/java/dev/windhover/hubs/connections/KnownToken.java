package dev.windhover.hubs.connections;

/** What a token stands for. */
sealed interface KnownToken permits Negotiated, ClientConnection {}
