package dev.windhover.hubs;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How many calls there may be in a second. A client that exceeds it is not read for a while, so
 * that it loses nothing, and nobody else is hurt. What is not used adds up for a second.
 */
final class CallRate {
  private static final long SECOND = 1_000_000_000L;

  private final long nanosOfCall;

  /** When all calls so far would have come, if they had come at equal distances. */
  private final AtomicLong due;

  CallRate(int callsPerSecond, long now) {
    this.nanosOfCall = SECOND / callsPerSecond;
    this.due = new AtomicLong(now);
  }

  /** A call has come. Returns for how many nanoseconds nothing more is to be read. Any thread. */
  long count(long now) {
    long next = due.updateAndGet(was -> (was - now < 0 ? now : was) + nanosOfCall);
    return Math.max(0, next - now - SECOND + nanosOfCall);
  }
}
