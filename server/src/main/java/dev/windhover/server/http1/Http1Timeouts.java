package dev.windhover.server.http1;

import static dev.windhover.server.exchange.ConnectionTimer.NEVER;

import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.ConnectionTimer;
import dev.windhover.server.exchange.RateMeter;
import dev.windhover.server.exchange.RequestBody;
import dev.windhover.server.net.TcpSink;
import io.netty.channel.EventLoop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The time limits of a connection while it speaks HTTP/1.1. Loop only. */
final class Http1Timeouts {
  private final ConnectionTimer timer;
  private final ServerLimits limits;
  private final TcpSink output;
  private final Http1Connection connection;

  /** When a request, or the rest of its head, must have come. */
  private long deadline = NEVER;

  /** No byte of the next request has come. */
  private boolean idle;

  private @Nullable RequestBody body;
  private @Nullable RateMeter bodyMeter;
  private @Nullable RateMeter outputMeter;

  Http1Timeouts(Http1Connection connection, EventLoop loop, ServerLimits limits, TcpSink output) {
    this.connection = connection;
    this.timer = new ConnectionTimer(loop, this::look);
    this.limits = limits;
    this.output = output;
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
    if (!limits.minBodyRate().isOff()) {
      body = begun;
      bodyMeter = timer.watch(RateMeter.ofBody(limits.minBodyRate()));
    }
  }

  /** The network did not take everything at once: watches the response from now on. */
  private void outputWaits() {
    connection.stateMemory();
    ServerLimits.Rate rate = limits.minResponseRate();
    if (outputMeter == null && !rate.isOff()) {
      outputMeter =
          timer.watch(
              RateMeter.ofResponse(rate, output.unseen(), output.transmitted(), timer.now()));
    }
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
        connection.noRequestCame();
      } else {
        connection.headIsLate();
      }
    }
    timer.lookAt(deadline);
    if (body != null) {
      long waited = body.waitedNanos();
      bodyMeter =
          timer.look(bodyMeter, !body.hasEnded(), body.received(), waited, connection::bodyIsSlow);
      body = bodyMeter == null ? null : body;
    }
    if (outputMeter != null) {
      outputMeter =
          timer.look(
              outputMeter,
              output.isWaiting(),
              output.transmitted(),
              now,
              connection::responseIsSlow);
    }
  }
}
