package dev.windhover.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The decoded parameters after the {@code ?} of a target, in order. */
public final class Query {
  private final List<Map.Entry<String, String>> parameters;

  private Query(List<Map.Entry<String, String>> parameters) {
    this.parameters = List.copyOf(parameters);
  }

  /**
   * Parses {@code name=value&…}. A {@code +} is a space, and a name without {@code =} has an empty
   * value.
   *
   * @throws IllegalArgumentException if a percent sign is not followed by two hex digits
   */
  public static Query parse(String text) {
    List<Map.Entry<String, String>> parameters = new ArrayList<>();
    for (String part : text.split("&", -1)) {
      if (!part.isEmpty()) {
        int equals = part.indexOf('=');
        String name = equals < 0 ? part : part.substring(0, equals);
        String value = equals < 0 ? "" : part.substring(equals + 1);
        parameters.add(Map.entry(decode(name), decode(value)));
      }
    }
    return new Query(parameters);
  }

  /** Returns the first value of {@code name}, or null; names are case-sensitive. */
  public @Nullable String get(String name) {
    for (Map.Entry<String, String> parameter : parameters) {
      if (parameter.getKey().equals(name)) {
        return parameter.getValue();
      }
    }
    return null;
  }

  /** Returns all values of {@code name}, in order. */
  public List<String> all(String name) {
    return parameters.stream()
        .filter(parameter -> parameter.getKey().equals(name))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Returns all parameters, in order. */
  public List<Map.Entry<String, String>> parameters() {
    return parameters;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
