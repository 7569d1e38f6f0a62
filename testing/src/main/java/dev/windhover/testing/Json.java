package dev.windhover.testing;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * JSON texts (RFC 8259) that are compared by what they mean: white space, the order of members, and
 * the spelling of strings and numbers do not matter. Parses into maps, lists, strings, decimals,
 * booleans and null.
 */
final class Json {
  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

  private final String text;
  private int position;

  private Json(String text) {
    this.text = text;
  }

  /**
   * Returns the value of a JSON text.
   *
   * @throws IllegalArgumentException if it is not JSON; its message says where and why
   */
  static @Nullable Object parse(String text) {
    Json json = new Json(text);
    Object value = json.value();
    if (json.peek() != 0 || json.position < text.length()) {
      throw json.malformed("end");
    }
    return value;
  }

  /** Returns the value of a JSON text that the test itself has written. */
  static @Nullable Object expected(String text) {
    try {
      return parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the expected text is not JSON: " + e.getMessage(), e);
    }
  }

  /** Returns where and how the text differs from the expected value, or null. */
  static @Nullable String difference(@Nullable Object expected, String actual) {
    try {
      return difference("$", expected, parse(actual));
    } catch (IllegalArgumentException e) {
      return "it is not JSON: " + e.getMessage();
    }
  }

  private static @Nullable String difference(
      String path, @Nullable Object expected, @Nullable Object actual) {
    if (expected instanceof Map<?, ?> members && actual instanceof Map<?, ?> others) {
      return differenceOfMembers(path, members, others);
    }
    if (expected instanceof List<?> elements && actual instanceof List<?> others) {
      return differenceOfElements(path, elements, others);
    }
    boolean same =
        (expected instanceof BigDecimal number && actual instanceof BigDecimal other)
            ? number.compareTo(other) == 0
            : Objects.equals(expected, actual);
    return same
        ? null
        : "they differ at " + path + ": expected " + shown(expected) + " but got " + shown(actual);
  }

  private static @Nullable String differenceOfMembers(
      String path, Map<?, ?> expected, Map<?, ?> actual) {
    for (Map.Entry<?, ?> member : expected.entrySet()) {
      String at = path + "." + member.getKey();
      if (!actual.containsKey(member.getKey())) {
        return at + " is missing";
      }
      String difference = difference(at, member.getValue(), actual.get(member.getKey()));
      if (difference != null) {
        return difference;
      }
    }
    for (Object name : actual.keySet()) {
      if (!expected.containsKey(name)) {
        return path + "." + name + " was not expected";
      }
    }
    return null;
  }

  private static @Nullable String differenceOfElements(
      String path, List<?> expected, List<?> actual) {
    for (int i = 0; i < Math.min(expected.size(), actual.size()); i++) {
      String difference = difference(path + "[" + i + "]", expected.get(i), actual.get(i));
      if (difference != null) {
        return difference;
      }
    }
    return expected.size() == actual.size()
        ? null
        : path + " has " + actual.size() + " elements instead of " + expected.size();
  }

  private static String shown(@Nullable Object value) {
    return value instanceof String string ? '"' + string + '"' : String.valueOf(value);
  }

  // ---- Parsing

  private @Nullable Object value() {
    return switch (peek()) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> string();
      case 't' -> word("true", true);
      case 'f' -> word("false", false);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Map<String, @Nullable Object> object() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    position++;
    if (peek() == '}') {
      position++;
      return members;
    }
    while (true) {
      if (peek() != '"') {
        throw malformed("a name");
      }
      String name = string();
      require(':');
      if (members.containsKey(name)) {
        throw new IllegalArgumentException("it has the member \"" + name + "\" twice");
      }
      members.put(name, value());
      if (peek() == '}') {
        position++;
        return members;
      }
      require(',');
    }
  }

  private List<@Nullable Object> array() {
    List<@Nullable Object> elements = new ArrayList<>();
    position++;
    if (peek() == ']') {
      position++;
      return elements;
    }
    while (true) {
      elements.add(value());
      if (peek() == ']') {
        position++;
        return elements;
      }
      require(',');
    }
  }

  private String string() {
    StringBuilder string = new StringBuilder();
    position++;
    while (true) {
      char c = next();
      if (c == '"') {
        return string.toString();
      }
      if (c < ' ') {
        position--;
        throw malformed("no control character in a string");
      }
      string.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() {
    char c = next();
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        int code = 0;
        for (int i = 0; i < 4; i++) {
          int digit = Character.digit(next(), 16);
          if (digit < 0) {
            position--;
            throw malformed("a hex digit");
          }
          code = code * 16 + digit;
        }
        yield (char) code;
      }
      default -> {
        position--;
        throw malformed("an escape");
      }
    };
  }

  private @Nullable Object word(String word, @Nullable Object value) {
    if (!text.startsWith(word, position)) {
      throw malformed("a value");
    }
    position += word.length();
    return value;
  }

  private BigDecimal number() {
    Matcher number = NUMBER.matcher(text).region(position, text.length());
    if (!number.lookingAt()) {
      throw malformed("a value");
    }
    position = number.end();
    return new BigDecimal(number.group());
  }

  private void require(char wanted) {
    if (peek() != wanted) {
      throw malformed("'" + wanted + "'");
    }
    position++;
  }

  /** Skips white space, and returns the character after it, or 0 at the end. */
  private char peek() {
    while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
    return position < text.length() ? text.charAt(position) : 0;
  }

  private char next() {
    if (position == text.length()) {
      throw malformed("more of a string");
    }
    return text.charAt(position++);
  }

  private IllegalArgumentException malformed(String wanted) {
    String found =
        position < text.length() ? "'" + text.charAt(position) + "'" : "the end of the text";
    return new IllegalArgumentException(
        "expected " + wanted + " at character " + position + ", but there is " + found);
  }
}
