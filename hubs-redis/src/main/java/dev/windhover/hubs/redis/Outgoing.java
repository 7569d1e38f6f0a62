package dev.windhover.hubs.redis;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A payload to publish. */
final class Outgoing {
  /** Hears how a publish ended, on the carrier's thread; must not block. */
  interface Reply {
    /** Redis has passed it on to so many subscribers. */
    void published(long receivers);

    /** It was not published, or it is not known whether it was. */
    void failed();
  }

  private final long number;
  private final String channel;
  private final byte[] payload;
  private final long since = System.nanoTime();
  private final boolean mayWait;
  private final @Nullable Reply reply;

  /** Delivers it to the clients of this server; null when somebody has taken that over. */
  private final AtomicReference<@Nullable Runnable> here;

  /** Its place among all that the carrier was asked; carrier's thread only. */
  long order;

  private Outgoing(
      long number,
      String channel,
      byte[] payload,
      boolean mayWait,
      @Nullable Reply reply,
      @Nullable Runnable here) {
    this.number = number;
    this.channel = channel;
    this.payload = payload;
    this.mayWait = mayWait;
    this.reply = reply;
    this.here = new AtomicReference<>(here);
  }

  /**
   * A message for clients, which may wait until Redis is back.
   *
   * @param number by which it is known when it comes back
   * @param here delivers it to the clients of this server; null if that was done, or there are none
   */
  static Outgoing message(long number, String channel, byte[] payload, @Nullable Runnable here) {
    return new Outgoing(number, channel, payload, true, null, here);
  }

  /** What is of no use later. */
  static Outgoing urgent(String channel, byte[] payload, @Nullable Reply reply) {
    return new Outgoing(0, channel, payload, false, reply, null);
  }

  long number() {
    return number;
  }

  String channel() {
    return channel;
  }

  byte[] payload() {
    return payload;
  }

  /** Returns when it was sent. */
  long since() {
    return since;
  }

  boolean mayWait() {
    return mayWait;
  }

  @Nullable Reply reply() {
    return reply;
  }

  /** Returns whether clients of this server wait for it. */
  boolean isAwaitedHere() {
    return here.get() != null;
  }

  /** Returns what delivers it to the clients of this server, to one caller only. */
  @Nullable Runnable claim() {
    return here.getAndSet(null);
  }
}
