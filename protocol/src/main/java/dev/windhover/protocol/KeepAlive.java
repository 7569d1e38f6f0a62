package dev.windhover.protocol;

/**
 * Decides when a quiet connection is pinged and when it counts as dead. It reads no clock: times
 * are given by the caller, in nanoseconds.
 *
 * <p>With a time limit, it asks for a Ping when nothing has come for the interval, and for the end
 * of the connection when nothing has come for the limit after the Ping has arrived. Any bytes that
 * come are a sign of life, and so are bytes of ours that the peer's side acknowledges. Without a
 * time limit, it asks for an unsolicited Pong every interval, which keeps proxies from cutting the
 * connection but finds a dead peer only through a write that fails.
 */
final class KeepAlive {
  /** What the caller must do now. */
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

  private final Conversation.Terms terms;
  private long heard;
  private long sent;
  private long acknowledged;
  private boolean outstanding;
  private boolean waiting;
  private int pings;

  /** Creates one. The interval must be more than 0; a timeout of 0 means no limit. */
  KeepAlive(Conversation.Terms terms, long now) {
    this.terms = terms;
    this.heard = now;
    this.sent = now;
  }

  /** Records that bytes have come. */
  void heard(long now) {
    heard = now;
    outstanding = false;
  }

  /**
   * Records that the Ping has not arrived yet, perhaps because much is queued before it: the wait
   * for an answer begins when it arrives.
   */
  void pingWaits() {
    waiting = true;
  }

  /** Returns whether a Ping was sent and has not arrived. */
  boolean isPingWaiting() {
    return outstanding && waiting;
  }

  /** Returns whether a Ping was sent, and nothing has come since. */
  boolean isOutstanding() {
    return outstanding;
  }

  /** Records how much the peer's side has acknowledged: more is a sign of life, but no answer. */
  void acknowledged(long total, long now) {
    if (total != acknowledged) {
      acknowledged = total;
      sent = outstanding ? now : sent;
    }
  }

  /** Records that reading begins again: until now, no sign of life could be seen. */
  void readingAgain(long now) {
    if (outstanding) {
      sent = now;
    }
  }

  /**
   * Returns what the caller must do, which then counts as done.
   *
   * @param reading whether the peer is being read, so that bytes from it would have been seen
   * @param allTaken whether the peer's side has acknowledged all output, including a Ping
   */
  Action ask(long now, boolean reading, boolean allTaken) {
    if (timeout() == 0) {
      if (now - sent < interval()) {
        return Action.WAIT;
      }
      sent = now;
      return Action.PONG;
    }
    if (outstanding && waiting) {
      waiting = !allTaken; // another limit watches output that waits
      sent = now;
      return Action.WAIT;
    }
    if (outstanding) {
      return reading && now - sent >= timeout() ? Action.ABORT : Action.WAIT;
    }
    if (now - heard < interval()) {
      return Action.WAIT;
    }
    outstanding = true;
    waiting = false;
    sent = now;
    pings++;
    return Action.PING;
  }

  /** Returns how many Pings it has asked for. */
  int pings() {
    return pings;
  }

  /** Returns after how many nanoseconds to ask again. */
  long delay(long now) {
    if (outstanding) {
      long least = leastDelay();
      // No later than after an interval: once the answer has come, the next Ping is due then.
      long next = Math.min(sent + timeout() - now, interval());
      return waiting ? least : Math.max(next, least);
    }
    return Math.max((timeout() == 0 ? sent : heard) + interval() - now, 1);
  }

  /** Returns the shortest time between two checks, in nanoseconds. */
  private long leastDelay() {
    long shorter = timeout() == 0 ? interval() : Math.min(interval(), timeout());
    return Math.max(1, shorter / 4);
  }

  private long interval() {
    return terms.keepAliveInterval();
  }

  private long timeout() {
    return terms.keepAliveTimeout();
  }
}
