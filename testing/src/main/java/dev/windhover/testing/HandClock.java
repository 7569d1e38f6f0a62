package dev.windhover.testing;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The time of a {@link TestHost}: it stands still until a test moves it, so that a time limit of 30
 * seconds is tested in no time, and to the nanosecond.
 *
 * <pre>{@code
 * TestFrames client = host.webSocket("/chat").connect().frames(); // answers no Ping by itself
 * host.clock().advance(Duration.ofMinutes(2)); // keepAliveInterval
 * client.expectPing();
 * host.clock().advance(Duration.ofSeconds(20)); // keepAliveTimeout
 * client.expectReset();
 * }</pre>
 *
 * <p>It is the time of Windhover, for all its limits, and what {@code context.now()} and the like
 * say. What an application takes from the JDK, as {@code Thread.sleep}, goes by real time.
 */
public final class HandClock {
  /** Overflows after a minute: what compares times instead of subtracting them is found out. */
  private static final long START = Long.MAX_VALUE - Duration.ofMinutes(1).toNanos();

  /** One scheduled task; two are never the same, even if they are alike. */
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
   * Moves time on. What becomes due runs on the loop, each at its own time; returns when the host
   * is {@linkplain TestHost#awaitIdle() idle} again.
   *
   * @throws IllegalArgumentException if {@code by} is negative
   */
  public void advance(Duration by) {
    if (by.isNegative()) {
      throw new IllegalArgumentException("cannot go back by " + by.negated());
    }
    TestHost driven = Objects.requireNonNull(host);
    driven.awaitIdle();
    long target = nanoTime() + by.toNanos();
    for (Alarm next; (next = nextUntil(target)) != null; ) {
      driven.loop().execute(next.task);
      driven.awaitIdle();
    }
    set(target);
  }

  /** Takes the first alarm that is due until {@code target}, and moves to its time. */
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

  /** The time of day goes on from when the host began, as the test moves it. */
  synchronized Instant now() {
    return began.plusNanos(now - START);
  }

  synchronized Loop.Timer schedule(Duration delay, Runnable task) {
    Alarm alarm = new Alarm(now + delay.toNanos(), task);
    alarms.add(alarm);
    return () -> cancel(alarm);
  }

  private synchronized void cancel(Alarm alarm) {
    alarms.remove(alarm);
  }
}
