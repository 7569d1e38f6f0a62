package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What client and server negotiate: permessage-deflate (RFC 7692) with or without context takeover,
 * the same in both directions, or no extension. Written as {@code off}, {@code takeover}, {@code
 * no-takeover}, and with a window other than 15 bits as {@code takeover:9}.
 *
 * @param windowBits of both directions, 9–15
 */
record Compression(boolean on, boolean takeover, int windowBits) {
  static final Compression OFF = new Compression(false, false, 15);

  /** zlib's default; all contenders' too. */
  static final int LEVEL = 6;

  /** zlib's default, and the only one that the JDK supports. */
  static final int MEMORY_LEVEL = 8;

  private static final String TOKEN = "permessage-deflate";

  static Compression parse(String name, String text) {
    int colon = text.indexOf(':');
    int bits = colon < 0 ? 15 : Arguments.parse(name, text.substring(colon + 1), 9, 15);
    return switch (colon < 0 ? text : text.substring(0, colon)) {
      case "off" -> OFF;
      case "takeover" -> new Compression(true, true, bits);
      case "no-takeover" -> new Compression(true, false, bits);
      default ->
          throw new UsageException(
              name + " " + text + " is not one of off, takeover, no-takeover, or takeover:9");
    };
  }

  /**
   * The parameters that the client requests for both directions, and that the server must answer.
   */
  private List<String> parameters() {
    var parameters = Stream.<String>builder();
    if (!takeover) {
      parameters.add("server_no_context_takeover").add("client_no_context_takeover");
    }
    if (windowBits < 15) {
      parameters.add("server_max_window_bits=" + windowBits);
      parameters.add("client_max_window_bits=" + windowBits);
    }
    return parameters.build().toList();
  }

  /** Returns the value of the client's {@code Sec-WebSocket-Extensions}, empty if there is none. */
  String offer() {
    return on
        ? Stream.concat(Stream.of(TOKEN), parameters().stream()).collect(Collectors.joining("; "))
        : "";
  }

  /**
   * Fails if the server has accepted anything other than what was offered.
   *
   * @param answer the value of its {@code Sec-WebSocket-Extensions}, or null
   */
  void requireAgreed(@Nullable String answer) throws IOException {
    Set<String> expected =
        on
            ? Stream.concat(Stream.of(TOKEN), parameters().stream()).collect(Collectors.toSet())
            : Set.of();
    Set<String> agreed =
        answer == null
            ? Set.of()
            : Stream.of(answer.toLowerCase(Locale.ROOT).replaceAll("[ \t\"]", "").split(";", -1))
                .filter(parameter -> !parameter.endsWith("_max_window_bits=15")) // the default
                .collect(Collectors.toSet());
    if (!agreed.equals(expected)) {
      throw new IOException(
          "not negotiated: offered \"%s\", the server agreed to %s"
              .formatted(offer(), answer == null ? "nothing" : "\"" + answer + "\""));
    }
  }

  /** Returns the label for tables. */
  String label() {
    if (!on) {
      return "no compression";
    }
    return (takeover ? "takeover" : "no takeover")
        + (windowBits < 15 ? ", " + windowBits + " bits" : "");
  }

  @Override
  public String toString() {
    return !on
        ? "off"
        : (takeover ? "takeover" : "no-takeover") + (windowBits < 15 ? ":" + windowBits : "");
  }
}
