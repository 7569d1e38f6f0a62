package dev.windhover.websocket;

/**
 * Decides when a quiet connection is pinged and when it counts as dead. It is told the time and
 * reads no clock; times are the loop's nanoseconds.
 *
 * <p>With a time limit: a Ping when nothing has come for the interval, and the end when nothing has
 * come for the limit after it; any bytes are a sign of life. Without one: an unsolicited Pong every
 * interval, which keeps proxies from cutting the connection and finds a dead peer only through a
 * write that fails. An interval of zero is off.
 */
final class KeepAlive {
  /** What is to be done now. */
  enum Action {
    /** Nothing; ask again after {@link #delay}. */
    WAIT,
    /** Send a Ping. */
    PING,
    /** Send an unsolicited Pong. */
    PONG,
    /** The peer is dead. */
    ABORT
  }

  private final long interval;
  private final long timeout;
  private long heard;
  private long sent;
  private boolean outstanding;

  KeepAlive(long intervalNanos, long timeoutNanos, long now) {
    this.interval = intervalNanos;
    this.timeout = timeoutNanos;
    this.heard = now;
    this.sent = now;
  }

  boolean isOn() {
    return interval > 0;
  }

  /** Bytes have come. */
  void heard(long now) {
    heard = now;
    outstanding = false;
  }

  /** Reading begins again after we had stopped it: until now nothing could be seen. */
  void readingAgain(long now) {
    if (outstanding) {
      sent = now;
    }
  }

  /**
   * Returns what to do; what it returns counts as done.
   *
   * @param reading whether bytes could have been seen
   */
  Action ask(long now, boolean reading) {
    if (timeout == 0) {
      if (now - sent < interval) {
        return Action.WAIT;
      }
      sent = now;
      return Action.PONG;
    }
    if (outstanding) {
      return reading && now - sent >= timeout ? Action.ABORT : Action.WAIT;
    }
    if (now - heard < interval) {
      return Action.WAIT;
    }
    outstanding = true;
    sent = now;
    return Action.PING;
  }

  /** Returns in how many nanoseconds to ask again. */
  long delay(long now) {
    long due = outstanding ? sent + timeout : timeout == 0 ? sent + interval : heard + interval;
    long smallest = Math.min(interval, timeout == 0 ? interval : timeout) / 4;
    return Math.max(due - now, outstanding ? Math.max(smallest, 1) : 1);
  }
}
