package dev.windhover.http.host;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;

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

  /**
   * Wakes a thread that waits in {@link LockSupport#park}; callable from any thread. On the loop, a
   * host may do so at the end of the turn, for all threads of the turn together: a switch of
   * threads for each of them costs more than the work that most of them have to do.
   */
  default void unpark(Thread thread) {
    LockSupport.unpark(thread);
  }

  /** Starts {@code thread}, as {@link #unpark} wakes one; callable from any thread. */
  default void start(Thread thread) {
    thread.start();
  }

  /**
   * Starts a handler on a new virtual thread, which may block, as {@link #start} does; callable
   * from any thread. A host counts its handlers, and waits for them when it stops.
   */
  default Thread startHandler(String name, Runnable handler) {
    Thread thread = Thread.ofVirtual().name(name).unstarted(handler);
    start(thread);
    return thread;
  }

  /** A task that has been scheduled. */
  @FunctionalInterface
  interface Timer {
    /** Keeps the task from running, unless it has begun. */
    void cancel();
  }
}
