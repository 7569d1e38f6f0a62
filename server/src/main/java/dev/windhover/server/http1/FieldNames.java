package dev.windhover.server.http1;

import io.netty.util.AsciiString;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The names of header fields as text. Requests of browsers and other clients have a dozen fields,
 * nearly all with a few well-known names. These strings are shared, which saves memory where a
 * connection keeps its headers.
 */
final class FieldNames {
  private static final String KNOWN =
      """
      Accept Accept-Encoding Accept-Language Authorization Cache-Control Connection Content-Length \
      Content-Type Cookie Forwarded Host If-Modified-Since If-None-Match Last-Event-ID Origin Pragma \
      Priority Referer Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-WebSocket-Extensions \
      Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version Transfer-Encoding Upgrade \
      User-Agent X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Requested-With X-SignalR-User-Agent\
      """;

  /** As most clients spell them, and in lower case, as some do. */
  private static final Map<AsciiString, String> TEXTS = new HashMap<>();

  static {
    for (String name : KNOWN.split(" ", -1)) {
      TEXTS.put(AsciiString.of(name), name);
      String lowerCase = name.toLowerCase(Locale.ROOT);
      TEXTS.put(AsciiString.of(lowerCase), lowerCase);
    }
  }

  private FieldNames() {}

  /** Returns {@code name}, spelled as it is, as text. */
  static String text(CharSequence name) {
    String known = name instanceof AsciiString ascii ? TEXTS.get(ascii) : null;
    return known == null ? name.toString() : known;
  }
}
