package dev.windhover.server.http2;

import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Exception.streamError;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Tokens;
import dev.windhover.server.AddressOptions;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.RareLine;
import dev.windhover.server.exchange.RequestFault;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Headers.PseudoHeaderName;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The head of an HTTP/2 request (RFC 9113 8.3), in the form that is common to all versions: {@code
 * :authority} becomes {@code Host}, and the pieces of {@code Cookie} become one.
 *
 * @param scheme {@code http} or {@code https}
 * @param target path and query, or {@code *}; the authority in a plain CONNECT
 * @param protocol the protocol of an extended CONNECT (RFC 8441 4), or null
 * @param fault the answer, if the request is refused without a handler; or null
 */
public record Http2Request(
    String method,
    String scheme,
    String target,
    Headers headers,
    @Nullable String protocol,
    @Nullable RequestFault fault) {
  private static final Logger log = Loggers.get(Http2Request.class);

  /** Kestrel's limit for method, scheme, host and path together. */
  private static final int MOST_IN_LINE = 8 * 1024;

  /** The size of a field in addition to its name and value (RFC 9113 6.5.2). */
  private static final int FIELD = 32;

  /**
   * The rules for requests of the address that they came on.
   *
   * @param otherScheme tells the operator that requests have the other scheme
   */
  public record Rules(
      String scheme, AddressOptions address, ServerLimits limits, RareLine otherScheme) {
    /** Creates the rules of one address. */
    public Rules(String scheme, AddressOptions address, ServerLimits limits) {
      this(scheme, address, limits, new RareLine());
    }

    /** Returns whether a request may have this {@code :scheme}. */
    boolean takes(String said) {
      return said.equals(scheme)
          || (address.alternateSchemes() && (said.equals("http") || said.equals("https")));
    }

    /** Returns why a request does not have this {@code :scheme}; logs what would allow it. */
    String refusal(String said) {
      if (!said.equals("http") && !said.equals("https")) {
        return ":scheme is not ours";
      }
      String why =
          ":scheme " + said + " on an " + scheme + " address needs AddressOptions.alternateSchemes";
      if (otherScheme.isDue()) {
        log.info("requests over HTTP/2 are refused: {}", why);
      }
      return why;
    }
  }

  /**
   * Returns what the fields of HEADERS say.
   *
   * @throws Http2Exception if they are malformed, which is an error of the stream (RFC 9113 8.1.1);
   *     the header decoder has already refused other faults
   */
  static Http2Request of(int stream, Http2Headers fields, Rules rules) throws Http2Exception {
    String method = text(fields.method());
    CharSequence protocol = fields.get(PseudoHeaderName.PROTOCOL.value());
    boolean connect = method.equals("CONNECT");
    require(stream, Tokens.isToken(method), ":method is not a token"); // RFC 9110 9.1
    require(stream, protocol == null || connect, ":protocol without CONNECT");
    require(
        stream, protocol == null || rules.address().extendedConnect(), ":protocol was not offered");
    boolean plainConnect = connect && protocol == null;
    if (plainConnect) {
      require(stream, fields.scheme() == null && fields.path() == null, "CONNECT with a path");
    } else {
      String scheme = text(fields.scheme());
      if (!rules.takes(scheme)) {
        throw streamError(stream, PROTOCOL_ERROR, "%s", rules.refusal(scheme));
      }
    }
    String path = text(fields.path());
    boolean asterisk = path.equals("*") && method.equals("OPTIONS");
    require(stream, plainConnect || asterisk || path.startsWith("/"), ":path is malformed");
    Headers headers = headers(stream, fields);
    String host = headers.get("Host");
    require(stream, host == null || RequestFault.isHost(host), "the host is malformed");
    int line = method.length() + path.length() + (host == null ? 0 : host.length());
    require(
        stream,
        line + text(fields.scheme()).length() <= MOST_IN_LINE,
        "the request line is too long");
    return new Http2Request(
        method,
        plainConnect ? rules.scheme() : text(fields.scheme()),
        plainConnect ? text(fields.authority()) : path,
        headers,
        protocol == null ? null : protocol.toString(),
        fault(fields, headers, plainConnect, protocol, rules.limits()));
  }

  private static @Nullable RequestFault fault(
      Http2Headers fields,
      Headers headers,
      boolean plainConnect,
      @Nullable CharSequence protocol,
      ServerLimits limits) {
    if (size(fields) > limits.maxHeaders()) {
      return RequestFault.headersTooLarge(limits);
    }
    if (headers.size() > limits.maxHeaderCount()) {
      return RequestFault.tooManyHeaders(headers.size(), limits);
    }
    if (plainConnect) {
      return RequestFault.CONNECT;
    }
    // RFC 9110 7.8: the names of protocols have no case; RFC 9220 3
    if (protocol != null && !protocol.toString().equalsIgnoreCase("websocket")) {
      return new RequestFault(501, ":protocol is not supported beyond websocket\n");
    }
    return headers.contains("Host") ? null : RequestFault.NO_HOST;
  }

  /** Returns the size of a header list as RFC 9113 6.5.2 counts it. */
  static long size(Http2Headers fields) {
    long size = 0;
    for (Map.Entry<CharSequence, CharSequence> field : fields) {
      size += FIELD + field.getKey().length() + field.getValue().length();
    }
    return size;
  }

  private static Headers headers(int stream, Http2Headers fields) throws Http2Exception {
    Headers headers = new Headers();
    StringBuilder cookie = new StringBuilder();
    int hosts = 0;
    try {
      if (fields.authority() != null) {
        headers.add("Host", text(fields.authority()));
      }
      for (Map.Entry<CharSequence, CharSequence> field : fields) {
        requireNoSpaceAfter(stream, field.getValue());
        String name = field.getKey().toString();
        String value = field.getValue().toString();
        if (name.equals("host")) {
          hosts++;
          if (fields.authority() == null) {
            headers.add("Host", value);
          } // else RFC 9113 8.3.1: the authority replaces it
        } else if (name.equals("cookie")) { // RFC 9113 8.2.3
          cookie.append(cookie.isEmpty() ? "" : "; ").append(value);
        } else if (!name.startsWith(":")) {
          headers.add(name, value);
        }
      }
      if (!cookie.isEmpty()) {
        headers.add("cookie", cookie.toString());
      }
    } catch (IllegalArgumentException e) {
      throw streamError(stream, PROTOCOL_ERROR, "%s", Objects.requireNonNull(e.getMessage()));
    }
    require(stream, hosts <= 1, "Host comes more than once");
    return headers;
  }

  /** RFC 9113 8.2.1. Netty itself refuses white space before a value. */
  static void requireNoSpaceAfter(int stream, CharSequence value) throws Http2Exception {
    int last = value.length() - 1;
    boolean space = last >= 0 && (value.charAt(last) == ' ' || value.charAt(last) == '\t');
    require(stream, !space, "a value ends with white space");
  }

  private static String text(@Nullable CharSequence value) {
    return value == null ? "" : value.toString();
  }

  private static void require(int stream, boolean holds, String otherwise) throws Http2Exception {
    if (!holds) {
      throw streamError(stream, PROTOCOL_ERROR, "%s", otherwise);
    }
  }
}
