package dev.windhover.server.exchange;

import dev.windhover.http.host.Durations;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The one timer for all time limits of a connection. It runs only while there is something to wait
 * for, and is moved as seldom as possible: a limit that is met in time does not move it. Loop only.
 */
public final class ConnectionTimer {
  /** A time that never comes. */
  public static final long NEVER = Long.MAX_VALUE;

  private final EventLoop loop;
  private final Runnable look;
  private final long origin;
  private @Nullable ScheduledFuture<?> future;
  private long at = NEVER;
  private boolean stopped;

  /**
   * Creates one that does not run yet.
   *
   * @param look looks at all limits, and says when to look again
   */
  public ConnectionTimer(EventLoop loop, Runnable look) {
    this.loop = loop;
    this.look = look;
    this.origin = loop.ticker().nanoTime();
  }

  /** Returns the nanoseconds since the timer was created. */
  public long now() {
    return loop.ticker().nanoTime() - origin;
  }

  /** Returns the time {@code delay} from now. */
  public long in(Duration delay) {
    return after(now(), delay);
  }

  /** Returns the time {@code delay} after {@code time}. */
  public static long after(long time, Duration delay) {
    return time + Durations.nanos(delay);
  }

  /** Looks at that time at the latest. */
  public void lookAt(long time) {
    if (stopped || time == NEVER || (future != null && at <= time)) {
      return; // or that look will set the next one
    }
    if (future != null) {
      future.cancel(false);
    }
    at = time;
    future = loop.schedule(this::run, time - now(), TimeUnit.NANOSECONDS);
  }

  /** Looks when the peer may have fallen behind; returns the meter. */
  public RateMeter watch(RateMeter meter) {
    lookAt(now() + meter.untilNextLook());
    return meter;
  }

  /**
   * Looks whether the peer is fast enough, and when to look again.
   *
   * @param isDue whether the peer still has something to do
   * @param bytes all bytes until now
   * @param nanos all of the time in which they had to move
   * @param tooSlow runs if the peer has fallen behind too far
   * @return the meter, or null if there is nothing to watch any more
   */
  public @Nullable RateMeter look(
      @Nullable RateMeter meter, boolean isDue, long bytes, long nanos, Runnable tooSlow) {
    if (meter == null || !isDue) {
      return null;
    }
    if (meter.isFastEnough(bytes, nanos)) {
      return watch(meter);
    }
    tooSlow.run();
    return null;
  }

  private void run() {
    future = null;
    look.run();
  }

  /** Does not look again. */
  public void stop() {
    stopped = true;
    if (future != null) {
      future.cancel(false);
      future = null;
    }
  }
}
