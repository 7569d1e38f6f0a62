package dev.windhover.server;

import java.time.Duration;

/**
 * What protects the host from its clients. Each method with an argument sets and returns this; what
 * is changed after the start of the server need not have an effect.
 *
 * <p>A socket, once accepted, is a matter of its own limits: of these only {@link
 * #maxUpgradedConnections} counts it.
 */
public final class ServerLimits {
  private int maxRequestLine = 8 * 1024; // Kestrel's MaxRequestLineSize
  private int maxHeaders = 32 * 1024; // Kestrel's MaxRequestHeadersTotalSize
  private int maxHeaderCount = 100; // Kestrel's MaxRequestHeaderCount
  private long maxBodySize = 30_000_000; // Kestrel's MaxRequestBodySize, which is IIS's
  private Duration headersTimeout = Duration.ofSeconds(30); // Kestrel's RequestHeadersTimeout
  private Duration idleTimeout = Duration.ofSeconds(130); // Kestrel's KeepAliveTimeout
  private Rate minBodyRate = new Rate(240, Duration.ofSeconds(5)); // Kestrel's …BodyDataRate
  private Rate minResponseRate = new Rate(240, Duration.ofSeconds(5)); // its …ResponseDataRate

  private Duration tlsHandshakeTimeout = Duration.ofSeconds(10); // Kestrel's HandshakeTimeout

  // Kestrel has no limit. So many, with the 64 KiB that are read ahead of each, hold 1 GiB.
  private int maxConnections = 16_384;

  // Kestrel has no limit. Linux's fs.nr_open: more files no process has unless somebody raised it.
  private int maxUpgradedConnections = 1_048_576;
  private final Http2Limits http2 = new Http2Limits();

  /** The least bytes in a second, and how long a client may fall behind. */
  record Rate(int bytesPerSecond, Duration grace) {
    boolean isOff() {
      return bytesPerSecond == 0;
    }
  }

  ServerLimits() {}

  // ---- The head of a request

  /**
   * Sets the longest request line in bytes; a longer one is answered with 414 (RFC 9112 3). 8 KiB
   * by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxRequestLine(int bytes) {
    maxRequestLine = positive("maxRequestLine", bytes);
    return this;
  }

  /** Returns the longest request line in bytes. */
  public int maxRequestLine() {
    return maxRequestLine;
  }

  /**
   * Sets the most bytes of headers, and of the trailers of a chunked body. More headers are
   * answered with 431 (RFC 6585 5), more trailers with 400. 32 KiB by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxHeaders(int bytes) {
    maxHeaders = positive("maxHeaders", bytes);
    return this;
  }

  /** Returns the most bytes of headers. */
  public int maxHeaders() {
    return maxHeaders;
  }

  /**
   * Sets the most header fields; more are answered with 431 (RFC 6585 5). 100 by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxHeaderCount(int fields) {
    maxHeaderCount = positive("maxHeaderCount", fields);
    return this;
  }

  /** Returns the most header fields. */
  public int maxHeaderCount() {
    return maxHeaderCount;
  }

  /**
   * Sets the time for a request's head, all of it: from the connection's beginning for the first
   * request, from the first byte for the next ones. What takes longer is answered with 408 (RFC
   * 9110 15.5.9). Over HTTP/2 it is from each head's first frame to its last, and what takes longer
   * ends the connection with {@code ENHANCE_YOUR_CALM}. 30 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerLimits headersTimeout(Duration timeout) {
    headersTimeout = positive("headersTimeout", timeout);
    return this;
  }

  /** Returns the time for a request's head. */
  public Duration headersTimeout() {
    return headersTimeout;
  }

  // ---- The body of a request

  /**
   * Sets the most bytes of a request's body, without the chunks' own; a handler that reads a larger
   * one fails with 413 (RFC 9110 15.5.14). {@link dev.windhover.http.HttpRequest#maxBodySize}
   * changes it for one request. 30,000,000 by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public ServerLimits maxBodySize(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("maxBodySize " + bytes + " is negative");
    }
    maxBodySize = bytes;
    return this;
  }

  /** Lets bodies be of any size. */
  public ServerLimits unlimitedBodySize() {
    return maxBodySize(Long.MAX_VALUE);
  }

  /** Returns the most bytes of a request's body. */
  public long maxBodySize() {
    return maxBodySize;
  }

  /**
   * Sets how fast a body must come while the handler waits for it: a client that has fallen behind
   * by {@code grace} is answered with 408 (RFC 9110 15.5.9). The time in which the handler does
   * something else does not count, and having been fast before does not either. 240 bytes in a
   * second and 5 s by default.
   *
   * @param bytesPerSecond 0 for no such limit
   * @throws IllegalArgumentException if the rate is negative or the grace not positive
   */
  public ServerLimits minBodyRate(int bytesPerSecond, Duration grace) {
    minBodyRate = rate("minBodyRate", bytesPerSecond, grace);
    return this;
  }

  Rate minBodyRate() {
    return minBodyRate;
  }

  // ---- The response

  /**
   * Sets how fast a client must take a response while there is something for it to take: the
   * connection of one that has fallen behind by {@code grace} is reset. What the system's buffers
   * take at once, a client is given time for, up to 16 KiB: 68 s at the default rate. 240 bytes in
   * a second and 5 s by default.
   *
   * @param bytesPerSecond 0 for no such limit
   * @throws IllegalArgumentException if the rate is negative or the grace not positive
   */
  public ServerLimits minResponseRate(int bytesPerSecond, Duration grace) {
    minResponseRate = rate("minResponseRate", bytesPerSecond, grace);
    return this;
  }

  Rate minResponseRate() {
    return minResponseRate;
  }

  // ---- Connections

  /**
   * Sets the time for the handshake of TLS, all of it, from the connection's beginning; what takes
   * longer is closed. 10 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerLimits tlsHandshakeTimeout(Duration timeout) {
    tlsHandshakeTimeout = positive("tlsHandshakeTimeout", timeout);
    return this;
  }

  /** Returns the time for the handshake of TLS. */
  public Duration tlsHandshakeTimeout() {
    return tlsHandshakeTimeout;
  }

  /**
   * Sets how long a connection may stay without a request after one was answered; then it is
   * closed, in order and without an answer (RFC 9112 9.5). 130 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerLimits idleTimeout(Duration timeout) {
    idleTimeout = positive("idleTimeout", timeout);
    return this;
  }

  /** Returns how long a connection may stay without a request. */
  public Duration idleTimeout() {
    return idleTimeout;
  }

  /**
   * Sets the most connections at a time that are not upgraded; one more is closed before anything
   * is read. 16,384 by default. Each needs a file descriptor, as does each that is upgraded; where
   * the process may have no more of them, clients wait, and a line in the log says so each second.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxConnections(int connections) {
    maxConnections = positive("maxConnections", connections);
    return this;
  }

  /** Returns the most connections that are not upgraded. */
  public int maxConnections() {
    return maxConnections;
  }

  /**
   * Sets the most upgraded connections, which are WebSockets, at a time; a request for one more is
   * answered with 503 and {@code Retry-After}. 1,048,576 by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public ServerLimits maxUpgradedConnections(int connections) {
    if (connections < 0) {
      throw new IllegalArgumentException("maxUpgradedConnections " + connections + " is negative");
    }
    maxUpgradedConnections = connections;
    return this;
  }

  /** Returns the most upgraded connections. */
  public int maxUpgradedConnections() {
    return maxUpgradedConnections;
  }

  // ---- HTTP/2

  /** Returns the limits that only connections of HTTP/2 have, which may be changed. */
  public Http2Limits http2() {
    return http2;
  }

  // ---- Ranges

  private static int positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " " + value + " is not positive");
    }
    return value;
  }

  private static Duration positive(String name, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(name + " " + value + " is not positive");
    }
    return value;
  }

  private static Rate rate(String name, int bytesPerSecond, Duration grace) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException(name + " " + bytesPerSecond + " is negative");
    }
    return new Rate(bytesPerSecond, positive(name + "'s grace", grace));
  }
}
