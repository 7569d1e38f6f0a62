package dev.windhover.websocket;

/**
 * Decides when a peer takes no data any more: none for the time limit, from the last progress on
 * that was seen. It is asked while output waits, often enough to see progress within a thirtieth of
 * the limit. It is told the time and reads no clock; times are the loop's nanoseconds.
 */
final class WriteStall {
  private static final int LOOKS = 32;

  private final long timeout;
  private long transmitted;
  private long progressed;

  WriteStall(long timeoutNanos) {
    this.timeout = timeoutNanos;
  }

  /** Output has begun to wait. */
  void begin(long now, long transmittedSoFar) {
    transmitted = transmittedSoFar;
    progressed = now;
  }

  /** Returns whether the time is over without progress. */
  boolean isStalled(long now, long transmittedSoFar) {
    if (transmittedSoFar != transmitted) {
      begin(now, transmittedSoFar);
    }
    return now - progressed >= timeout;
  }

  /** Returns in how many nanoseconds to ask again. */
  long delay(long now) {
    return Math.max(1, Math.min(timeout / LOOKS, progressed + timeout - now));
  }
}
