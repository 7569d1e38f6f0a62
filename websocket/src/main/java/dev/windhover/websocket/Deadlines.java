package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of one socket behind a single timer of the host. Moving a limit further away
 * costs nothing: the timer finds out when it fires. Can be let go of once nothing is waited for.
 * Loop only.
 */
final class Deadlines implements Runnable {
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

  /** Who is told of a limit that has passed. */
  @FunctionalInterface
  interface Listener {
    void passed(Kind kind);

    /** The timer has fired, and nothing is waited for any more. */
    default void nonePending() {}
  }

  private static final Kind[] KINDS = Kind.values();
  private static final long LONGEST = Long.MAX_VALUE / 2;

  private final Loop loop;
  private final Listener listener;

  /** A bit for each kind that is waited for; the loop's time when it is due stands below. */
  private int waiting;

  /** By itself, since an idle socket waits for nothing else. */
  private long keepAliveDue;

  /** By kind; only while there are others. */
  private long @Nullable [] due;

  private long armedFor;
  private Loop.@Nullable Timer timer;

  Deadlines(Loop loop, Listener listener) {
    this.loop = loop;
    this.listener = listener;
  }

  /** Sets {@code kind} to {@code delay} from now, in place of what was set. */
  void set(Kind kind, long delayNanos) {
    long now = loop.nanoTime();
    long at = now + Math.min(delayNanos, LONGEST);
    waiting |= bit(kind);
    if (kind == Kind.KEEP_ALIVE) {
      keepAliveDue = at;
    } else {
      if (due == null) {
        due = new long[KINDS.length];
      }
      due[at(kind)] = at;
    }
    arm(at, now);
  }

  boolean isSet(Kind kind) {
    return (waiting & bit(kind)) != 0;
  }

  void clear(Kind kind) {
    waiting &= ~bit(kind);
    if ((waiting & ~bit(Kind.KEEP_ALIVE)) == 0) {
      due = null;
    }
  }

  /** Nothing is waited for any more. */
  void stop() {
    waiting = 0;
    due = null;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void arm(long at, long now) {
    if (timer != null) {
      if (armedFor - at <= 0) {
        return; // the armed timer fires first and looks again
      }
      timer.cancel();
    }
    armedFor = at;
    timer = loop.schedule(Duration.ofNanos(Math.max(0, at - now)), this);
  }

  /** The timer has fired. */
  @Override
  public void run() {
    timer = null;
    long now = loop.nanoTime();
    for (Kind kind : KINDS) {
      if (isSet(kind) && due(kind) - now <= 0) {
        clear(kind);
        listener.passed(kind);
      }
    }
    now = loop.nanoTime();
    for (Kind kind : KINDS) {
      if (isSet(kind)) {
        arm(due(kind), now);
      }
    }
    if (timer == null) {
      listener.nonePending();
    }
  }

  private long due(Kind kind) {
    long[] others = due;
    return kind == Kind.KEEP_ALIVE || others == null ? keepAliveDue : others[at(kind)];
  }

  private static int bit(Kind kind) {
    return 1 << at(kind);
  }

  @SuppressWarnings("EnumOrdinal") // an EnumMap of boxed times is twice as large, in every socket
  private static int at(Kind kind) {
    return kind.ordinal();
  }
}
