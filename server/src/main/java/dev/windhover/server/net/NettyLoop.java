package dev.windhover.server.net;

import dev.windhover.http.host.Loop;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Netty's event loop as the loop of the seam. */
public record NettyLoop(EventLoop eventLoop) implements Loop {
  private static final Logger log = LoggerFactory.getLogger(NettyLoop.class);

  /** One for each thread that runs a loop. */
  private static final FastThreadLocal<NettyLoop> loops = new FastThreadLocal<>();

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
  public Timer schedule(Duration delay, Runnable task) {
    ScheduledFuture<?> future = eventLoop.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    return () -> future.cancel(false);
  }
}
