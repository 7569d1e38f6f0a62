package dev.windhover.testing;

import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The clock of a {@link TestHost}. It stands still until a test moves it, so a test of a 30-second
 * time limit takes no time and is accurate to the nanosecond.
 *
 * <pre>{@code
 * TestFrames client = host.webSocket("/chat").connect().frames(); // answers no Ping by itself
 * host.clock().advance(Duration.ofMinutes(2)); // keepAliveInterval
 * client.expectPing();
 * host.clock().advance(Duration.ofSeconds(20)); // keepAliveTimeout
 * client.expectReset();
 * }</pre>
 *
 * <p>All of Windhover's time limits use this clock, and so do {@code context.now()} and the like.
 * {@code Thread.sleep} and other methods of the JDK use real time.
 */
public final class HandClock {
  /**
   * Overflows after a minute, which exposes code that compares times instead of subtracting them.
   * It is not quite a minute, so that no round time is {@code Long.MAX_VALUE}, which may stand for
   * "never".
   */
  private static final long START = Long.MAX_VALUE - Duration.ofMinutes(1).minusMillis(7).toNanos();

  /** One scheduled task. Two are never equal, even with the same content. */
  private static final class Alarm {
    final long due;
    final Runnable task;

    Alarm(long due, Runnable task) {
      this.due = due;
      this.task = task;
    }
  }

  private final List<Alarm> alarms = new ArrayList<>();
  private @Nullable TestHost host;
  private final Instant began = Instant.now();
  private long now = START;

  HandClock() {}

  void drives(TestHost host) {
    this.host = host;
  }

  /**
   * Moves time forward. Tasks that become due run on the loop, each at its own time. Returns when
   * the host is {@linkplain TestHost#awaitIdle() idle} again.
   *
   * @throws IllegalArgumentException if {@code by} is negative
   */
  public void advance(Duration by) {
    if (by.isNegative()) {
      throw new IllegalArgumentException("cannot go back by " + by.negated());
    }
    TestHost driven = Objects.requireNonNull(host);
    driven.awaitIdle();
    long target = nanoTime() + Durations.nanos(by);
    for (Alarm next; (next = nextUntil(target)) != null; ) {
      driven.loop().execute(next.task);
      driven.awaitIdle();
    }
    set(target);
  }

  /** Removes the first alarm that is due by {@code target}, and moves to its time. */
  private synchronized @Nullable Alarm nextUntil(long target) {
    Alarm next =
        alarms.stream().min(Comparator.comparingLong(alarm -> alarm.due - now)).orElse(null);
    if (next == null || next.due - target > 0) {
      return null;
    }
    alarms.remove(next);
    if (next.due - now > 0) {
      now = next.due;
    }
    return next;
  }

  private synchronized void set(long time) {
    now = time;
  }

  synchronized long nanoTime() {
    return now;
  }

  /** The time of day starts at the start of the host and moves with the clock. */
  synchronized Instant now() {
    return began.plusNanos(now - START);
  }

  synchronized Loop.Timer schedule(Duration delay, Runnable task) {
    Alarm alarm = new Alarm(now + Durations.nanos(delay), task);
    alarms.add(alarm);
    return () -> cancel(alarm);
  }

  private synchronized void cancel(Alarm alarm) {
    alarms.remove(alarm);
  }
}
