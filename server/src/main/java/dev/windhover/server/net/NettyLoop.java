package dev.windhover.server.net;

import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;

/** Netty's event loop as the loop of the seam. */
public final class NettyLoop implements Loop {
  private static final Logger log = Loggers.get(NettyLoop.class);

  /** One for each thread that runs a loop. */
  private static final FastThreadLocal<NettyLoop> loops = new FastThreadLocal<>();

  /** So few threads are handed over one by one: a thread more would cost more than it saves. */
  private static final int FEW = 2;

  private final EventLoop eventLoop;

  /** How many handlers of the server run on threads of their own. */
  private final LongAdder handlers;

  private final AtomicLong steps;

  // Loop only: the threads that are handed over at the end of this turn.
  private final List<Thread> waking = new ArrayList<>();
  private final List<Thread> starting = new ArrayList<>();

  NettyLoop(EventLoop eventLoop) {
    this.eventLoop = eventLoop;
    this.handlers = eventLoop.parent() instanceof Loops loops ? loops.handlers() : new LongAdder();
    this.steps = Loops.stepsOf(eventLoop);
  }

  /** Returns the loop of {@code channel}; called on it. */
  public static NettyLoop of(Channel channel) {
    NettyLoop known = loops.get();
    EventLoop eventLoop = channel.eventLoop();
    if (known == null || !known.eventLoop.equals(eventLoop)) {
      known = new NettyLoop(eventLoop);
      loops.set(known);
    }
    return known;
  }

  @Override
  public void execute(Runnable task) {
    try {
      eventLoop.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("a task was dropped, because the server has stopped");
    }
  }

  /** Runs {@code task} on the loop: now, if this is its thread; from any thread. */
  public void run(Runnable task) {
    if (inLoop()) {
      task.run();
    } else {
      execute(task);
    }
  }

  @Override
  public boolean inLoop() {
    return eventLoop.inEventLoop();
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  @Override
  public void unpark(Thread thread) {
    if (thread.isVirtual() && inLoop() && handsOverSoon()) {
      waking.add(thread);
    } else {
      LockSupport.unpark(thread);
    }
  }

  @Override
  public void start(Thread thread) {
    if (thread.isVirtual() && inLoop() && handsOverSoon()) {
      starting.add(thread);
    } else {
      thread.start();
    }
  }

  /** The loop gets on: what was read next is about to be handled. Loop only. */
  public void step() {
    steps.lazySet(steps.getPlain() + 1);
  }

  @Override
  public Thread startHandler(String name, Runnable handler) {
    handlers.increment();
    Thread thread =
        Thread.ofVirtual()
            .name(name)
            .unstarted(() -> {
              try {
                handler.run();
              } finally {
                handlers.decrement();
              }
            });
    start(thread);
    return thread;
  }

  /** Returns whether threads are handed over at the end of this turn: not if no turn ends. */
  private boolean handsOverSoon() {
    if (!waking.isEmpty() || !starting.isEmpty()) {
      return true;
    }
    try {
      eventLoop.execute(this::handOver);
      return true;
    } catch (RejectedExecutionException e) {
      return false; // the server has stopped
    }
  }

  /**
   * Wakes and starts the threads of this turn. Each that is woken from here may cost a system call,
   * and the scheduler's threads then compete with this one. A virtual thread does the same within
   * their scheduler, for next to nothing.
   */
  private void handOver() {
    Thread[] woken = waking.toArray(Thread[]::new);
    Thread[] started = starting.toArray(Thread[]::new);
    waking.clear();
    starting.clear();
    if (woken.length + started.length <= FEW) {
      handOver(woken, started);
    } else {
      Thread _ = Thread.startVirtualThread(() -> handOver(woken, started));
    }
  }

  private static void handOver(Thread[] woken, Thread[] started) {
    for (Thread thread : woken) {
      LockSupport.unpark(thread);
    }
    for (Thread thread : started) {
      thread.start();
    }
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    ScheduledFuture<?> future =
        eventLoop.schedule(task, Durations.nanos(delay), TimeUnit.NANOSECONDS);
    return () -> future.cancel(false);
  }
}
