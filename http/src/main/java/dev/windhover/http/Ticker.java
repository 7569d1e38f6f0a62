package dev.windhover.http;

import dev.windhover.http.host.Background;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A task that runs again and again, one run after the other, until it is stopped. */
final class Ticker {
  private enum Phase {
    /** No run is going on. */
    WAITING,
    /** A run has begun. */
    RUNNING,
    /** No run begins any more; the last one may not have ended. */
    STOPPED
  }

  private final long period;
  private final Task task;
  private final Consumer<Throwable> onFailure;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.WAITING);
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile Loop.@Nullable Timer timer;

  /** When the next run is due; used by one thread at a time. */
  private long due;

  Ticker(Duration period, Task task, Consumer<Throwable> onFailure) {
    if (!period.isPositive()) {
      throw new IllegalArgumentException("period " + period + " is not positive");
    }
    this.period = Durations.nanos(period);
    this.task = Objects.requireNonNull(task, "task");
    this.onFailure = onFailure;
  }

  /** Begins: the first run is due after one period. */
  void start(Background host) {
    due = host.nanoTime() + period;
    schedule(host);
  }

  private void schedule(Background host) {
    Duration delay = Duration.ofNanos(Math.max(due - host.nanoTime(), 0));
    timer = host.schedule(delay, () -> begin(host));
    if (phase.get() == Phase.STOPPED) {
      cancel();
    }
  }

  private void begin(Background host) {
    if (phase.compareAndSet(Phase.WAITING, Phase.RUNNING)) {
      host.start(() -> run(host));
    }
  }

  private void run(Background host) {
    try {
      task.run();
    } catch (Throwable failure) {
      onFailure.accept(failure);
    }
    long late = Math.max(host.nanoTime() - due, 0);
    due += period * (1 + late / period); // those that were due meanwhile are skipped
    if (phase.compareAndSet(Phase.RUNNING, Phase.WAITING)) {
      schedule(host);
    } else {
      ended.complete(null);
    }
  }

  /** Ends: no run begins any more. The future completes when the last one has ended. */
  CompletableFuture<Void> stop() {
    if (phase.getAndSet(Phase.STOPPED) == Phase.WAITING) {
      ended.complete(null);
    }
    cancel();
    return ended;
  }

  private void cancel() {
    Loop.Timer scheduled = timer;
    if (scheduled != null) {
      scheduled.cancel();
    }
  }
}
