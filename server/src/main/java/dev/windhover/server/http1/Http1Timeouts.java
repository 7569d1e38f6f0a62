package dev.windhover.server.http1;

import static dev.windhover.server.exchange.ConnectionTimer.NEVER;

import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.ConnectionTimer;
import dev.windhover.server.exchange.RateMeter;
import dev.windhover.server.exchange.RequestBody;
import dev.windhover.server.net.TcpSink;
import io.netty.channel.Channel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The time limits of a connection while it speaks HTTP/1.1. Loop only. */
final class Http1Timeouts {
  /** Is told when the client is too slow. */
  interface Listener {
    /** The head of a request has not come in time. */
    void headIsLate();

    /** No request has come within the idle timeout. */
    void noRequestCame();

    /** The body comes too slowly while the handler waits for it. */
    void bodyIsSlow();

    /** The client takes the response too slowly. */
    void responseIsSlow();
  }

  private final ConnectionTimer timer;
  private final ServerLimits limits;
  private final TcpSink output;
  private final Listener listener;

  /** When a request, or the rest of its head, must have come. */
  private long deadline = NEVER;

  /** No byte of the next request has come. */
  private boolean idle;

  private @Nullable RequestBody body;
  private @Nullable RateMeter bodyMeter;
  private @Nullable RateMeter outputMeter;

  Http1Timeouts(Channel channel, ServerLimits limits, TcpSink output, Listener listener) {
    this.timer = new ConnectionTimer(channel.eventLoop(), this::look);
    this.limits = limits;
    this.output = output;
    this.listener = listener;
    output.onWaiting(this::outputWaits);
  }

  // ---- From the connection

  /** The connection has begun: the head of a request is due. */
  void opened() {
    await(limits.headersTimeout(), false);
  }

  /** A request was answered, and another one may come. */
  void awaitRequest() {
    await(limits.idleTimeout(), true);
  }

  /** The first bytes of a request have come: the rest of its head is due. */
  void headBegins() {
    if (idle) {
      await(limits.headersTimeout(), false);
    }
  }

  private void await(Duration time, boolean isIdle) {
    idle = isIdle;
    deadline = timer.in(time);
    timer.lookAt(deadline);
  }

  /** A head has come, or no other is accepted. */
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
    bodyMeter = RateMeter.ofBody(limits.minBodyRate());
    timer.lookAt(timer.now() + bodyMeter.untilNextLook());
  }

  /** The network did not take everything at once: watches the response from now on. */
  private void outputWaits() {
    if (outputMeter != null || limits.minResponseRate().isOff()) {
      return;
    }
    long now = timer.now();
    outputMeter = RateMeter.ofResponse(limits.minResponseRate(), output.transmitted(), now);
    timer.lookAt(now + outputMeter.untilNextLook());
  }

  /** The connection has ended, or no longer speaks HTTP/1.1. */
  void stop() {
    timer.stop();
    body = null;
  }

  // ---- The timer

  private void look() {
    long now = timer.now();
    if (deadline <= now) {
      boolean wasIdle = idle;
      headCame();
      if (wasIdle) {
        listener.noRequestCame();
      } else {
        listener.headIsLate();
      }
    }
    timer.lookAt(deadline);
    lookAtBody(now);
    lookAtOutput(now);
  }

  private void lookAtBody(long now) {
    RequestBody coming = body;
    RateMeter meter = bodyMeter;
    if (coming == null || meter == null) {
      return;
    }
    boolean fastEnough = meter.isFastEnough(coming.received(), coming.waitedNanos());
    if (coming.hasEnded()) {
      body = null;
    } else if (fastEnough) {
      timer.lookAt(now + meter.untilNextLook());
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
    boolean fastEnough = meter.isFastEnough(output.transmitted(), now);
    if (!output.isWaiting()) {
      outputMeter = null;
    } else if (fastEnough) {
      timer.lookAt(now + meter.untilNextLook());
    } else {
      outputMeter = null;
      listener.responseIsSlow();
    }
  }
}
