package dev.windhover.samples.conformance;

import dev.windhover.http.HttpException;
import dev.windhover.http.Query;
import dev.windhover.http.websocket.SubprotocolSelector;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.CloseCode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The settings that a tester requests in the query.
 *
 * @param api the form in which messages are echoed
 * @param accept the settings of the socket
 * @param noRead whether the socket is accepted and never read
 * @param close the status with which to close immediately, or null
 */
record Settings(Api api, WebSocketAcceptContext accept, boolean noRead, @Nullable Integer close) {
  private static final long MAX_MESSAGE = 64 << 20;
  private static final String TOKEN = "[\\w!#$%&'*+.^`|~-]+"; // RFC 9110 5.6.2
  private static final Set<String> KNOWN =
      new TreeSet<>(
          Set.of(
              "api",
              "close",
              "compression",
              "keep_alive_interval",
              "keep_alive_timeout",
              "max_message",
              "no_read",
              "server_max_window_bits",
              "server_no_context_takeover",
              "subprotocols"));

  enum Api {
    BLOCKING,
    LISTENER
  }

  /**
   * Reads {@code query}.
   *
   * @throws HttpException 400 if a setting is unknown, repeated or malformed
   */
  static Settings of(Query query) {
    Api api = Api.BLOCKING;
    WebSocketAcceptContext accept =
        new WebSocketAcceptContext().maxMessageSize(MAX_MESSAGE).dangerousEnableCompression(true);
    boolean noRead = false;
    Integer close = null;
    Set<String> seen = new TreeSet<>();
    for (Map.Entry<String, String> setting : query.parameters()) {
      String name = setting.getKey();
      String value = setting.getValue();
      if (!seen.add(name)) {
        throw bad(name + " is set more than once");
      }
      switch (name) {
        case "api" -> api = api(value);
        case "close" -> close = closeCode(value);
        case "compression" -> accept.dangerousEnableCompression(onOrOff(name, value));
        case "keep_alive_interval" -> accept.keepAliveInterval(millis(name, value));
        case "keep_alive_timeout" -> accept.keepAliveTimeout(millis(name, value));
        case "max_message" -> accept.maxMessageSize(number(name, value, 1));
        case "no_read" -> noRead = bool(name, value);
        case "server_max_window_bits" -> accept.serverMaxWindowBits(windowBits(name, value));
        case "server_no_context_takeover" -> accept.disableServerContextTakeover(bool(name, value));
        case "subprotocols" -> accept.subprotocolSelector(subprotocols(value));
        default ->
            throw bad(
                "unknown setting \"%s\"; known are %s".formatted(name, String.join(", ", KNOWN)));
      }
    }
    return new Settings(api, accept, noRead, close);
  }

  private static Api api(String value) {
    return switch (value) {
      case "blocking" -> Api.BLOCKING;
      case "listener" -> Api.LISTENER;
      default -> throw bad("api=" + value + " is neither blocking nor listener");
    };
  }

  private static int closeCode(String value) {
    long code = number("close", value, 0);
    if (code > 4999 || !CloseCode.isAllowedInFrame((int) code)) {
      throw bad("close=" + value + " may not be sent; use 1000-1003, 1007-1014 or 3000-4999");
    }
    return (int) code;
  }

  private static boolean bool(String name, String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default -> throw bad(name + "=" + value + " is neither true nor false");
    };
  }

  private static boolean onOrOff(String name, String value) {
    return switch (value) {
      case "on" -> true;
      case "off" -> false;
      default -> throw bad(name + "=" + value + " is neither on nor off");
    };
  }

  private static int windowBits(String name, String value) {
    if (!value.matches("9|1[0-5]")) {
      throw bad(name + "=" + value + " is not a number from 9 to 15");
    }
    return Integer.parseInt(value);
  }

  private static Duration millis(String name, String value) {
    return Duration.ofMillis(number(name, value, 0));
  }

  private static SubprotocolSelector subprotocols(String value) {
    List<String> ours = List.of(value.split(",", -1));
    for (String subprotocol : ours) {
      if (!subprotocol.matches(TOKEN)) {
        throw bad("subprotocols=" + value + " is not a list of names separated by commas");
      }
    }
    return SubprotocolSelector.serverPreference(ours.toArray(String[]::new));
  }

  /** Nine digits are enough for the bytes of a message and for eleven days in milliseconds. */
  private static long number(String name, String value, long least) {
    if (!value.matches("[0-9]{1,9}") || Long.parseLong(value) < least) {
      throw bad("%s=%s is not a number from %d to 999999999".formatted(name, value, least));
    }
    return Long.parseLong(value);
  }

  private static HttpException bad(String text) {
    return new HttpException(400, text.replaceAll("\\p{Cntrl}", "?")); // keeps it on one line
  }
}
