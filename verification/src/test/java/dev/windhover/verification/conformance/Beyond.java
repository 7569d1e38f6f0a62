package dev.windhover.verification.conformance;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.Case.Script;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The cases for what the tester never checks, each under its row. */
final class Beyond {
  private final Map<String, List<Case>> cases = new TreeMap<>();

  private Beyond() {}

  /** Returns the cases of all rows. */
  static List<Case> cases() {
    Beyond beyond = new Beyond();
    Handshakes.addTo(beyond);
    Frames.addTo(beyond);
    Endings.addTo(beyond);
    Negotiations.addTo(beyond);
    Compressed.addTo(beyond);
    Streams.addTo(beyond);
    List<Case> all = new ArrayList<>();
    for (Row row : Row.beyond()) {
      List<Case> its = beyond.cases.remove(row.id());
      if (its == null) {
        throw new AssertionError("no case for " + row);
      }
      all.addAll(its);
    }
    if (!beyond.cases.isEmpty()) {
      throw new AssertionError("no rows " + beyond.cases.keySet());
    }
    return all;
  }

  /** Adds a case to a row. */
  void add(String row, Need needs, Script script) {
    List<Case> its = cases.computeIfAbsent(row, id -> new ArrayList<>());
    its.add(new Case(row + "." + (its.size() + 1), needs, script));
  }

  /** Adds a case that needs but an echo. */
  void add(String row, Script script) {
    add(row, Need.ECHO, script);
  }
}
