package dev.windhover.http;

/** The {@code token} of HTTP's grammar (RFC 9110 5.6.2): header names, methods, subprotocols. */
public final class Tokens {
  private static final String DELIMITERS = "\"(),/:;<=>?@[\\]{}";

  private Tokens() {}

  /** Returns whether {@code text} is one or more visible ASCII characters without delimiters. */
  public static boolean isToken(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c <= ' ' || c >= 0x7F || DELIMITERS.indexOf(c) >= 0) {
        return false;
      }
    }
    return !text.isEmpty();
  }
}
