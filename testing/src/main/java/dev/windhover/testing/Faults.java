package dev.windhover.testing;

import java.util.ArrayList;
import java.util.List;

/**
 * Collects faults in places where a test would not see an exception. They are reported when the
 * host closes.
 */
final class Faults {
  private final List<Throwable> found = new ArrayList<>();

  /** Records a fault and returns it, so that the caller can throw it. */
  AssertionError add(String fact) {
    AssertionError error = new AssertionError(fact);
    add(error);
    return error;
  }

  synchronized void add(Throwable fault) {
    if (!found.contains(fault)) {
      found.add(fault);
    }
  }

  /** Throws if there were any faults. */
  synchronized void check() {
    if (found.isEmpty()) {
      return;
    }
    AssertionError all = new AssertionError(String.valueOf(found.getFirst().getMessage()));
    found.forEach(all::addSuppressed);
    throw all;
  }
}
