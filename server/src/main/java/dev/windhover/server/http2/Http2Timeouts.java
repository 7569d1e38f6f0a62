package dev.windhover.server.http2;

import static dev.windhover.server.exchange.ConnectionTimer.NEVER;
import static dev.windhover.server.exchange.ConnectionTimer.after;

import dev.windhover.http.host.Durations;
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
  /** While a PING is on its way, it is looked for this often within its time limit. */
  private static final int LOOKS_FOR_PING = 4;

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

  /** What the client had acknowledged when last looked at, until it has all before the PING. */
  private long acknowledged;

  private boolean pingArrived;

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
      long waited = exchange.waitsFrom(timer.now());
      exchange.responseMeter = timer.watch(meter(0, exchange.sent(), waited));
      watch(exchange);
    }
  }

  private RateMeter meter(int unseen, long taken, long nanos) {
    return RateMeter.ofResponse(limits.minResponseRate(), unseen, taken, nanos);
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

  /** The network did not take everything at once, or has not brought it to the client. */
  private void connectionWaits() {
    if (outputMeter == null && !limits.minResponseRate().isOff()) {
      outputMeter = timer.watch(meter(output.unseen(), output.acknowledged(), timer.now()));
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
      long millis = Durations.millis(limits.headersTimeout());
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
    if (outputMeter == null && watched == null) {
      return;
    }
    long acknowledged = output.acknowledged();
    // While a response is on its way, its stream is not judged, so the connection is.
    boolean isDue = output.isPending() || (watched != null && acknowledged < output.written());
    outputMeter = timer.look(outputMeter, isDue, acknowledged, now, connection::connectionIsSlow);
    for (Http2Exchange exchange :
        watched == null ? List.<Http2Exchange>of() : List.copyOf(watched)) {
      lookAt(exchange, now, acknowledged);
    }
  }

  private void lookAt(Http2Exchange exchange, long now, long acknowledged) {
    RequestBody body = exchange.requestBody();
    exchange.bodyMeter =
        timer.look(
            exchange.bodyMeter,
            !body.hasEnded(),
            body.received(),
            body.waitedNanos(),
            exchange::bodyIsSlow);
    if (exchange.isWaiting() && acknowledged < output.written()) {
      connectionWaits();
    }
    exchange.responseMeter =
        timer.look(
            exchange.responseMeter,
            exchange.isWaiting(),
            exchange.sent(),
            exchange.waitedNanos(now, acknowledged),
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
        pingArrived = false;
        acknowledged = output.acknowledged();
        connection.ping();
        timer.lookAt(after(now, timeout.dividedBy(LOOKS_FOR_PING)));
      } else {
        wakeForPing();
      }
      return;
    }
    if (!pingArrived) { // queued after other bytes, perhaps: it is not asked before it arrives
      long progress = output.acknowledged();
      pingArrived = progress == output.written();
      pingSentAt = progress == acknowledged ? pingSentAt : now;
      acknowledged = progress;
    }
    if (after(pingSentAt, timeout) <= now) {
      connection.fail(Http2Error.NO_ERROR, "PING was not answered");
    } else {
      timer.lookAt(
          pingArrived ? after(pingSentAt, timeout) : after(now, timeout.dividedBy(LOOKS_FOR_PING)));
    }
  }
}
