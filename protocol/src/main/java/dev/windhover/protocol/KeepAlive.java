package dev.windhover.protocol;

/**
 * Decides when a quiet connection is pinged and when it counts as dead. It is told the time and
 * reads no clock; times are the loop's nanoseconds.
 *
 * <p>With a time limit: a Ping when nothing has come for the interval, and the end when nothing has
 * come for the limit after it has left; any bytes are a sign of life. Without one: an unsolicited
 * Pong every interval, which keeps proxies from cutting the connection and finds a dead peer only
 * through a write that fails. An interval of zero is off.
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

  /**
   * What is asked of all sockets of the same settings.
   *
   * @param interval in nanoseconds; 0 is off
   * @param timeout in nanoseconds; 0 is none
   */
  record Terms(long interval, long timeout) {
    boolean isOn() {
      return interval > 0;
    }

    /** Returns the least time between two looks, in nanoseconds. */
    private long leastDelay() {
      long shorter = timeout == 0 ? interval : Math.min(interval, timeout);
      return Math.max(1, shorter / 4);
    }
  }

  private final Terms terms;
  private long heard;
  private long sent;
  private boolean outstanding;
  private boolean waiting;
  private int pings;

  KeepAlive(Terms terms, long now) {
    this.terms = terms;
    this.heard = now;
    this.sent = now;
  }

  /** Bytes have come. */
  void heard(long now) {
    heard = now;
    outstanding = false;
  }

  /** The Ping could not leave at once: an answer can be expected only from when it has. */
  void pingWaits() {
    waiting = true;
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
   * @param allTaken whether nothing waits to be sent, a Ping neither
   */
  Action ask(long now, boolean reading, boolean allTaken) {
    if (terms.timeout() == 0) {
      if (now - sent < terms.interval()) {
        return Action.WAIT;
      }
      sent = now;
      return Action.PONG;
    }
    if (outstanding && waiting) {
      waiting = !allTaken; // if it still does, another limit watches that output
      sent = now;
      return Action.WAIT;
    }
    if (outstanding) {
      return reading && now - sent >= terms.timeout() ? Action.ABORT : Action.WAIT;
    }
    if (now - heard < terms.interval()) {
      return Action.WAIT;
    }
    outstanding = true;
    waiting = false;
    sent = now;
    pings++;
    return Action.PING;
  }

  /** Returns how many Pings were asked for. */
  int pings() {
    return pings;
  }

  /** Returns in how many nanoseconds to ask again. */
  long delay(long now) {
    if (outstanding) {
      long least = terms.leastDelay();
      // No later than after an interval: once the answer has come, the next Ping is due then.
      long next = Math.min(sent + terms.timeout() - now, terms.interval());
      return waiting ? least : Math.max(next, least);
    }
    return Math.max((terms.timeout() == 0 ? sent : heard) + terms.interval() - now, 1);
  }
}
