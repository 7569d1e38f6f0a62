package dev.windhover.hubs;

import dev.windhover.http.host.Durations;
import java.time.Duration;

/**
 * When a connection sends Pings, and whether its client has been silent for too long. A question
 * with an answer: the caller knows the time.
 *
 * <p>A client is watched from its first Ping on, because some never send any. Over long polling,
 * neither side sends Pings: the polls are the sign of life.
 */
final class KeepAlive {
  private final long interval;
  private final long timeout;
  private long pingDue;
  private long heard;
  private boolean clientPings;

  KeepAlive(Duration interval, Duration timeout, long now) {
    this.interval = Durations.nanos(interval);
    this.timeout = Durations.nanos(timeout);
    this.pingDue = now + this.interval;
    this.heard = now;
  }

  /** Something has come from the client, or it was not read. */
  void heard(long now) {
    heard = now;
  }

  /** The client has sent a Ping; returns whether it is the first. */
  boolean clientPinged() {
    boolean isFirst = !clientPings;
    clientPings = true;
    return isFirst;
  }

  /** Returns whether nothing has come for too long. */
  boolean isSilent(long now) {
    return clientPings && now - heard >= timeout;
  }

  /** Returns whether a Ping is due, which is then sent. */
  boolean isPingDue(long now) {
    if (now - pingDue < 0) {
      return false;
    }
    pingDue = now + interval;
    return true;
  }

  /** Returns in how many nanoseconds to ask again. */
  long nanosToNext(long now) {
    long toPing = pingDue - now;
    long next = clientPings ? Math.min(toPing, heard + timeout - now) : toPing;
    return Math.max(next, 0);
  }
}
