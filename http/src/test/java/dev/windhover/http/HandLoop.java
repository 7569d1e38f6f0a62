package dev.windhover.http;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** A loop run by hand: during {@link #run}, the calling thread is the loop. */
final class HandLoop implements Loop {
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private volatile @Nullable Thread thread;

  /** Runs {@code task} on the loop, and then the tasks that it has left there. */
  void run(Runnable task) {
    thread = Thread.currentThread();
    try {
      task.run();
      for (Runnable next; (next = tasks.poll()) != null; ) {
        next.run();
      }
    } finally {
      thread = null;
    }
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  @Override
  public boolean inLoop() {
    return Thread.currentThread().equals(thread);
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
