package dev.windhover.http.middleware;

import java.net.IDN;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Hosts by name, {@code example.com}, or all names below one, {@code *.example.com}. */
final class HostPatterns {
  private final Set<String> names = new HashSet<>();
  private final Set<String> suffixes = new HashSet<>(); // with their dot

  /**
   * Reads {@code patterns}.
   *
   * @throws IllegalArgumentException if one is malformed, has a port, or is {@code *}
   */
  HostPatterns(List<String> patterns) {
    for (String pattern : patterns) {
      boolean wildcard = pattern.startsWith("*.");
      String name = wildcard ? pattern.substring(2) : pattern;
      HostName host = HostName.parse(name.startsWith("[") ? name : toAscii(name));
      if (host == null
          || host.port() >= 0
          || name.endsWith(":")
          || (wildcard && name.startsWith("["))) {
        throw new IllegalArgumentException(
            "host \"" + pattern + "\" is not a name, *.name or address without a port");
      }
      if (wildcard) {
        suffixes.add("." + host.name());
      } else {
        names.add(host.name());
      }
    }
  }

  private static String toAscii(String name) {
    try {
      return IDN.toASCII(name);
    } catch (IllegalArgumentException e) {
      return ""; // which is not a valid name
    }
  }

  boolean isEmpty() {
    return names.isEmpty() && suffixes.isEmpty();
  }

  boolean matches(HostName host) {
    String name = host.name();
    if (names.contains(name)) {
      return true;
    }
    for (int dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1)) {
      if (suffixes.contains(name.substring(dot))) {
        return true;
      }
    }
    return false;
  }
}
