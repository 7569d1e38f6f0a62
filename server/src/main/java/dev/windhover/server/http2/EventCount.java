package dev.windhover.server.http2;

import java.util.concurrent.TimeUnit;

/** Counts events in windows of time, and tells when there are too many. For one thread. */
final class EventCount {
  private final int most;
  private final long windowNanos;
  private long windowBegan;
  private int count;

  EventCount(int most, int windowSeconds) {
    this.most = most;
    this.windowNanos = TimeUnit.SECONDS.toNanos(windowSeconds);
  }

  /** Counts an event, and returns whether it is one too many within the window. */
  boolean isTooMany(long now) {
    if (count == 0 || now - windowBegan >= windowNanos) {
      windowBegan = now;
      count = 0;
    }
    return ++count > most;
  }
}
