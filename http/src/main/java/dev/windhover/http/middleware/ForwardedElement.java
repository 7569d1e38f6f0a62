package dev.windhover.http.middleware;

import dev.windhover.http.host.Tokens;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An element of the header {@code Forwarded} (RFC 7239 4). */
final class ForwardedElement {
  private ForwardedElement() {}

  /**
   * Returns the unparsed elements of {@code lines}, the last one first. It reads from the right,
   * where the nearest proxy wrote, so that a quote that a client left open cannot swallow what a
   * proxy has added.
   */
  static List<String> lastFirst(List<String> lines) {
    List<String> elements = new ArrayList<>();
    for (String line : lines.reversed()) {
      int end = line.length();
      boolean quoted = false;
      for (int i = end - 1; i >= 0; i--) {
        char c = line.charAt(i);
        if (c == '"' && !isEscaped(line, i)) {
          quoted = !quoted;
        } else if (c == ',' && !quoted) {
          elements.add(line.substring(i + 1, end));
          end = i;
        }
      }
      elements.add(line.substring(0, end));
    }
    return elements;
  }

  private static boolean isEscaped(String line, int at) {
    int backslashes = 0;
    while (backslashes < at && line.charAt(at - 1 - backslashes) == '\\') {
      backslashes++;
    }
    return backslashes % 2 == 1;
  }

  /** Reads an element; null if it is malformed. */
  static @Nullable Hop parse(String element) {
    Map<String, String> parameters = parameters(element.strip());
    return parameters == null
        ? null
        : Hop.of(parameters.get("for"), parameters.get("proto"), parameters.get("host"));
  }

  /** Reads {@code name=value;name="value"}; null if it is malformed or empty, or repeats a name. */
  private static @Nullable Map<String, String> parameters(String element) {
    Map<String, String> parameters = new HashMap<>();
    int at = 0;
    while (at < element.length()) {
      if (element.charAt(at) == ';') { // a pair may be left out
        at++;
        continue;
      }
      int equals = element.indexOf('=', at);
      String name = equals < 0 ? "" : element.substring(at, equals).toLowerCase(Locale.ROOT);
      if (!Tokens.isToken(name)) {
        return null;
      }
      StringBuilder value = new StringBuilder();
      at = value(element, equals + 1, value);
      if (at < 0 || parameters.put(name, value.toString()) != null) {
        return null;
      }
      if (at < element.length() && element.charAt(at) != ';') {
        return null;
      }
    }
    return parameters.isEmpty() ? null : parameters;
  }

  /** Reads a value from {@code start} and returns where it ends, or -1 if it is malformed. */
  private static int value(String element, int start, StringBuilder value) {
    if (!element.startsWith("\"", start)) {
      int semicolon = element.indexOf(';', start);
      int end = semicolon < 0 ? element.length() : semicolon;
      value.append(element, start, end);
      return Tokens.isToken(value.toString()) ? end : -1;
    }
    for (int i = start + 1; i < element.length(); i++) {
      char c = element.charAt(i);
      if (c == '"') {
        return i + 1;
      }
      if (c == '\\' && ++i < element.length()) {
        c = element.charAt(i);
      }
      value.append(c);
    }
    return -1; // the quote is open
  }
}
