package dev.windhover.app;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds out what somebody has meant who made a typing error. */
final class Spelling {
  private static final int SHORT = 6;

  private Spelling() {}

  /** Returns the one of {@code names} that is closest to {@code name}, if one is close. */
  static Optional<String> closest(String name, Collection<String> names) {
    int most = name.length() < SHORT ? 1 : 2;
    return names.stream()
        .filter(each -> distance(name, each) <= most)
        .min(Comparator.comparingInt(each -> distance(name, each)));
  }

  /** Returns how many characters must be inserted, deleted, replaced or swapped. */
  private static int distance(String one, String other) {
    int[][] costs = new int[one.length() + 1][other.length() + 1];
    for (int i = 0; i <= one.length(); i++) {
      for (int j = 0; j <= other.length(); j++) {
        costs[i][j] = i == 0 || j == 0 ? i + j : cost(costs, one, other, i, j);
      }
    }
    return costs[one.length()][other.length()];
  }

  private static int cost(int[][] costs, String one, String other, int i, int j) {
    char last = one.charAt(i - 1);
    char otherLast = other.charAt(j - 1);
    int least = Math.min(costs[i - 1][j], costs[i][j - 1]) + 1;
    least = Math.min(least, costs[i - 1][j - 1] + (last == otherLast ? 0 : 1));
    boolean isSwapped =
        i > 1 && j > 1 && last == other.charAt(j - 2) && one.charAt(i - 2) == otherLast;
    return isSwapped ? Math.min(least, costs[i - 2][j - 2] + 1) : least;
  }
}
