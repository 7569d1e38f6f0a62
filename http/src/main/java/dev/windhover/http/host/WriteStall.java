package dev.windhover.http.host;

/**
 * Decides when a peer takes no data any more: none for the time limit, from the last progress on
 * that was seen. It exists while output waits, and is asked at least when {@link #due()} says,
 * often enough to see progress within a thirtieth of the limit. It is told the time and reads no
 * clock; times are the loop's nanoseconds.
 */
public final class WriteStall {
  private static final int LOOKS = 32;

  private final long timeout;
  private long transmitted;
  private long progressed;
  private long due;

  /** Output has begun to wait. */
  public WriteStall(long timeoutNanos, long now, long transmittedSoFar) {
    timeout = timeoutNanos;
    transmitted = transmittedSoFar;
    progressed = now;
    due = now + delay(now);
  }

  /** Returns whether the time is over without progress. */
  public boolean isStalled(long now, long transmittedSoFar) {
    if (transmittedSoFar != transmitted) {
      transmitted = transmittedSoFar;
      progressed = now;
    }
    due = now + delay(now);
    return now - progressed >= timeout;
  }

  private long delay(long now) {
    return Math.max(1, Math.min(timeout / LOOKS, progressed + timeout - now));
  }

  /** Returns when to ask again. */
  public long due() {
    return due;
  }
}
