package dev.windhover.http;

import dev.windhover.http.host.Background;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** What an application does by itself: at its start, from time to time, and at its stop. */
final class OwnTasks {
  private static final Logger log = Loggers.get(Application.class);

  private final List<Runnable> onStarted = new ArrayList<>();
  private final List<Ticker> tickers = new ArrayList<>();
  private final Queue<Task> onStopping = new ConcurrentLinkedQueue<>();
  private final AtomicReference<@Nullable CompletableFuture<Void>> stopped =
      new AtomicReference<>();
  private volatile @Nullable Background host;
  private volatile Events events = Events.NONE;

  /** Sets the events that are told what a task has thrown, after it was logged. */
  void events(Events events) {
    this.events = events;
  }

  void every(Duration period, Task task) {
    tickers.add(new Ticker(period, task, failure -> failed("every " + period, failure)));
  }

  void onStarted(Runnable task) {
    onStarted.add(Objects.requireNonNull(task, "task"));
  }

  void onStopping(Task task) {
    onStopping.add(Objects.requireNonNull(task, "task"));
    if (stopped.get() != null && onStopping.remove(task)) {
      throw new IllegalStateException("the application is already stopping");
    }
  }

  private void failed(String when, Throwable failure) {
    log.error("a task failed ({})", when, failure);
    events.taskFailed(failure);
  }

  void host(Background host) {
    this.host = host;
  }

  /** Runs the tasks of the start on this thread; then the others may run. */
  void start() {
    Background known = requireHost();
    onStarted.forEach(Runnable::run);
    tickers.forEach(ticker -> ticker.start(known));
  }

  Instant now() {
    return requireHost().now();
  }

  private Background requireHost() {
    Background known = host;
    if (known == null) {
      throw new IllegalStateException("the application has no host before its start");
    }
    return known;
  }

  /**
   * Ends what runs from time to time, and then runs the tasks of the stop, once. The future
   * completes when all of that is done, and never exceptionally.
   */
  CompletableFuture<Void> stop() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    if (!stopped.compareAndSet(null, done)) {
      return Objects.requireNonNull(stopped.get());
    }
    List<CompletableFuture<Void>> last = tickers.stream().map(Ticker::stop).toList();
    CompletableFuture.allOf(last.toArray(CompletableFuture[]::new))
        .thenRun(() -> {
          Background known = host;
          if (known == null || onStopping.isEmpty()) {
            runLast(done);
          } else {
            known.start(() -> runLast(done));
          }
        });
    return done;
  }

  private void runLast(CompletableFuture<Void> done) {
    for (Task task; (task = onStopping.poll()) != null; ) {
      try {
        task.run();
      } catch (Throwable failure) {
        failed("onStopping", failure);
      }
    }
    done.complete(null);
  }

  /** Returns a future that completes with {@code done}, or after that time. */
  CompletableFuture<Void> atMost(Duration time, CompletableFuture<Void> done) {
    Background known = host;
    if (known == null || done.isDone()) {
      return done;
    }
    CompletableFuture<Void> over = new CompletableFuture<>();
    Loop.Timer timer =
        known.schedule(
            time,
            () ->
                known.start(() -> {
                  if (!done.isDone()) {
                    log.warn("the last tasks did not end within {}: sockets are closed now", time);
                  }
                  over.complete(null);
                }));
    done.thenRun(() -> {
      timer.cancel();
      over.complete(null);
    });
    return over;
  }
}
