package dev.windhover.http.host;

import java.util.Locale;

/** The origin of a browser's page (RFC 6454), in the form of the header {@code Origin}. */
public final class Origins {
  private Origins() {}

  /** Returns whether {@code origin} has exactly the form {@code scheme://host[:port]}. */
  public static boolean isWellFormed(String origin) {
    int host = origin.indexOf("://") + 3;
    return host > 3 && host < origin.length() && origin.indexOf('/', host) < 0;
  }

  /**
   * Returns {@code origin} in lower case and without its scheme's default port, as browsers send
   * it.
   */
  public static String normalize(String origin) {
    String lower = origin.toLowerCase(Locale.ROOT);
    if (lower.startsWith("http://") && lower.endsWith(":80")) {
      return lower.substring(0, lower.length() - 3);
    }
    if (lower.startsWith("https://") && lower.endsWith(":443")) {
      return lower.substring(0, lower.length() - 4);
    }
    return lower;
  }
}
