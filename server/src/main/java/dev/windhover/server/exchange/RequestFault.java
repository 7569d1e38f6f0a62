package dev.windhover.server.exchange;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Sink;
import dev.windhover.server.ServerLimits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A fault in the head of a request, which is answered without a handler. Here are the faults that
 * all versions of HTTP share.
 *
 * @param status the status of the answer
 * @param text the body of the answer
 */
public record RequestFault(int status, String text) {
  /** RFC 9110 9.3.6. */
  public static final RequestFault CONNECT = new RequestFault(501, "CONNECT is not supported\n");

  /** RFC 9110 7.2. */
  public static final RequestFault NO_HOST = new RequestFault(400, "Host is missing\n");

  /** Answers the exchange with this, and with {@code headers} in addition. */
  public void answer(Exchange exchange, Headers headers) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    headers.set("Content-Type", "text/plain; charset=utf-8");
    Sink sink = exchange.respond(status, headers, bytes.length);
    if (!exchange.method().equals("HEAD")) {
      sink.write(ByteBuffer.wrap(bytes));
    }
    sink.end();
  }

  /** RFC 6585 5. */
  public static RequestFault headersTooLarge(ServerLimits limits) {
    return new RequestFault(431, "headers are larger than " + limits.maxHeaders() + " bytes\n");
  }

  /** RFC 6585 5. */
  public static RequestFault tooManyHeaders(int fields, ServerLimits limits) {
    String text = fields + " headers are more than " + limits.maxHeaderCount() + "\n";
    return new RequestFault(431, text);
  }

  /**
   * Returns whether this is {@code uri-host [":" port]} (RFC 9110 7.2), or nothing. Of an address
   * in brackets, only the characters are checked.
   */
  public static boolean isHost(String host) {
    int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
    String name = end < 0 ? host : host.substring(0, end);
    String port = host.substring(name.length());
    if (host.startsWith("[")) {
      boolean isAddress = name.length() > 2 && name.indexOf(':') > 0;
      return isAddress && isPort(port) && all(name.substring(1, name.length() - 1), ".:");
    }
    return isPort(port) && all(name, "-._~%!$&'()*+;="); // a comma would separate two hosts
  }

  private static boolean isPort(String port) {
    if (port.isEmpty()) {
      return true;
    }
    return port.length() <= 6 && port.charAt(0) == ':' && allDigits(port, 1);
  }

  // Plain loops: every request passes through here.

  private static boolean allDigits(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  private static boolean all(String text, String others) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean letterOrDigit =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letterOrDigit && others.indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }
}
