package dev.windhover.testing;

import dev.windhover.http.host.Loop;
import dev.windhover.http.host.LoopThread;
import dev.windhover.http.host.LoopWatch;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A loop with a thread of its own, which runs its tasks in order and knows when it is idle. */
final class MemoryLoop implements Loop {
  private final Waiting waiting = new Waiting();
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private final HandClock clock;
  private final Faults faults;
  private final Thread thread;
  private volatile @Nullable Handlers handlers;
  private boolean busy;
  private boolean stopped;
  private long given;

  /** How many tasks have begun. */
  private final AtomicLong begun = new AtomicLong();

  MemoryLoop(HandClock clock, Faults faults) {
    this.clock = clock;
    this.faults = faults;
    this.thread = new OwnThread(this::run);
    thread.start();
  }

  private static final class OwnThread extends Thread implements LoopThread {
    OwnThread(Runnable loop) {
      super(loop, "test-loop");
      setDaemon(true);
    }
  }

  private void run() {
    for (Runnable task; (task = next()) != null; ) {
      try {
        task.run();
      } catch (Throwable failure) {
        faults.add(failure);
      }
    }
  }

  private @Nullable Runnable next() {
    waiting.change(() -> busy = false);
    Runnable[] next = new Runnable[1];
    while (!waiting.await(() -> stopped || !tasks.isEmpty())) {
      // idle for a long time, which is fine
    }
    waiting.change(() -> {
      next[0] = tasks.poll();
      busy = next[0] != null;
    });
    begun.incrementAndGet();
    return next[0];
  }

  @Override
  public void execute(Runnable task) {
    waiting.change(() -> {
      if (!stopped) {
        tasks.add(task);
        given++;
      }
    });
  }

  @Override
  public boolean inLoop() {
    return thread.equals(Thread.currentThread());
  }

  @Override
  public long nanoTime() {
    return clock.nanoTime();
  }

  @Override
  public Instant now() {
    return clock.now();
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    return clock.schedule(delay, task);
  }

  /** Lets the threads of {@code handlers} run what is started here. */
  void handlers(Handlers handlers) {
    this.handlers = handlers;
  }

  @Override
  public Thread startHandler(String name, Runnable handler) {
    return Objects.requireNonNull(handlers).startHandler(name, handler);
  }

  Thread thread() {
    return thread;
  }

  /** Returns this as something that can be watched. */
  LoopWatch.Loop watched() {
    return new LoopWatch.Loop(thread, this::addLast, begun::get);
  }

  /** Runs a task that does not count as something to do. */
  private void addLast(Runnable task) {
    waiting.change(() -> {
      if (!stopped) {
        tasks.add(task);
      }
    });
  }

  /**
   * Waits until no task is running or queued, and returns how many tasks there have been so far.
   */
  long awaitIdle() {
    if (inLoop()) {
      throw new IllegalStateException("the loop cannot wait for itself");
    }
    if (!waiting.await(() -> !busy && tasks.isEmpty())) {
      AssertionError error = new AssertionError("the loop was busy for " + Waiting.SECONDS + " s");
      error.setStackTrace(thread.getStackTrace());
      throw error;
    }
    return waiting.locked(() -> given);
  }

  /** Ends the thread after the tasks that are already queued. */
  void stop() {
    waiting.change(() -> stopped = true);
  }
}
