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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The time limits of an HTTP/2 connection. Loop only. */
final class Http2Timeouts {
  private final Http2Connection connection;
  private final ServerLimits limits;
  private final NetworkOutput output;
  private final ConnectionTimer timer;
  private final Http2HeadWatch heads = new Http2HeadWatch();

  /** How fast the body of a request comes, and how fast the client takes the response. */
  private static final class Watch {
    private final Http2Exchange exchange;
    private @Nullable RateMeter body;
    private @Nullable RateMeter response;

    Watch(Http2Exchange exchange) {
      this.exchange = exchange;
    }
  }

  /** Null while there are no bodies and responses to watch. */
  private @Nullable Map<Http2Exchange, Watch> watched;

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
      RateMeter meter = RateMeter.ofBody(limits.minBodyRate());
      watch(exchange).body = meter;
      timer.lookAt(timer.now() + meter.untilNextLook());
    }
  }

  /** Part of a response may wait for the window of the stream, or for the network. */
  void outputWaits(Http2Exchange exchange) {
    if (limits.minResponseRate().isOff()) {
      return;
    }
    Watch watch = watch(exchange);
    if (watch.response == null) {
      long now = timer.now();
      watch.response = RateMeter.ofResponse(limits.minResponseRate(), exchange.transmitted(), now);
      timer.lookAt(now + watch.response.untilNextLook());
    }
  }

  private Watch watch(Http2Exchange exchange) {
    if (watched == null) {
      watched = new LinkedHashMap<>();
    }
    return watched.computeIfAbsent(exchange, Watch::new);
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
      long now = timer.now();
      outputMeter = RateMeter.ofResponse(limits.minResponseRate(), output.total(), now);
      timer.lookAt(now + outputMeter.untilNextLook());
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
    lookAtOutput(now);
    for (Watch watch : watched == null ? List.<Watch>of() : new ArrayList<>(watched.values())) {
      boolean body = lookAtBody(watch, now);
      boolean response = lookAtResponse(watch, now);
      if (!body && !response) {
        forget(watch.exchange);
      }
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

  /** Returns whether to look again. */
  private boolean lookAtBody(Watch watch, long now) {
    RateMeter meter = watch.body;
    if (meter == null) {
      return false;
    }
    RequestBody coming = watch.exchange.requestBody();
    boolean fastEnough = meter.isFastEnough(coming.received(), coming.waitedNanos());
    if (!coming.hasEnded() && fastEnough) {
      timer.lookAt(now + meter.untilNextLook());
      return true;
    }
    watch.body = null;
    if (!coming.hasEnded()) {
      watch.exchange.bodyIsSlow();
    }
    return false;
  }

  /** Returns whether to look again. */
  private boolean lookAtResponse(Watch watch, long now) {
    RateMeter meter = watch.response;
    if (meter == null) {
      return false;
    }
    boolean fastEnough = meter.isFastEnough(watch.exchange.transmitted(), now);
    if (watch.exchange.isWaiting() && fastEnough) {
      timer.lookAt(now + meter.untilNextLook());
      return true;
    }
    watch.response = null;
    if (watch.exchange.isWaiting()) {
      connection.responseIsSlow(watch.exchange);
    }
    return false;
  }

  private void lookAtOutput(long now) {
    RateMeter meter = outputMeter;
    if (meter == null) {
      return;
    }
    boolean fastEnough = meter.isFastEnough(output.total(), now);
    if (!output.isPending()) {
      outputMeter = null;
    } else if (fastEnough) {
      timer.lookAt(now + meter.untilNextLook());
    } else {
      outputMeter = null;
      connection.connectionIsSlow();
    }
  }
}
