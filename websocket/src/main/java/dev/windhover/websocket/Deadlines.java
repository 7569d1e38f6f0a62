package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
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

  private final Loop loop;
  private final Consumer<Kind> onPassed;
  private final Map<Kind, Long> due = new EnumMap<>(Kind.class);
  private final long origin;
  private long armedFor = NONE;
  private boolean stopped;
  private Loop.@Nullable Timer timer;

  Deadlines(Loop loop, Consumer<Kind> onPassed) {
    this.loop = loop;
    this.onPassed = onPassed;
    this.origin = loop.nanoTime();
  }

  /** Sets {@code kind} to {@code delay} from now, in place of what was set. */
  void set(Kind kind, long delayNanos) {
    if (stopped) {
      return;
    }
    long now = now();
    due.put(kind, now + Math.min(delayNanos, NONE / 2));
    arm(now);
  }

  boolean isSet(Kind kind) {
    return due.containsKey(kind);
  }

  void clear(Kind kind) {
    due.remove(kind);
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
    for (long time : due.values()) {
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
    for (Kind kind : Kind.values()) {
      Long time = due.get(kind);
      if (time != null && time <= now && !stopped) {
        due.remove(kind);
        onPassed.accept(kind);
      }
    }
    arm(now());
  }

  private long now() {
    return loop.nanoTime() - origin;
  }
}
