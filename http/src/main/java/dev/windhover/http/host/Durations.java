package dev.windhover.http.host;

import java.time.Duration;

/** Durations as loops count them. Applications may give any, for example to mean "never". */
public final class Durations {
  private static final long LONGEST_NANOS = Long.MAX_VALUE / 4;
  private static final Duration LONGEST = Duration.ofNanos(LONGEST_NANOS);

  private Durations() {}

  /** Returns {@code duration} in ns; at most 73 years, so that it can be added to a time. */
  public static long nanos(Duration duration) {
    return duration.compareTo(LONGEST) < 0 ? duration.toNanos() : LONGEST_NANOS;
  }

  /** Returns {@code duration} in ms; at most 73 years. */
  public static long millis(Duration duration) {
    return nanos(duration) / 1_000_000;
  }
}
