package dev.windhover.hubs.redis;

/**
 * What has passed since the backplane was created.
 *
 * @param published payloads that Redis has taken
 * @param received payloads that came from it, our own too
 * @param dropped messages that other servers did not get: too old, or beyond a limit
 * @param uncertain payloads that Redis may or may not have passed on when it was lost
 * @param refused payloads of others that could not be read, or answered nothing
 * @param overflowed payloads of others for which the event loops were too slow
 */
public record Counts(
    long published, long received, long dropped, long uncertain, long refused, long overflowed) {}
