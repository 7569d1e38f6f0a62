package dev.windhover.http.host;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;

/**
 * The one thread on which a connection lives. Everything a host calls, and all methods that say so,
 * run there, one after the other, and never block. It is also the only clock above the host.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Loop extends Executor {
  /** Runs {@code task} on the loop, soon, after what was given before; callable from any thread. */
  @Override
  void execute(Runnable task);

  /** Returns whether the calling thread is the loop. */
  boolean inLoop();

  /** Returns the host's time in nanoseconds, of no fixed origin; callable from any thread. */
  long nanoTime();

  /** Returns the host's time of day; callable from any thread. */
  Instant now();

  /** Runs {@code task} on the loop after {@code delay}; callable from any thread. */
  Timer schedule(Duration delay, Runnable task);

  /** A task that has been scheduled. */
  @FunctionalInterface
  interface Timer {
    /** Keeps the task from running, if it has not begun. */
    void cancel();
  }
}
