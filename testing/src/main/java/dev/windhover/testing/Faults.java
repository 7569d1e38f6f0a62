package dev.windhover.testing;

import java.util.ArrayList;
import java.util.List;

/** What went wrong where no test sees an exception; told when the host closes. */
final class Faults {
  private final List<Throwable> found = new ArrayList<>();

  /** Remembers a fault and returns it to be thrown where it was found. */
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

  /** Throws if anything was found. */
  synchronized void check() {
    if (found.isEmpty()) {
      return;
    }
    AssertionError all = new AssertionError(String.valueOf(found.getFirst().getMessage()));
    found.forEach(all::addSuppressed);
    throw all;
  }
}
