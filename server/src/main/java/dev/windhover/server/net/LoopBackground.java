package dev.windhover.server.net;

import dev.windhover.http.host.Background;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loop;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The timers and threads of an application's own tasks. The timers are those of the loop that
 * accepts connections: they start threads, and nothing else runs there.
 *
 * @param acceptor returns that loop, or null if the server was not started
 */
public record LoopBackground(Supplier<@Nullable EventLoop> acceptor) implements Background {
  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public Instant now() {
    return Instant.now();
  }

  @Override
  public Loop.Timer schedule(Duration delay, Runnable task) {
    EventLoop timers = acceptor.get();
    if (timers == null) {
      return () -> {};
    }
    try {
      ScheduledFuture<?> future =
          timers.schedule(task, Durations.nanos(delay), TimeUnit.NANOSECONDS);
      return () -> future.cancel(false);
    } catch (RejectedExecutionException e) {
      return () -> {}; // the server has stopped
    }
  }

  @Override
  public Thread start(Runnable task) {
    return Thread.ofVirtual().name("windhover-task").start(task);
  }
}
