package dev.windhover.server;

import java.time.Duration;

/** What options and limits may be. Each method returns a value that is within its range. */
final class Ranges {
  private Ranges() {}

  static int positive(String name, int value) {
    require(value > 0, name, value, "not positive");
    return value;
  }

  static long positive(String name, long value) {
    require(value > 0, name, value, "not positive");
    return value;
  }

  static Duration positive(String name, Duration value) {
    require(value.isPositive(), name, value, "not positive");
    return value;
  }

  static int notNegative(String name, int value) {
    require(value >= 0, name, value, "negative");
    return value;
  }

  static long notNegative(String name, long value) {
    require(value >= 0, name, value, "negative");
    return value;
  }

  static int atLeast(int least, String name, int value) {
    require(value >= least, name, value, "less than " + least);
    return value;
  }

  private static void require(boolean holds, String name, Object value, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(name + " " + value + " is " + otherwise);
    }
  }
}
