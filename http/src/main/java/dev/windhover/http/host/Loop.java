package dev.windhover.http.host;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;

/**
 * The thread on which a connection lives. Whatever a host calls runs on it, and so does every
 * method that says so. They run one after the other and must not block. The loop is also the only
 * clock above the host.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Loop extends Executor {
  /**
   * Runs {@code task} on the loop soon, after the tasks that were given before; from any thread.
   */
  @Override
  void execute(Runnable task);

  /** Returns whether the calling thread is the loop. */
  boolean inLoop();

  /** Returns the host's time in nanoseconds since an arbitrary origin; from any thread. */
  long nanoTime();

  /** Returns the host's time of day; from any thread. */
  Instant now();

  /** Runs {@code task} on the loop after {@code delay}; from any thread. */
  Timer schedule(Duration delay, Runnable task);

  /** A task that has been scheduled. */
  @FunctionalInterface
  interface Timer {
    /** Keeps the task from running, unless it has begun. */
    void cancel();
  }
}
