package dev.windhover.server.http2;

import static dev.windhover.server.exchange.ConnectionTimer.NEVER;
import static dev.windhover.server.exchange.ConnectionTimer.after;

import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.ConnectionTimer;
import dev.windhover.server.exchange.RateMeter;
import dev.windhover.server.exchange.RequestBody;
import dev.windhover.server.net.NetworkOutput;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http2.Http2Error;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The time limits of an HTTP/2 connection. Loop only. */
final class Http2Timeouts {
  private final Http2Connection connection;
  private final ServerLimits limits;
  private final NetworkOutput output;
  private final ConnectionTimer timer;
  private final Http2HeadWatch heads;

  /** The requests whose bodies or responses have meters; null while there are none. */
  private @Nullable Set<Http2Exchange> watched;

  private @Nullable RateMeter outputMeter;
  private long settingsDue = NEVER;
  private int headUnderWay;
  private long headDue = NEVER;
  private long idleDue = NEVER;
  private long cameAt;
  private long pingSentAt = NEVER;

  Http2Timeouts(
      Http2Connection connection, EventLoop loop, ServerLimits limits, NetworkOutput output) {
    this.connection = connection;
    this.limits = limits;
    this.output = output;
    this.heads = new Http2HeadWatch(connection.history);
    this.timer = new ConnectionTimer(loop, this::look);
    output.onPending(this::connectionWaits);
  }

  // ---- From the connection

  /** The connection has begun: SETTINGS are due. */
  void opened() {
    settingsDue = timer.in(limits.http2().settingsTimeout());
    timer.lookAt(settingsDue);
    becameIdle();
    heard();
    wakeForPing();
  }

  void settingsCame() {
    settingsDue = NEVER;
  }

  /** No stream is open. */
  void becameIdle() {
    idleDue = timer.in(limits.idleTimeout());
    timer.lookAt(idleDue);
  }

  /** A stream has begun. */
  void becameBusy() {
    idleDue = NEVER;
  }

  /** Bytes have come. */
  void came(ByteBuf bytes) {
    heard();
    int head = heads.read(bytes);
    if (head != headUnderWay) {
      headUnderWay = head;
      headDue = head == 0 ? NEVER : timer.in(limits.headersTimeout());
      timer.lookAt(headDue);
    }
  }

  private void heard() {
    if (limits.http2().keepAlivePingDelay().isPositive()) {
      cameAt = timer.now();
      pingSentAt = NEVER; // anything counts as an answer
    }
  }

  /** A handler waits for a body. */
  void bodyIsAwaited(Http2Exchange exchange) {
    if (!limits.minBodyRate().isOff()) {
      exchange.bodyMeter = timer.watch(RateMeter.ofBody(limits.minBodyRate()));
      watch(exchange);
    }
  }

  /** Part of a response may wait for the window of the stream, or for the network. */
  void outputWaits(Http2Exchange exchange) {
    if (exchange.responseMeter == null && !limits.minResponseRate().isOff()) {
      exchange.responseMeter = watchResponse(exchange.transmitted());
      watch(exchange);
    }
  }

  private RateMeter watchResponse(long transmitted) {
    return timer.watch(RateMeter.ofResponse(limits.minResponseRate(), transmitted, timer.now()));
  }

  private void watch(Http2Exchange exchange) {
    if (watched == null) {
      watched = new LinkedHashSet<>();
    }
    watched.add(exchange);
  }

  /** The stream is closed. */
  void forget(Http2Exchange exchange) {
    if (watched != null) {
      watched.remove(exchange);
      if (watched.isEmpty()) {
        watched = null;
      }
    }
  }

  /** The network did not take everything at once. */
  private void connectionWaits() {
    if (outputMeter == null && !limits.minResponseRate().isOff()) {
      outputMeter = watchResponse(output.total());
    }
  }

  /** The connection has ended. */
  void stop() {
    timer.stop();
    watched = null;
  }

  // ---- The timer

  private void look() {
    long now = timer.now();
    if (settingsDue <= now) {
      settingsDue = NEVER;
      connection.settingsAreLate(limits.http2().settingsTimeout());
      return;
    }
    timer.lookAt(settingsDue);
    if (headDue <= now) {
      headDue = NEVER;
      long millis = limits.headersTimeout().toMillis();
      connection.fail(Http2Error.ENHANCE_YOUR_CALM, "no end of a head within " + millis + " ms");
      return;
    }
    timer.lookAt(headDue);
    if (idleDue <= now) {
      idleDue = NEVER;
      connection.stop();
    }
    timer.lookAt(idleDue);
    lookAtPing(now);
    outputMeter =
        timer.look(
            outputMeter, output.isPending(), output.total(), now, connection::connectionIsSlow);
    for (Http2Exchange exchange :
        watched == null ? List.<Http2Exchange>of() : List.copyOf(watched)) {
      lookAt(exchange, now);
    }
  }

  private void lookAt(Http2Exchange exchange, long now) {
    RequestBody body = exchange.requestBody();
    exchange.bodyMeter =
        timer.look(
            exchange.bodyMeter,
            !body.hasEnded(),
            body.received(),
            body.waitedNanos(),
            exchange::bodyIsSlow);
    exchange.responseMeter =
        timer.look(
            exchange.responseMeter,
            exchange.isWaiting(),
            exchange.transmitted(),
            now,
            () -> connection.responseIsSlow(exchange));
    if (exchange.bodyMeter == null && exchange.responseMeter == null) {
      forget(exchange);
    }
  }

  private void wakeForPing() {
    Duration delay = limits.http2().keepAlivePingDelay();
    if (delay.isPositive()) {
      timer.lookAt(after(cameAt, delay));
    }
  }

  private void lookAtPing(long now) {
    Duration delay = limits.http2().keepAlivePingDelay();
    if (!delay.isPositive()) {
      return;
    }
    Duration timeout = limits.http2().keepAlivePingTimeout();
    if (pingSentAt == NEVER) {
      if (after(cameAt, delay) <= now) {
        pingSentAt = now;
        connection.ping();
        timer.lookAt(after(now, timeout));
      } else {
        wakeForPing();
      }
    } else if (after(pingSentAt, timeout) <= now) {
      connection.fail(Http2Error.NO_ERROR, "PING was not answered");
    } else {
      timer.lookAt(after(pingSentAt, timeout));
    }
  }
}
