package dev.windhover.server.exchange;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A line of the log that clients can cause. It is logged at most once a minute, because otherwise
 * they could fill the log. Thread-safe.
 */
public final class RareLine {
  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final AtomicLong next = new AtomicLong(System.nanoTime());

  /** Creates one that was not logged yet. */
  public RareLine() {}

  /** Returns whether to log it now. */
  public boolean isDue() {
    long now = System.nanoTime();
    long due = next.get();
    return now - due >= 0 && next.compareAndSet(due, now + QUIET_NANOS);
  }
}
