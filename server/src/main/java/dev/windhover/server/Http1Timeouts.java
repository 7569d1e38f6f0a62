package dev.windhover.server;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of one connection while it speaks HTTP. There is one timer, which is moved as
 * seldom as can be: a request that comes whole and is answered at once moves none. Loop only.
 */
final class Http1Timeouts {
  /** Who is told that the client is too slow. */
  interface Listener {
    /** A request's head has not come in time. */
    void headIsLate();

    /** No request has come within the idle timeout. */
    void noRequestCame();

    /** A body comes too slowly while the handler waits for it. */
    void bodyIsSlow();

    /** The client takes the response too slowly. */
    void responseIsSlow();
  }

  /**
   * What systems take of a response at once and then nothing for a while, however steadily the
   * client reads; at 240 bytes in a second that while is 68 s, and nginx's {@code send_timeout} 60.
   */
  private static final int LUMP_BYTES = 16 * 1024;

  private static final long NEVER = Long.MAX_VALUE;

  private final EventLoop loop;
  private final ServerLimits limits;
  private final TcpSink output;
  private final Listener listener;
  private final long origin;

  private @Nullable ScheduledFuture<?> timer;
  private long timerAt = NEVER;
  private long deadline = NEVER;
  private boolean idle;

  private @Nullable RequestBody body;
  private @Nullable RateMeter bodyMeter;
  private long bodyReceived;
  private long bodyWaited;

  private @Nullable RateMeter outputMeter;
  private long outputLookedAt;
  private long outputTaken;

  Http1Timeouts(Channel channel, ServerLimits limits, TcpSink output, Listener listener) {
    this.loop = channel.eventLoop();
    this.limits = limits;
    this.output = output;
    this.listener = listener;
    this.origin = loop.ticker().nanoTime();
    output.onWaiting(this::outputWaits);
  }

  // ---- What the connection is at

  /** The connection has begun: a head is due. */
  void opened() {
    await(limits.headersTimeout(), false);
  }

  /** A request was answered: another one may come. */
  void awaitRequest() {
    await(limits.idleTimeout(), true);
  }

  /** The first bytes of a request are here: the rest of its head is due. */
  void headBegins() {
    if (idle) {
      await(limits.headersTimeout(), false);
    }
  }

  private void await(Duration time, boolean isIdle) {
    idle = isIdle;
    deadline = now() + saturated(time);
    wakeAt(deadline);
  }

  /** A head is here, or none will be taken any more. */
  void headCame() {
    idle = false;
    deadline = NEVER;
  }

  /** A body begins to come. */
  void bodyBegins(RequestBody begun) {
    if (limits.minBodyRate().isOff()) {
      return;
    }
    body = begun;
    bodyReceived = 0;
    bodyWaited = 0;
    RateMeter meter = new RateMeter(limits.minBodyRate(), 0);
    bodyMeter = meter;
    wakeAt(now() + meter.untilNextLook());
  }

  /** The network does not take at once what was written: looks at what it does from now on. */
  private void outputWaits() {
    if (outputMeter != null || limits.minResponseRate().isOff()) {
      return;
    }
    RateMeter meter = new RateMeter(limits.minResponseRate(), LUMP_BYTES);
    outputMeter = meter;
    outputTaken = output.transmitted();
    outputLookedAt = now();
    wakeAt(outputLookedAt + meter.untilNextLook());
  }

  /** The connection has ended, or is no longer one of HTTP. */
  void stop() {
    if (timer != null) {
      timer.cancel(false);
    }
    timer = null;
    deadline = NEVER;
    body = null;
    bodyMeter = null;
    outputMeter = null;
  }

  // ---- The timer

  private long now() {
    return loop.ticker().nanoTime() - origin;
  }

  private static long saturated(Duration time) {
    return time.compareTo(Duration.ofDays(365)) < 0 ? time.toNanos() : NEVER / 2;
  }

  private void wakeAt(long at) {
    if (timer != null && timerAt <= at) {
      return; // then it is moved on
    }
    if (timer != null) {
      timer.cancel(false);
    }
    timerAt = at;
    timer = loop.schedule(this::look, at - now(), TimeUnit.NANOSECONDS);
  }

  private void look() {
    timer = null;
    long now = now();
    if (deadline <= now) {
      boolean wasIdle = idle;
      headCame();
      if (wasIdle) {
        listener.noRequestCame();
      } else {
        listener.headIsLate();
      }
    }
    if (deadline != NEVER) {
      wakeAt(deadline);
    }
    lookAtBody(now);
    lookAtOutput(now);
  }

  private void lookAtBody(long now) {
    RequestBody coming = body;
    RateMeter meter = bodyMeter;
    if (coming == null || meter == null) {
      return;
    }
    long received = coming.received();
    long waited = coming.waitedNanos();
    boolean fastEnough = meter.add(received - bodyReceived, waited - bodyWaited);
    bodyReceived = received;
    bodyWaited = waited;
    if (coming.hasEnded()) {
      body = null;
    } else if (fastEnough) {
      wakeAt(now + meter.untilNextLook());
    } else {
      body = null;
      listener.bodyIsSlow();
    }
  }

  private void lookAtOutput(long now) {
    RateMeter meter = outputMeter;
    if (meter == null) {
      return;
    }
    long taken = output.transmitted();
    boolean fastEnough = meter.add(Math.max(0, taken - outputTaken), now - outputLookedAt);
    outputTaken = taken;
    outputLookedAt = now;
    if (!output.isWaiting()) {
      outputMeter = null;
    } else if (fastEnough) {
      wakeAt(now + meter.untilNextLook());
    } else {
      outputMeter = null;
      listener.responseIsSlow();
    }
  }
}
