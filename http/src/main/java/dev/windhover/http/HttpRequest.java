package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import java.io.InputStream;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The client's request. Only one thread may use it at a time. */
public final class HttpRequest {
  private final Exchange exchange;
  private final RequestTarget target;
  private final Map<String, String> pathParameters;
  private @Nullable Query query;
  private @Nullable String scheme;
  private @Nullable String host;

  HttpRequest(Exchange exchange, RequestTarget target, Map<String, String> pathParameters) {
    this.exchange = exchange;
    this.target = target;
    this.pathParameters = pathParameters;
  }

  /** Returns the method as it was sent; methods are case-sensitive (RFC 9110 9.1). */
  public String method() {
    return exchange.method();
  }

  /** Returns the target as it was sent: path and query, still encoded. */
  public String target() {
    return exchange.target();
  }

  /**
   * Returns the target as it was sent, without its query, which may hold secrets such as access
   * tokens and names.
   */
  public String targetWithoutQuery() {
    String target = target();
    int question = target.indexOf('?');
    return question < 0 ? target : target.substring(0, question);
  }

  /**
   * Returns the decoded path, without dot segments. It begins with {@code /}, or is {@code *}. An
   * encoded slash stays {@code %2F}, because it belongs to its segment. A percent sign before
   * {@code 2F} or {@code 25} stays {@code %25}, so that paths that differ never look the same.
   */
  public String path() {
    return target.path();
  }

  /**
   * Returns the value of {@code {name}} or {@code {*name}} in the route's path. The value of {@code
   * {name}} is one segment, decoded: if the client has encoded a slash, it contains a slash, so do
   * not take it for the name of a file. The value of {@code {*name}} is in the form of {@link
   * #path}.
   *
   * @throws IllegalArgumentException if the route has no such parameter
   */
  public String pathParameter(String name) {
    String value = pathParameters.get(Objects.requireNonNull(name, "name"));
    if (value == null) {
      throw new IllegalArgumentException("the route has no path parameter {" + name + "}");
    }
    return value;
  }

  /**
   * Returns the query's parameters.
   *
   * @throws HttpException 400 if the query is malformed
   */
  public Query query() {
    Query parsed = query;
    if (parsed == null) {
      try {
        parsed = Query.parse(target.query());
      } catch (IllegalArgumentException e) {
        throw new HttpException(400, "malformed percent-encoding in the query");
      }
      query = parsed;
    }
    return parsed;
  }

  /** Returns {@code http} or {@code https}. */
  public String scheme() {
    return scheme == null ? exchange.scheme() : scheme;
  }

  /**
   * Sets the scheme that the client used, which middleware knows from a proxy.
   *
   * @throws IllegalArgumentException if it is neither {@code http} nor {@code https}
   */
  public HttpRequest scheme(String scheme) {
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw new IllegalArgumentException("scheme \"" + scheme + "\" is neither http nor https");
    }
    this.scheme = scheme;
    return this;
  }

  /**
   * Returns the host, and port if any, that the client named; empty if it named none. A host in the
   * target takes precedence over the header (RFC 9112 3.2.2).
   */
  public String host() {
    if (host != null) {
      return host;
    }
    if (target.authority() != null) {
      return target.authority();
    }
    String header = exchange.headers().get("Host");
    return header == null ? "" : header;
  }

  /** Sets the host, and port if any, that the client named, which middleware knows from a proxy. */
  public HttpRequest host(String host) {
    this.host = Objects.requireNonNull(host, "host");
    return this;
  }

  /** Returns the HTTP version of the request. */
  public HttpVersion version() {
    return exchange.version();
  }

  /** Returns the headers. */
  public Headers headers() {
    return exchange.headers();
  }

  /**
   * Returns the body; it is empty after a socket was accepted. Reading blocks, so on a connection's
   * loop it throws {@link IllegalStateException}.
   */
  public InputStream body() {
    return exchange.body();
  }

  /**
   * Limits the body of this request alone, in bytes, in place of the host's limit (30,000,000 by
   * default). Reading more fails with {@link HttpException} 413. {@link Long#MAX_VALUE} means no
   * limit.
   *
   * @throws IllegalArgumentException if {@code bytes} is negative
   * @throws IllegalStateException if reading has begun
   */
  public HttpRequest maxBodySize(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("maxBodySize " + bytes + " is negative");
    }
    exchange.maxBodySize(bytes);
    return this;
  }

  /** Returns the limit of the body in bytes. */
  public long maxBodySize() {
    return exchange.maxBodySize();
  }

  /**
   * Returns the trailer fields that followed the body (RFC 9110 6.5), which are never among the
   * {@link #headers()}. It is empty if there were none, and until the body was read to its end.
   */
  public Headers trailers() {
    return exchange.trailers();
  }
}
