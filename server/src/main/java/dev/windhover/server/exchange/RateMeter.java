package dev.windhover.server.exchange;

import dev.windhover.http.host.Durations;
import dev.windhover.server.ServerLimits;

/**
 * Tells whether bytes move as fast as they must. A peer begins with credit, which is its grace.
 * Time uses it up, and bytes restore it, but never beyond where it began: so a peer may be late by
 * that much, and cannot save up for a long silence. Reads no clock.
 */
public final class RateMeter {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double NANOS_PER_MILLI = 1e6;

  /** A century or so, far from what overflows. */
  private static final double MOST_NANOS = 0x1p61;

  /** The part of the grace that passes between two looks at a peer that is nearly too slow. */
  private static final int LOOKS_IN_GRACE = 8;

  /**
   * What a client's system acknowledges of a response at once, and then nothing for a while,
   * however steadily the client reads: it waits until there is room for a whole segment. At 240
   * bytes per second that while is 68 s; nginx's {@code send_timeout} is 60 s.
   */
  private static final int RESPONSE_LUMP = 16 * 1024;

  private final double nanosPerByte;
  private final long grace;
  private final long fullCredit;
  private long credit;
  private long bytes;
  private long nanos;

  /** Returns the meter of a body that nothing has come of yet. */
  public static RateMeter ofBody(ServerLimits.Rate rate) {
    return new RateMeter(rate, 0);
  }

  /**
   * Returns the meter of a response.
   *
   * @param bytes how many bytes the client has taken until now
   * @param nanos the time now
   */
  public static RateMeter ofResponse(ServerLimits.Rate rate, long bytes, long nanos) {
    RateMeter meter = new RateMeter(rate, RESPONSE_LUMP);
    meter.bytes = bytes;
    meter.nanos = nanos;
    return meter;
  }

  /**
   * Returns the meter of a response whose client has credit for what it has taken until now: its
   * system has buffers of its own, and acknowledges no more until it has read from them.
   *
   * @param unseen how many bytes our system may hold without telling whether they arrive
   * @param bytes how many bytes the client has taken until now
   * @param nanos the time now
   */
  public static RateMeter ofResponse(ServerLimits.Rate rate, int unseen, long bytes, long nanos) {
    RateMeter meter = new RateMeter(rate, Math.max(RESPONSE_LUMP, unseen));
    meter.nanos = nanos;
    boolean _ = meter.isFastEnough(bytes, nanos);
    return meter;
  }

  /** Returns what the sender of a response hears whose client has fallen behind. */
  public static String tooSlow(ServerLimits.Rate rate) {
    return "the response was cut off: its client took less than "
        + rate.bytesPerSecond()
        + " bytes a second";
  }

  /**
   * Creates one with all its credit.
   *
   * @param rate not off
   * @param lump bytes that may come at once, and nothing then for as long as they last
   */
  RateMeter(ServerLimits.Rate rate, int lump) {
    nanosPerByte = NANOS_PER_SECOND / rate.bytesPerSecond();
    grace = (long) Math.min(Durations.millis(rate.grace()) * NANOS_PER_MILLI, MOST_NANOS);
    fullCredit = grace + (long) Math.min(lump * nanosPerByte, MOST_NANOS);
    credit = grace;
  }

  /**
   * Counts what has moved since the last call.
   *
   * @param bytesNow all bytes until now; fewer than before count as none
   * @param nanosNow all of the time in which they had to move
   * @return false if the peer has fallen behind too far
   */
  public boolean isFastEnough(long bytesNow, long nanosNow) {
    long moved = Math.max(0, bytesNow - bytes);
    long passed = nanosNow - nanos;
    bytes = bytesNow;
    nanos = nanosNow;
    return add(moved, passed);
  }

  /** Counts {@code bytes} and the {@code nanos} in which they moved; false if they were too few. */
  boolean add(long bytes, long nanos) {
    long gained = (long) Math.min(bytes * nanosPerByte, MOST_NANOS);
    credit = Math.min(fullCredit, credit - nanos + gained);
    return credit >= 0;
  }

  /**
   * Returns in how many nanoseconds to look again: the peer cannot have fallen far behind sooner.
   * Bytes count when they are seen, so a peer is never looked at more seldom than once in its
   * grace.
   */
  public long untilNextLook() {
    return Math.max(Math.min(credit, grace), grace / LOOKS_IN_GRACE);
  }
}
