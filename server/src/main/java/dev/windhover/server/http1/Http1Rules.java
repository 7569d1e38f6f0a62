package dev.windhover.server.http1;

import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.RequestFault;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rules of RFC 9112 for the head of a request, as far as the decoder does not enforce them.
 * {@code docs/http.md} lists all answers.
 */
final class Http1Rules {
  static final RequestFault MALFORMED = new RequestFault(400, "malformed request\n");

  private Http1Rules() {}

  /** Returns the fault of what was decoded, or null. */
  static @Nullable RequestFault check(HttpRequest request, ServerLimits limits) {
    if (request.decoderResult().isFailure()) {
      return faultOf(request.decoderResult().cause(), limits);
    }
    // 2.3
    HttpVersion version = request.protocolVersion();
    if (version.majorVersion() != 1 || version.minorVersion() > 1) {
      return new RequestFault(505, version + " is not supported\n");
    }
    int fields = request.headers().size();
    if (fields > limits.maxHeaderCount()) {
      return RequestFault.tooManyHeaders(fields, limits);
    }
    // 3.2
    boolean http10 = version.minorVersion() == 0;
    List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
    if (hosts.size() > 1 || (hosts.isEmpty() && !http10)) {
      return hosts.isEmpty()
          ? RequestFault.NO_HOST
          : new RequestFault(400, "Host comes more than once\n");
    }
    if (!hosts.isEmpty() && !RequestFault.isHost(hosts.getFirst())) {
      return new RequestFault(400, "Host is malformed\n");
    }
    // 3.2.2; the application parses the rest of the target
    if (!RequestFault.isHost(authority(request.uri()))) {
      return new RequestFault(400, "malformed request target\n");
    }
    // RFC 9110 7.4
    if (request.uri().regionMatches(true, 0, "https://", 0, 8)) {
      return new RequestFault(421, "https is not served on this connection\n");
    }
    // 3.2.4
    if (request.uri().equals("*") && !request.method().name().equals("OPTIONS")) {
      return new RequestFault(400, "malformed request target\n");
    }
    // 6.1; whatever the decoder accepts ends in chunked
    for (String codings : request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING)) {
      if (!codings.strip().equalsIgnoreCase("chunked")) {
        return new RequestFault(501, "Transfer-Encoding is not supported beyond chunked\n");
      }
    }
    if (request.method().equals(HttpMethod.CONNECT)) {
      return RequestFault.CONNECT;
    }
    return null;
  }

  private static RequestFault faultOf(Throwable cause, ServerLimits limits) {
    return switch (cause) {
      case TooLongHttpLineException _ ->
          new RequestFault(
              414, "request line is longer than " + limits.maxRequestLine() + " bytes\n");
      case TooLongFrameException _ -> RequestFault.headersTooLarge(limits);
      default -> MALFORMED;
    };
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
}
