package dev.windhover.server;

/**
 * Whether bytes come as fast as they must. A peer begins with credit, in time: its grace. Time uses
 * it up, bytes bring it back, never above where it began: so a peer may be late by that much, and
 * cannot save up for a long silence. Reads no clock.
 */
final class RateMeter {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double NANOS_PER_MILLI = 1e6;

  /** A century or so, far from what overflows. */
  private static final double MOST_NANOS = 0x1p61;

  /** The part of the grace that passes between two looks at a peer that is nearly too slow. */
  private static final int LOOKS_IN_GRACE = 8;

  private final double nanosPerByte;
  private final long grace;
  private final long fullCredit;
  private long credit;

  /**
   * Creates one with all its credit.
   *
   * @param rate not off
   * @param lump bytes that may come at once, and nothing then for as long as they last
   */
  RateMeter(ServerLimits.Rate rate, int lump) {
    nanosPerByte = NANOS_PER_SECOND / rate.bytesPerSecond();
    grace = (long) Math.min(rate.grace().toMillis() * NANOS_PER_MILLI, MOST_NANOS);
    fullCredit = grace + (long) Math.min(lump * nanosPerByte, MOST_NANOS);
    credit = grace;
  }

  /**
   * Counts {@code bytes} and the {@code nanos} in which they came.
   *
   * @return false if the peer has fallen behind too far
   */
  boolean add(long bytes, long nanos) {
    long gained = (long) Math.min(bytes * nanosPerByte, MOST_NANOS);
    credit = Math.min(fullCredit, credit - nanos + gained);
    return credit >= 0;
  }

  /** Returns when to look again, in nanoseconds: no sooner can it have fallen behind by much. */
  long untilNextLook() {
    return Math.max(credit, grace / LOOKS_IN_GRACE);
  }
}
