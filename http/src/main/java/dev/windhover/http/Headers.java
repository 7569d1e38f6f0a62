package dev.windhover.http;

import dev.windhover.http.host.Tokens;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Header fields, in the order in which they arrived or were added. Names are case-insensitive, and
 * a name may occur several times (RFC 9110 5). Not thread-safe.
 */
public final class Headers implements Iterable<Map.Entry<String, String>> {
  private final List<Map.Entry<String, String>> fields;

  /** Creates an empty collection. */
  public Headers() {
    fields = new ArrayList<>();
  }

  /** Creates a copy. */
  public Headers(Headers other) {
    fields = new ArrayList<>(other.fields);
  }

  /** Returns the first value of {@code name}, or null. */
  public @Nullable String get(String name) {
    int first = indexOf(name, 0);
    return first < 0 ? null : fields.get(first).getValue();
  }

  /** Returns the index of the first field {@code name} from {@code start} on; -1 if none is. */
  private int indexOf(String name, int start) {
    Objects.requireNonNull(name, "name");
    for (int i = start; i < fields.size(); i++) {
      if (fields.get(i).getKey().equalsIgnoreCase(name)) {
        return i;
      }
    }
    return -1;
  }

  /** Returns all values of {@code name}, one for each line; empty if there are none. */
  public List<String> all(String name) {
    int at = indexOf(name, 0);
    if (at < 0) {
      return List.of();
    }
    List<String> values = new ArrayList<>(1);
    for (; at >= 0; at = indexOf(name, at + 1)) {
      values.add(fields.get(at).getValue());
    }
    return values;
  }

  /** Returns the trimmed elements of a comma-separated list, across all lines of {@code name}. */
  public List<String> list(String name) {
    int at = indexOf(name, 0);
    if (at < 0) {
      return List.of();
    }
    List<String> elements = new ArrayList<>(2);
    for (; at >= 0; at = indexOf(name, at + 1)) {
      addElements(elements, fields.get(at).getValue());
    }
    return elements;
  }

  private static void addElements(List<String> elements, String line) {
    int start = 0;
    for (int comma; (comma = line.indexOf(',', start)) >= 0; start = comma + 1) {
      addElement(elements, line.substring(start, comma));
    }
    addElement(elements, line.substring(start));
  }

  private static void addElement(List<String> elements, String element) {
    String trimmed = element.strip();
    if (!trimmed.isEmpty()) {
      elements.add(trimmed);
    }
  }

  /**
   * Returns whether the comma-separated list {@code name} contains {@code token}, ignoring case.
   */
  public boolean hasToken(String name, String token) {
    Objects.requireNonNull(token, "token");
    for (String element : list(name)) {
      if (element.equalsIgnoreCase(token)) {
        return true;
      }
    }
    return false;
  }

  /** Returns whether there is a field {@code name}. */
  public boolean contains(String name) {
    return get(name) != null;
  }

  /**
   * Adds a field after the others.
   *
   * @throws IllegalArgumentException if the name is not a token, or the value contains a line
   *     break, a NUL or another control character except the tab (RFC 9110 5.1, 5.5), or a
   *     character outside ISO 8859-1
   */
  public Headers add(String name, String value) {
    checkName(name);
    checkValue(name, value);
    fields.add(Map.entry(name, value));
    return this;
  }

  /**
   * Replaces all fields of {@code name} with one; refuses the same names and values as {@link
   * #add}.
   */
  public Headers set(String name, String value) {
    checkName(name);
    checkValue(name, value);
    remove(name);
    fields.add(Map.entry(name, value));
    return this;
  }

  /** Removes all fields of {@code name}. */
  public Headers remove(String name) {
    Objects.requireNonNull(name, "name");
    for (int i = fields.size() - 1; i >= 0; i--) {
      if (fields.get(i).getKey().equalsIgnoreCase(name)) {
        fields.remove(i);
      }
    }
    return this;
  }

  /** Removes all fields. */
  public void clear() {
    fields.clear();
  }

  /** Returns the number of fields. */
  public int size() {
    return fields.size();
  }

  @Override
  public Iterator<Map.Entry<String, String>> iterator() {
    return fields.iterator();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Headers headers && fields.equals(headers.fields);
  }

  @Override
  public int hashCode() {
    return Objects.hash(fields);
  }

  @Override
  public String toString() {
    return fields.stream()
        .map(field -> field.getKey() + ": " + field.getValue())
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static void checkName(String name) {
    if (!Tokens.isToken(name)) {
      throw new IllegalArgumentException("header name \"" + name + "\" is not a token");
    }
  }

  private static void checkValue(String name, String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if ((c < ' ' && c != '\t') || c == 0x7F) {
        throw new IllegalArgumentException(
            "value of header " + name + " has control character 0x" + Integer.toHexString(c));
      }
      if (c > 0xFF) {
        throw new IllegalArgumentException(
            "value of header " + name + " has character 0x" + Integer.toHexString(c));
      }
    }
  }
}
