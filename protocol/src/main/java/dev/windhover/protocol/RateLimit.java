package dev.windhover.protocol;

/**
 * A token bucket: events may come at a steady rate, and after a quiet time in bursts. It reads no
 * clock: times are given by the caller, in nanoseconds.
 */
final class RateLimit {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final int perSecond;
  private final long full;

  /** The events that are saved up, in billionths of an event. */
  private long saved;

  private long lookedAt;

  RateLimit(int perSecond, int burst, long now) {
    this.perSecond = perSecond;
    this.full = burst * NANOS_PER_SECOND;
    this.saved = full;
    this.lookedAt = now;
  }

  /** Counts one event at {@code now}, in nanoseconds; returns whether it is within the limit. */
  boolean allows(long now) {
    long passed =
        Math.clamp(
            now - lookedAt, 0, full / perSecond + 1); // a longer time would not fill it further
    lookedAt = now;
    saved = Math.min(full, saved + passed * perSecond);
    if (saved < NANOS_PER_SECOND) {
      return false;
    }
    saved -= NANOS_PER_SECOND;
    return true;
  }
}
