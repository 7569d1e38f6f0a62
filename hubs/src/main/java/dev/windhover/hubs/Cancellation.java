package dev.windhover.hubs;

import dev.windhover.http.host.Loggers;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;

/**
 * Tells a call that nobody waits for it any more: the client has cancelled it, or is gone. A hub
 * method that wants to know takes one as a parameter, which clients do not see:
 *
 * <pre>{@code
 * public List<Hit> search(String words, Cancellation cancellation) {
 *   List<Hit> hits = new ArrayList<>();
 *   for (Shelf shelf : shelves) {
 *     cancellation.throwIfCancelled();
 *     hits.addAll(shelf.search(words));
 *   }
 *   return hits;
 * }
 * }</pre>
 *
 * <p>Any thread may call it.
 */
public final class Cancellation {
  private static final Logger log = Loggers.get(Cancellation.class);

  private final Queue<Registration> registered = new ConcurrentLinkedQueue<>(); // takes no lock
  private volatile boolean cancelled;

  /** Something to do at the cancellation. */
  public static final class Registration implements AutoCloseable {
    private final Cancellation cancellation;
    private final Runnable task;

    private Registration(Cancellation cancellation, Runnable task) {
      this.cancellation = cancellation;
      this.task = task;
    }

    /** Keeps the task from running, unless it has begun. */
    @Override
    public void close() {
      cancellation.registered.remove(this);
    }

    private void run() {
      if (!cancellation.registered.remove(this)) {
        return; // somebody else runs it, or it was taken back
      }
      try {
        task.run();
      } catch (RuntimeException e) {
        log.error("a task at a cancellation failed", e);
      }
    }
  }

  Cancellation() {}

  /** Returns whether the call, or the connection, was cancelled. */
  public boolean isCancelled() {
    return cancelled;
  }

  /**
   * Does nothing, unless it was cancelled.
   *
   * @throws CancellationException if it was
   */
  public void throwIfCancelled() {
    if (cancelled) {
      throw new CancellationException("the call was cancelled");
    }
  }

  /**
   * Runs {@code task} at the cancellation: on the connection's loop, so it must not block; on this
   * thread, if it was cancelled before.
   *
   * @return what takes the task back, for tasks that outlive their purpose
   */
  public Registration onCancelled(Runnable task) {
    Registration registration = new Registration(this, task);
    registered.add(registration);
    if (cancelled) {
      registration.run();
    }
    return registration;
  }

  void cancel() {
    cancelled = true;
    registered.forEach(Registration::run);
  }
}
