package dev.windhover.http;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A loop without a thread of its own: whoever calls {@link #run}, or gives it something to do while
 * nobody else is the loop, is the loop for that long. Its clock is moved by hand.
 */
final class HandLoop implements Loop {
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
  private final Queue<Alarm> alarms = new ConcurrentLinkedQueue<>();
  private volatile long now;

  private record Alarm(long due, Runnable task) {}

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
    return now;
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  // ---- The clock

  /** Moves the clock and runs what is due on the way, in order. */
  void advance(Duration time) {
    run(() -> {
      long target = now + time.toNanos();
      for (Alarm next; (next = nextUntil(target)) != null; ) {
        alarms.remove(next);
        now = next.due;
        next.task.run();
        runTasks();
      }
      now = target;
    });
  }

  private @Nullable Alarm nextUntil(long time) {
    return alarms.stream()
        .filter(alarm -> alarm.due <= time)
        .min(Comparator.comparingLong(Alarm::due))
        .orElse(null);
  }

  /** Returns how many tasks wait for their time. */
  int scheduled() {
    return alarms.size();
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    Alarm alarm = new Alarm(now + delay.toNanos(), task);
    alarms.add(alarm);
    return () -> alarms.remove(alarm);
  }
}
