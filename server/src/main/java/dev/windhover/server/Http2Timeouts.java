package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of one connection of HTTP/2. There is one timer, which runs only while there is
 * something to look at, and is moved as seldom as can be. Loop only.
 */
final class Http2Timeouts {
  /** What systems take of a response at once and then nothing for a while. */
  private static final int LUMP_BYTES = 16 * 1024;

  private static final long NEVER = Long.MAX_VALUE;

  private final Http2Connection connection;
  private final EventLoop loop;
  private final ServerLimits limits;
  private final NetworkOutput output;
  private final long origin;
  private final Http2HeadWatch heads = new Http2HeadWatch();

  /** How fast a request's body comes, and a response goes. */
  private static final class Watch {
    private final Http2Exchange exchange;
    private @Nullable RateMeter body;
    private long received;
    private long waited;
    private @Nullable RateMeter response;
    private long transmitted;
    private long lookedAt;

    Watch(Http2Exchange exchange) {
      this.exchange = exchange;
    }
  }

  /** Only while there are bodies and responses to look at. */
  private @Nullable Map<Http2Exchange, Watch> watched;

  private @Nullable RateMeter outputMeter;
  private long outputLookedAt;

  private @Nullable ScheduledFuture<?> timer;
  private long timerAt = NEVER;
  private long settingsDue = NEVER;
  private int headUnderWay;
  private long headDue = NEVER;
  private long idleSince = NEVER;
  private long cameAt;
  private long pingSentAt = NEVER;
  private boolean stopped;

  Http2Timeouts(
      Http2Connection connection, EventLoop loop, ServerLimits limits, NetworkOutput output) {
    this.connection = connection;
    this.loop = loop;
    this.limits = limits;
    this.output = output;
    this.origin = loop.ticker().nanoTime();
    output.onPending(this::connectionWaits);
  }

  // ---- What the connection is at

  /** The connection has begun: SETTINGS are due. */
  void opened() {
    settingsDue = now() + nanos(limits.http2().settingsTimeout());
    wakeAt(settingsDue);
    isIdle();
    isAlive();
    wakeForPing();
  }

  void settingsCame() {
    settingsDue = NEVER;
  }

  /** There is no stream. */
  void isIdle() {
    idleSince = now();
    wakeAt(idleSince + nanos(limits.idleTimeout()));
  }

  /** A stream has begun. */
  void isBusy() {
    idleSince = NEVER;
  }

  /** Bytes have come. */
  void came(ByteBuf bytes) {
    isAlive();
    int head = heads.read(bytes);
    if (head != headUnderWay) {
      headUnderWay = head;
      headDue = head == 0 ? NEVER : now() + nanos(limits.headersTimeout());
      wakeAt(headDue);
    }
  }

  private void isAlive() {
    if (limits.http2().keepAlivePingDelay().isPositive()) {
      cameAt = now();
      pingSentAt = NEVER; // whatever it was
    }
  }

  /** A handler reads a body. */
  void bodyIsAwaited(Http2Exchange exchange) {
    if (!limits.minBodyRate().isOff()) {
      RateMeter meter = new RateMeter(limits.minBodyRate(), 0);
      watch(exchange).body = meter;
      wakeAt(now() + meter.untilNextLook());
    }
  }

  /** Some of a response waits for the stream's window, or for the network. */
  void outputWaits(Http2Exchange exchange) {
    if (limits.minResponseRate().isOff()) {
      return;
    }
    Watch watch = watch(exchange);
    if (watch.response == null) {
      watch.response = new RateMeter(limits.minResponseRate(), LUMP_BYTES);
      watch.transmitted = exchange.transmitted();
      watch.lookedAt = now();
      wakeAt(watch.lookedAt + watch.response.untilNextLook());
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

  /** The network does not take at once what was flushed. */
  private void connectionWaits() {
    if (outputMeter == null && !limits.minResponseRate().isOff() && !stopped) {
      RateMeter meter = new RateMeter(limits.minResponseRate(), LUMP_BYTES);
      outputMeter = meter;
      output.taken();
      outputLookedAt = now();
      wakeAt(outputLookedAt + meter.untilNextLook());
    }
  }

  /** The connection has ended. */
  void stop() {
    stopped = true;
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
    watched = null;
    outputMeter = null;
  }

  // ---- The timer

  private long now() {
    return loop.ticker().nanoTime() - origin;
  }

  private static long nanos(Duration time) {
    return time.compareTo(Duration.ofDays(365)) < 0 ? time.toNanos() : NEVER / 4;
  }

  private void wakeAt(long at) {
    if (stopped || at == NEVER || (timer != null && timerAt <= at)) {
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
    if (settingsDue <= now) {
      settingsDue = NEVER;
      connection.settingsAreLate(limits.http2().settingsTimeout());
      return;
    }
    wakeAt(settingsDue);
    if (headDue <= now) {
      headDue = NEVER;
      long millis = limits.headersTimeout().toMillis();
      connection.fail(Http2Error.ENHANCE_YOUR_CALM, "no end of a head within " + millis + " ms");
      return;
    }
    wakeAt(headDue);
    lookAtIdleness(now);
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

  private void lookAtIdleness(long now) {
    if (idleSince == NEVER) {
      return;
    }
    long due = idleSince + nanos(limits.idleTimeout());
    if (due <= now) {
      connection.stop();
    } else {
      wakeAt(due);
    }
  }

  private void wakeForPing() {
    Duration delay = limits.http2().keepAlivePingDelay();
    if (delay.isPositive()) {
      wakeAt(cameAt + nanos(delay));
    }
  }

  private void lookAtPing(long now) {
    Duration delay = limits.http2().keepAlivePingDelay();
    if (!delay.isPositive()) {
      return;
    }
    long timeout = nanos(limits.http2().keepAlivePingTimeout());
    if (pingSentAt == NEVER) {
      if (now - cameAt >= nanos(delay)) {
        pingSentAt = now;
        connection.ping();
        wakeAt(now + timeout);
      } else {
        wakeForPing();
      }
    } else if (now - pingSentAt >= timeout) {
      connection.fail(Http2Error.NO_ERROR, "PING was not answered");
    } else {
      wakeAt(pingSentAt + timeout);
    }
  }

  /** Returns whether to look again. */
  private boolean lookAtBody(Watch watch, long now) {
    RateMeter meter = watch.body;
    if (meter == null) {
      return false;
    }
    RequestBody coming = watch.exchange.requestBody();
    long received = coming.received();
    long waited = coming.waitedNanos();
    boolean fastEnough = meter.add(received - watch.received, waited - watch.waited);
    watch.received = received;
    watch.waited = waited;
    if (!coming.hasEnded() && fastEnough) {
      wakeAt(now + meter.untilNextLook());
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
    long transmitted = watch.exchange.transmitted();
    boolean fastEnough = meter.add(transmitted - watch.transmitted, now - watch.lookedAt);
    watch.transmitted = transmitted;
    watch.lookedAt = now;
    if (watch.exchange.isWaiting() && fastEnough) {
      wakeAt(now + meter.untilNextLook());
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
    boolean fastEnough = meter.add(output.taken(), now - outputLookedAt);
    outputLookedAt = now;
    if (!output.isPending()) {
      outputMeter = null;
    } else if (fastEnough) {
      wakeAt(now + meter.untilNextLook());
    } else {
      outputMeter = null;
      connection.connectionIsSlow();
    }
  }
}
