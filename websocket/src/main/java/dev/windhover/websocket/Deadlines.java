package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of one socket behind a single timer of the host. Moving a limit further away
 * costs nothing: the timer finds out when it fires. Loop only.
 */
final class Deadlines {
  /** What is waited for. */
  enum Kind {
    /** To look at the connection's liveness. */
    KEEP_ALIVE,
    /** For the application to reach a Close or a violation that was read. */
    EFFECT,
    /** For the peer's part of the closing handshake, and of the connection's end. */
    CLOSING,
    /** For the transport to take output. */
    WRITE,
    /** For another compressed message, before the streams are given back. */
    REST
  }

  private static final long NONE = Long.MAX_VALUE;
  private static final Kind[] KINDS = Kind.values();

  private final Loop loop;
  private final Consumer<Kind> onPassed;

  /** By kind; {@link #NONE} if it is not set. */
  private final long[] due = new long[KINDS.length];

  private final long origin;
  private long armedFor = NONE;
  private boolean stopped;
  private Loop.@Nullable Timer timer;

  Deadlines(Loop loop, Consumer<Kind> onPassed) {
    this.loop = loop;
    this.onPassed = onPassed;
    this.origin = loop.nanoTime();
    Arrays.fill(due, NONE);
  }

  /** Sets {@code kind} to {@code delay} from now, in place of what was set. */
  void set(Kind kind, long delayNanos) {
    if (stopped) {
      return;
    }
    long now = now();
    due[at(kind)] = now + Math.min(delayNanos, NONE / 2);
    arm(now);
  }

  boolean isSet(Kind kind) {
    return due[at(kind)] != NONE;
  }

  void clear(Kind kind) {
    due[at(kind)] = NONE;
  }

  void stop() {
    stopped = true;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void arm(long now) {
    long next = NONE;
    for (long time : due) {
      next = Math.min(next, time);
    }
    if (next >= armedFor || stopped) {
      return; // the armed timer fires first and looks again
    }
    if (timer != null) {
      timer.cancel();
    }
    armedFor = next;
    timer = loop.schedule(Duration.ofNanos(Math.max(0, next - now)), this::fired);
  }

  private void fired() {
    timer = null;
    armedFor = NONE;
    long now = now();
    for (Kind kind : KINDS) {
      if (due[at(kind)] <= now && !stopped) {
        clear(kind);
        onPassed.accept(kind);
      }
    }
    arm(now());
  }

  @SuppressWarnings("EnumOrdinal") // an EnumMap of boxed times is twice as large, in every socket
  private static int at(Kind kind) {
    return kind.ordinal();
  }

  private long now() {
    return loop.nanoTime() - origin;
  }
}
