package dev.windhover.server;

import dev.windhover.http.host.MemoryBudget;
import io.netty.util.internal.PlatformDependent;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The limits that protect the host from its clients. A method with an argument sets a value and
 * returns this. Changes after the start of the server may have no effect.
 *
 * <p>An accepted socket has limits of its own; of these, only {@link #maxUpgradedConnections} and
 * {@link #maxUpgradedConnectionsPerAddress} apply to it.
 */
public final class ServerLimits {
  private int maxRequestLine = 8 * 1024; // Kestrel's MaxRequestLineSize
  private int maxHeaders = 32 * 1024; // Kestrel's MaxRequestHeadersTotalSize
  private int maxHeaderCount = 100; // Kestrel's MaxRequestHeaderCount
  private long maxBodySize = 30_000_000; // Kestrel's MaxRequestBodySize, taken from IIS
  private Duration headersTimeout = Duration.ofSeconds(30); // Kestrel's RequestHeadersTimeout
  private Duration idleTimeout = Duration.ofSeconds(130); // Kestrel's KeepAliveTimeout
  private Rate minBodyRate = new Rate(240, Duration.ofSeconds(5)); // Kestrel's …BodyDataRate
  private Rate minResponseRate = new Rate(240, Duration.ofSeconds(5)); // its …ResponseDataRate

  private Duration tlsHandshakeTimeout = Duration.ofSeconds(10); // Kestrel's HandshakeTimeout

  // Kestrel has no limit. With 64 KiB of read-ahead each, this many connections hold 1 GiB.
  private int maxConnections = 16_384;

  // Kestrel has no limit. This is Linux's fs.nr_open, the most files of a process unless it was
  // raised.
  private int maxUpgradedConnections = 1_048_576;

  // Null for a quarter of all, so that it takes four addresses to fill a server. (Many clients of
  // one network may share an address, so this is no smaller.)
  private @Nullable Integer maxConnectionsPerAddress;
  private @Nullable Integer maxUpgradedConnectionsPerAddress;
  private Predicate<InetAddress> exemptAddresses = ServerLimits::isLocal;

  private final Http2Limits http2 = new Http2Limits();

  // What a garbage collector needs to work well is as much again; the rest is the application's.
  private long memory = MemoryBudget.defaultLimit();
  private long directMemory = PlatformDependent.maxDirectMemory() / 3;

  /**
   * A minimum rate.
   *
   * @param bytesPerSecond 0 for no such limit
   * @param grace how long a client may fall behind
   */
  public record Rate(int bytesPerSecond, Duration grace) {
    /** Returns whether there is no such limit. */
    public boolean isOff() {
      return bytesPerSecond == 0;
    }
  }

  ServerLimits() {}

  // ---- The head of a request

  /**
   * Limits the request line in bytes; a longer one is answered with 414 (RFC 9112 3). 8 KiB by
   * default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxRequestLine(int bytes) {
    maxRequestLine = Ranges.positive("maxRequestLine", bytes);
    return this;
  }

  /** Returns the limit of the request line in bytes. */
  public int maxRequestLine() {
    return maxRequestLine;
  }

  /**
   * Limits the headers in bytes, and the trailers of a chunked body separately. More headers are
   * answered with 431 (RFC 6585 5), more trailers with 400. 32 KiB by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxHeaders(int bytes) {
    maxHeaders = Ranges.positive("maxHeaders", bytes);
    return this;
  }

  /** Returns the limit of the headers in bytes. */
  public int maxHeaders() {
    return maxHeaders;
  }

  /**
   * Limits the number of header fields; more are answered with 431 (RFC 6585 5). 100 by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxHeaderCount(int fields) {
    maxHeaderCount = Ranges.positive("maxHeaderCount", fields);
    return this;
  }

  /** Returns the maximum number of header fields. */
  public int maxHeaderCount() {
    return maxHeaderCount;
  }

  /**
   * Limits the time for the whole head of a request. It starts with the connection for the first
   * request, and with the first byte for later ones. A head that takes longer is answered with 408
   * (RFC 9110 15.5.9). Over HTTP/2, the time runs from the first frame of a head to its last, and a
   * head that takes longer ends the connection with {@code ENHANCE_YOUR_CALM}. 30 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerLimits headersTimeout(Duration timeout) {
    headersTimeout = Ranges.positive("headersTimeout", timeout);
    return this;
  }

  /** Returns the time limit for the head of a request. */
  public Duration headersTimeout() {
    return headersTimeout;
  }

  // ---- The body of a request

  /**
   * Limits the body of a request in bytes, without chunk framing. A handler that reads a larger
   * body fails with 413 (RFC 9110 15.5.14). {@link dev.windhover.http.HttpRequest#maxBodySize}
   * changes the limit for one request. 30,000,000 by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public ServerLimits maxBodySize(long bytes) {
    maxBodySize = Ranges.notNegative("maxBodySize", bytes);
    return this;
  }

  /** Allows bodies of any size. */
  public ServerLimits unlimitedBodySize() {
    return maxBodySize(Long.MAX_VALUE);
  }

  /** Returns the limit of a request's body in bytes. */
  public long maxBodySize() {
    return maxBodySize;
  }

  /**
   * Sets how fast a body must come while the handler waits for it. A client that has fallen behind
   * by {@code grace} is answered with 408 (RFC 9110 15.5.9). Time in which the handler does
   * something else does not count, nor does earlier speed. 240 bytes per second and 5 s by default.
   *
   * @param bytesPerSecond 0 for no such limit
   * @throws IllegalArgumentException if the rate is negative or the grace not positive
   */
  public ServerLimits minBodyRate(int bytesPerSecond, Duration grace) {
    minBodyRate = rate("minBodyRate", bytesPerSecond, grace);
    return this;
  }

  /** Returns how fast a body must come. */
  public Rate minBodyRate() {
    return minBodyRate;
  }

  // ---- The response

  /**
   * Sets how fast a client must take a response while there is something to take: how fast its side
   * acknowledges it. The connection of a client that has fallen behind by {@code grace} is reset;
   * over HTTP/2, a stream whose window stays closed is reset alone. For bytes that were
   * acknowledged at once, up to 16 KiB, the client gets the time that they need at this rate: 68 s
   * by default. Where the system does not tell what was acknowledged ({@link Transport#NIO}), it
   * gets that time for as many bytes as {@linkplain ServerOptions#sendBuffer the send buffer}
   * holds. A client is looked at once in each {@code grace}, so it may take up to two of them
   * longer. 240 bytes per second and 5 s by default.
   *
   * @param bytesPerSecond 0 for no such limit
   * @throws IllegalArgumentException if the rate is negative or the grace not positive
   */
  public ServerLimits minResponseRate(int bytesPerSecond, Duration grace) {
    minResponseRate = rate("minResponseRate", bytesPerSecond, grace);
    return this;
  }

  /** Returns how fast a client must take a response. */
  public Rate minResponseRate() {
    return minResponseRate;
  }

  // ---- Connections

  /**
   * Limits the time for the whole TLS handshake, from the start of the connection. A connection
   * that takes longer is closed. 10 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerLimits tlsHandshakeTimeout(Duration timeout) {
    tlsHandshakeTimeout = Ranges.positive("tlsHandshakeTimeout", timeout);
    return this;
  }

  /** Returns the time limit for the TLS handshake. */
  public Duration tlsHandshakeTimeout() {
    return tlsHandshakeTimeout;
  }

  /**
   * Limits how long a connection may stay idle after a request was answered. After that, it is
   * closed cleanly and without a response (RFC 9112 9.5). 130 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public ServerLimits idleTimeout(Duration timeout) {
    idleTimeout = Ranges.positive("idleTimeout", timeout);
    return this;
  }

  /** Returns how long a connection may stay idle. */
  public Duration idleTimeout() {
    return idleTimeout;
  }

  /**
   * Limits the number of open connections that are not upgraded. For another one, the oldest
   * connection that has not sent a request yet is closed; if every connection has sent one, the new
   * one is closed before anything is read. 16,384 by default. Every connection, upgraded or not,
   * needs a file descriptor. If the process has no more of them, clients wait, and one log line a
   * second says so.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxConnections(int connections) {
    maxConnections = Ranges.positive("maxConnections", connections);
    return this;
  }

  /** Returns the maximum number of connections that are not upgraded. */
  public int maxConnections() {
    return maxConnections;
  }

  /**
   * Limits the number of open upgraded connections, which are WebSockets; a request for another one
   * is answered with 503 and {@code Retry-After}. 1,048,576 by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public ServerLimits maxUpgradedConnections(int connections) {
    maxUpgradedConnections = Ranges.notNegative("maxUpgradedConnections", connections);
    return this;
  }

  /** Returns the maximum number of upgraded connections. */
  public int maxUpgradedConnections() {
    return maxUpgradedConnections;
  }

  /**
   * Limits how many of {@link #maxConnections} one remote address may have open; another one is
   * closed before anything is read. Behind a proxy that {@code ForwardedHeaders} knows, the limit
   * applies to the client's address and to its requests in progress; another one is answered with
   * 503 and {@code Retry-After}. An IPv6 address counts together with all others of its /64
   * network, which is the least that one customer gets (RFC 6177). A quarter of {@link
   * #maxConnections} by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits maxConnectionsPerAddress(int connections) {
    maxConnectionsPerAddress = Ranges.positive("maxConnectionsPerAddress", connections);
    return this;
  }

  /** Returns how many connections that are not upgraded one remote address may have open. */
  public int maxConnectionsPerAddress() {
    return maxConnectionsPerAddress == null
        ? Math.max(1, maxConnections / 4)
        : maxConnectionsPerAddress;
  }

  /**
   * Limits how many of {@link #maxUpgradedConnections} one remote address may have open; a request
   * for another one is answered with 503 and {@code Retry-After}. Behind a known proxy, the
   * client's address counts. A quarter of {@link #maxUpgradedConnections} by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public ServerLimits maxUpgradedConnectionsPerAddress(int connections) {
    maxUpgradedConnectionsPerAddress =
        Ranges.notNegative("maxUpgradedConnectionsPerAddress", connections);
    return this;
  }

  /** Returns how many upgraded connections one remote address may have open. */
  public int maxUpgradedConnectionsPerAddress() {
    return maxUpgradedConnectionsPerAddress == null
        ? Math.ceilDiv(maxUpgradedConnections, 4)
        : maxUpgradedConnectionsPerAddress;
  }

  /**
   * Exempts these addresses from both limits per address, instead of those that are exempt by
   * default: loopback, link-local and private ones (RFC 1918, RFC 4193), which are often those of
   * proxies and monitors. The proxies that {@code ForwardedHeaders} knows are exempt in addition,
   * if that step was added to the {@code WebApplication} itself.
   *
   * @param exempt called for every new connection on its event loop, so it must not block
   */
  public ServerLimits exemptAddresses(Predicate<InetAddress> exempt) {
    exemptAddresses = Objects.requireNonNull(exempt, "exempt");
    return this;
  }

  /** Returns which addresses are exempt from the limits per address. */
  public Predicate<InetAddress> exemptAddresses() {
    return exemptAddresses;
  }

  private static boolean isLocal(InetAddress address) {
    boolean isUniqueLocal =
        address instanceof Inet6Address && (address.getAddress()[0] & 0xFE) == 0xFC;
    return address.isLoopbackAddress()
        || address.isSiteLocalAddress()
        || address.isLinkLocalAddress()
        || isUniqueLocal;
  }

  // ---- Memory

  /**
   * Limits the memory on the heap that all connections take together: what was received and not
   * taken, messages that are being assembled, what waits to be sent, compression contexts, and the
   * bodies of requests. At the limit, those that hold the most and move the least are ended, until
   * a quarter of it is free: sockets with 1013 if a Close can still leave, otherwise with a reset;
   * requests with 503, or with a reset if they were answered. One log line a minute says so. A
   * third of the maximum heap by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits memory(long bytes) {
    memory = Ranges.positive("memory", bytes);
    return this;
  }

  /** Returns the limit of the memory on the heap in bytes. */
  public long memory() {
    return memory;
  }

  /**
   * Limits the memory outside of the heap that all connections take together: what was written to
   * the network and not taken by the clients. At the limit, the same happens as with {@link
   * #memory}. A third of the JVM's limit ({@code -XX:MaxDirectMemorySize}, by default the maximum
   * heap) by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public ServerLimits directMemory(long bytes) {
    directMemory = Ranges.positive("directMemory", bytes);
    return this;
  }

  /** Returns the limit of the memory outside of the heap in bytes. */
  public long directMemory() {
    return directMemory;
  }

  // ---- HTTP/2

  /** Returns the limits that apply only to HTTP/2 connections; you may change them. */
  public Http2Limits http2() {
    return http2;
  }

  private static Rate rate(String name, int bytesPerSecond, Duration grace) {
    return new Rate(
        Ranges.notNegative(name, bytesPerSecond), Ranges.positive(name + "'s grace", grace));
  }
}
