package dev.windhover.protocol.deflate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One element of {@code Sec-WebSocket-Extensions} (RFC 6455 9.1): a token with parameters. Quoted
 * values are already unquoted.
 *
 * @param name compared exactly
 * @param parameters in their order, including repeated ones
 */
record ExtensionOffer(String name, List<Parameter> parameters) {
  /** A parameter. A missing value is null, which differs from an empty value. */
  record Parameter(String name, @Nullable String value) {}

  /**
   * Returns the well-formed offers of all the header's lines, in order. An offer that breaks the
   * grammar is left out, up to the next comma outside of quotes; ignoring an offer is always safe.
   */
  static List<ExtensionOffer> parse(List<String> lines) {
    List<ExtensionOffer> offers = new ArrayList<>();
    for (String line : lines) {
      Reader in = new Reader(line);
      while (in.toNextElement()) {
        ExtensionOffer offer = in.offer();
        if (offer != null) {
          offers.add(offer);
        }
      }
    }
    return offers;
  }

  /**
   * Reads one line of the header from left to right; null means that the line breaks the grammar.
   */
  private static final class Reader {
    private static final String TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~"; // RFC 9110 5.6.2

    private final String text;
    private int at;

    Reader(String text) {
      this.text = text;
    }

    /** Moves to the next element, past empty ones; false if there is none. */
    boolean toNextElement() {
      do {
        skipSpace();
      } while (take(','));
      return at < text.length();
    }

    @Nullable ExtensionOffer offer() {
      ExtensionOffer offer = wellFormedOffer();
      skipSpace();
      if (at == text.length() || text.charAt(at) == ',') {
        return offer;
      }
      skipElement();
      return null;
    }

    private @Nullable ExtensionOffer wellFormedOffer() {
      String name = token();
      if (name == null) {
        return null;
      }
      List<Parameter> parameters = new ArrayList<>();
      skipSpace();
      while (take(';')) {
        skipSpace();
        Parameter parameter = parameter();
        if (parameter == null) {
          return null;
        }
        parameters.add(parameter);
        skipSpace();
      }
      return new ExtensionOffer(name, List.copyOf(parameters));
    }

    private @Nullable Parameter parameter() {
      String name = token();
      if (name == null) {
        return null;
      }
      if (!take('=')) {
        return new Parameter(name, null);
      }
      String value = take('"') ? quoted() : token();
      return value == null ? null : new Parameter(name, value);
    }

    private @Nullable String token() {
      int start = at;
      while (at < text.length() && isTokenCharacter(text.charAt(at))) {
        at++;
      }
      return start == at ? null : text.substring(start, at);
    }

    /** Reads the rest of a quoted value, which must be a token once it is unquoted (9.1). */
    private @Nullable String quoted() {
      StringBuilder value = new StringBuilder();
      boolean isToken = true;
      while (at < text.length()) {
        char c = text.charAt(at++);
        if (c == '"') {
          return isToken && !value.isEmpty() ? value.toString() : null;
        }
        if (c == '\\' && at < text.length()) {
          c = text.charAt(at++);
        }
        isToken &= isTokenCharacter(c);
        value.append(c);
      }
      return null;
    }

    private void skipElement() {
      boolean quoted = false;
      while (at < text.length() && (quoted || text.charAt(at) != ',')) {
        char c = text.charAt(at++);
        if (c == '"') {
          quoted = !quoted;
        } else if (quoted && c == '\\') {
          at++;
        }
      }
    }

    private void skipSpace() {
      while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
        at++;
      }
    }

    private boolean take(char expected) {
      boolean there = at < text.length() && text.charAt(at) == expected;
      if (there) {
        at++;
      }
      return there;
    }

    private static boolean isTokenCharacter(char c) {
      return (c >= 'a' && c <= 'z')
          || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || TOKEN_PUNCTUATION.indexOf(c) >= 0;
    }
  }
}
