package dev.windhover.websocket;

import dev.windhover.http.host.Durations;
import dev.windhover.websocket.WebSocketLimits.Rate;

/**
 * Decides when an unfinished message comes too slowly. Its peer begins with credit, which is the
 * grace. Time uses it up, and bytes restore it, but never beyond where it began: a peer may be late
 * by that much, and cannot save up for a long silence. It is told the time and reads no clock;
 * times are the loop's nanoseconds.
 */
final class MessageRate {
  private static final double NANOS_PER_SECOND = 1e9;

  /** The part of the grace that passes between two looks at a peer that is nearly too slow. */
  private static final int LOOKS_IN_GRACE = 8;

  private final double nanosPerByte;
  private final long grace;
  private long credit;
  private long came;
  private long looked;

  /**
   * A message has begun.
   *
   * @param rate not off
   * @param cameSoFar the bytes that have come until now
   */
  MessageRate(Rate rate, long now, long cameSoFar) {
    nanosPerByte = NANOS_PER_SECOND / rate.bytesPerSecond();
    grace = Durations.nanos(rate.grace());
    credit = grace;
    came = cameSoFar;
    looked = now;
  }

  /**
   * Looks at what has come since the last look.
   *
   * @param counts whether the time since then counts
   */
  void look(long now, long cameSoFar, boolean counts) {
    long gained = (long) ((cameSoFar - came) * nanosPerByte); // far from what overflows
    long passed = counts ? now - looked : 0;
    credit = Math.min(grace, credit + gained - passed);
    came = cameSoFar;
    looked = now;
  }

  /** Returns whether the peer had fallen too far behind at the last look. */
  boolean isTooSlow() {
    return credit <= 0;
  }

  /** Returns when to look again. */
  long due() {
    return looked + Math.max(credit, grace / LOOKS_IN_GRACE);
  }
}
