package dev.windhover.http.host;

/** The {@code token} of HTTP's grammar (RFC 9110 5.6.2): header names, methods, subprotocols. */
public final class Tokens {
  private static final boolean[] IN_TOKEN = new boolean[128];

  static {
    for (char c = '!'; c <= '~'; c++) {
      IN_TOKEN[c] = "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0;
    }
  }

  private Tokens() {}

  /** Returns whether {@code text} is one or more visible ASCII characters without delimiters. */
  public static boolean isToken(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= IN_TOKEN.length || !IN_TOKEN[c]) {
        return false;
      }
    }
    return !text.isEmpty();
  }
}
