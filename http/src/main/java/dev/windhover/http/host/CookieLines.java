package dev.windhover.http.host;

import dev.windhover.http.Headers;
import java.util.List;

/**
 * The field {@code Cookie}, which is one value. Clients of HTTP/2 send it in pieces, and proxies
 * pass these on over HTTP/1.1.
 */
public final class CookieLines {
  private CookieLines() {}

  /** Joins the lines with a semicolon, instead of the comma of other fields (RFC 9113 8.2.3). */
  public static void join(Headers headers) {
    if (!headers.contains("Cookie")) {
      return;
    }
    List<String> lines = headers.all("Cookie");
    if (lines.size() > 1) {
      headers.set("Cookie", String.join("; ", lines));
    }
  }
}
