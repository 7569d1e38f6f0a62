package dev.windhover.server;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rules of RFC 9112 for the head of a request that the decoder does not enforce. {@code
 * docs/http.md} lists all answers.
 */
final class Http1Rules {
  /** The fault of a request; the connection is closed after the answer. */
  record Fault(int status, String text) {}

  private Http1Rules() {}

  /** Returns the fault, or null. */
  static @Nullable Fault check(HttpRequest request, ServerLimits limits) {
    // 2.3
    HttpVersion version = request.protocolVersion();
    if (version.majorVersion() != 1 || version.minorVersion() > 1) {
      return new Fault(505, version + " is not supported\n");
    }
    // RFC 6585 5
    int fields = request.headers().size();
    if (fields > limits.maxHeaderCount()) {
      return new Fault(431, fields + " headers are more than " + limits.maxHeaderCount() + "\n");
    }
    // 3.2
    boolean http10 = version.minorVersion() == 0;
    List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
    if (hosts.size() > 1 || (hosts.isEmpty() && !http10)) {
      return new Fault(400, hosts.isEmpty() ? "Host is missing\n" : "Host comes more than once\n");
    }
    if (!hosts.isEmpty() && !isHost(hosts.getFirst())) {
      return new Fault(400, "Host is malformed\n");
    }
    // 3.2.2; the application parses the rest of the target
    if (!isHost(authority(request.uri()))) {
      return new Fault(400, "malformed request target\n");
    }
    // RFC 9110 7.4
    if (request.uri().regionMatches(true, 0, "https://", 0, 8)) {
      return new Fault(421, "https is not served on this connection\n");
    }
    // 3.2.4
    if (request.uri().equals("*") && !request.method().name().equals("OPTIONS")) {
      return new Fault(400, "malformed request target\n");
    }
    // 6.1; whatever the decoder accepts ends in chunked
    for (String codings : request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING)) {
      if (!codings.strip().equalsIgnoreCase("chunked")) {
        return new Fault(501, "Transfer-Encoding is not supported beyond chunked\n");
      }
    }
    // RFC 9110 9.3.6
    if (request.method().equals(HttpMethod.CONNECT)) {
      return new Fault(501, "CONNECT is not supported\n");
    }
    return null;
  }

  /** Returns the authority of an absolute-form target; empty for the other forms. */
  private static String authority(String target) {
    int start = target.startsWith("/") ? -1 : target.indexOf("://");
    if (start < 0) {
      return "";
    }
    int end = start + 3;
    while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
      end++;
    }
    return target.substring(start + 3, end);
  }

  /**
   * Returns whether this is {@code uri-host [":" port]} (RFC 9110 7.2), or nothing. Of an address
   * in brackets, only the characters are checked.
   */
  static boolean isHost(String host) {
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
