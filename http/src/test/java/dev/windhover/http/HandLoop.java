package dev.windhover.http;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A loop without a thread of its own: whoever calls {@link #run}, or gives it something to do while
 * nobody else is the loop, is the loop for that long.
 */
final class HandLoop implements Loop {
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicReference<@Nullable Thread> thread = new AtomicReference<>();

  /** Runs {@code task} on the loop, and then the tasks that it has left there. */
  void run(Runnable task) {
    if (inLoop()) {
      task.run();
      return;
    }
    while (!thread.compareAndSet(null, Thread.currentThread())) {
      Thread.onSpinWait(); // another is, for a moment
    }
    try {
      task.run();
      runTasks();
    } finally {
      thread.set(null);
    }
    runIfIdle();
  }

  private void runTasks() {
    for (Runnable next; (next = tasks.poll()) != null; ) {
      next.run();
    }
  }

  private void runIfIdle() {
    while (!tasks.isEmpty() && thread.compareAndSet(null, Thread.currentThread())) {
      try {
        runTasks();
      } finally {
        thread.set(null);
      }
    }
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    runIfIdle();
  }

  @Override
  public boolean inLoop() {
    return Thread.currentThread().equals(thread.get());
  }

  @Override
  public long nanoTime() {
    throw new UnsupportedOperationException("nothing here reads the clock");
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    throw new UnsupportedOperationException("nothing here waits");
  }
}
