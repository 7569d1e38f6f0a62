package dev.windhover.server;

import java.time.Duration;

/**
 * The limits of a connection of HTTP/2, beside those of {@link ServerLimits} that are of HTTP and
 * not of a version. Where Kestrel has such a limit, its name and number are Kestrel's, unless it
 * says otherwise. Read when a connection begins.
 */
public final class Http2Limits {
  private static final int SMALLEST_WINDOW = 65_535;

  private int maxStreamsPerConnection = 100;
  private int maxWebSocketsPerConnection = 64;
  private int initialStreamWindowSize = 64 * 1024;
  private int initialConnectionWindowSize = 1024 * 1024;
  private int bodyWindowSize = 768 * 1024;
  private int bodyWindowBudget = 4 * 1024 * 1024;
  private int maxResets = 200;
  private int maxControlFrames = 2_000;
  private Duration settingsTimeout = Duration.ofSeconds(10);
  private Duration keepAlivePingDelay = Duration.ZERO;
  private Duration keepAlivePingTimeout = Duration.ofSeconds(20);

  Http2Limits() {}

  // ---- Streams

  /**
   * Sets the most streams at a time, requests and WebSockets together (RFC 9113 5.1.2); one more is
   * refused with {@code REFUSED_STREAM}. Handlers that still run for streams that are gone are
   * bounded too, by twice as many. 100 by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public Http2Limits maxStreamsPerConnection(int streams) {
    maxStreamsPerConnection = atLeast(1, "maxStreamsPerConnection", streams);
    return this;
  }

  /** Returns the most streams at a time. */
  public int maxStreamsPerConnection() {
    return maxStreamsPerConnection;
  }

  /**
   * Sets the most WebSockets on one connection; a request for one more is answered with 503. Less
   * than the streams, so that a page whose sockets share its connection can still load. 64 by
   * default; Kestrel has no such limit.
   *
   * @throws IllegalArgumentException below 0
   */
  public Http2Limits maxWebSocketsPerConnection(int sockets) {
    maxWebSocketsPerConnection = atLeast(0, "maxWebSocketsPerConnection", sockets);
    return this;
  }

  /** Returns the most WebSockets on one connection. */
  public int maxWebSocketsPerConnection() {
    return maxWebSocketsPerConnection;
  }

  // ---- Windows

  /**
   * Sets how many bytes a client may send on a stream before any of them was consumed (RFC 9113
   * 6.9.2). 64 KiB by default, the bound of a socket that nobody reads; Kestrel's is 768 KiB.
   *
   * @throws IllegalArgumentException below 65,535
   */
  public Http2Limits initialStreamWindowSize(int bytes) {
    initialStreamWindowSize = atLeast(SMALLEST_WINDOW, "initialStreamWindowSize", bytes);
    return this;
  }

  /** Returns how many bytes a client may send on a stream before any of them was consumed. */
  public int initialStreamWindowSize() {
    return initialStreamWindowSize;
  }

  /**
   * Sets how many bytes a client may send on all streams before we have read some of them from the
   * network. It is no bound of memory, which the streams' windows are: so a stream that nobody
   * reads does not stall the others. 1 MiB by default.
   *
   * @throws IllegalArgumentException below 65,535
   */
  public Http2Limits initialConnectionWindowSize(int bytes) {
    initialConnectionWindowSize = atLeast(SMALLEST_WINDOW, "initialConnectionWindowSize", bytes);
    return this;
  }

  /** Returns how many bytes a client may send on all streams before we have read some of them. */
  public int initialConnectionWindowSize() {
    return initialConnectionWindowSize;
  }

  /**
   * Sets the window of a request's body from its first reading on, within {@link
   * #bodyWindowBudget}; a smaller one than {@link #initialStreamWindowSize} has no effect. 768 KiB
   * by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public Http2Limits bodyWindowSize(int bytes) {
    bodyWindowSize = atLeast(0, "bodyWindowSize", bytes);
    return this;
  }

  /** Returns the window of a request's body that is being read. */
  public int bodyWindowSize() {
    return bodyWindowSize;
  }

  /**
   * Sets by how many bytes, in all, the windows of a connection's bodies may be larger than {@link
   * #initialStreamWindowSize}. 4 MiB by default; Kestrel has no such limit.
   *
   * @throws IllegalArgumentException below 0
   */
  public Http2Limits bodyWindowBudget(int bytes) {
    bodyWindowBudget = atLeast(0, "bodyWindowBudget", bytes);
    return this;
  }

  /** Returns by how many bytes, in all, the windows of a connection's bodies may be larger. */
  public int bodyWindowBudget() {
    return bodyWindowBudget;
  }

  // ---- Abuse

  /**
   * Sets the most resets within 30 s, of requests that their client gives up (CVE-2023-44487) and
   * of streams that it makes us reset (CVE-2025-8671); one more ends the connection with {@code
   * ENHANCE_YOUR_CALM}. A socket that was closed in order, and a stream that an application drops,
   * do not count. 200 by default, which is Netty's number.
   *
   * @throws IllegalArgumentException below 1
   */
  public Http2Limits maxResets(int resets) {
    maxResets = atLeast(1, "maxResets", resets);
    return this;
  }

  /** Returns the most resets within 30 s. */
  public int maxResets() {
    return maxResets;
  }

  /**
   * Sets the most frames within 10 s that carry nothing and cost an answer or some work: PING,
   * SETTINGS, PRIORITY, frames of unknown types; one more ends the connection with {@code
   * ENHANCE_YOUR_CALM} (RFC 9113 10.5). 2,000 by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public Http2Limits maxControlFrames(int frames) {
    maxControlFrames = atLeast(1, "maxControlFrames", frames);
    return this;
  }

  /** Returns the most frames within 10 s that carry nothing. */
  public int maxControlFrames() {
    return maxControlFrames;
  }

  // ---- Time

  /**
   * Sets the time for a client's first SETTINGS (RFC 9113 3.4); then the connection ends with
   * {@code SETTINGS_TIMEOUT}. 10 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public Http2Limits settingsTimeout(Duration timeout) {
    settingsTimeout = positive("settingsTimeout", timeout);
    return this;
  }

  /** Returns the time for a client's first SETTINGS. */
  public Duration settingsTimeout() {
    return settingsTimeout;
  }

  /**
   * Sends a PING when nothing has come for that long, and drops the connection when its answer does
   * not come within {@link #keepAlivePingTimeout}. Zero, the default, is off.
   *
   * @throws IllegalArgumentException if it is negative, or more than zero and below 1 s
   */
  public Http2Limits keepAlivePingDelay(Duration delay) {
    if (delay.isNegative() || (delay.isPositive() && delay.toMillis() < 1_000)) {
      throw new IllegalArgumentException("keepAlivePingDelay " + delay + " is below 1 s");
    }
    keepAlivePingDelay = delay;
    return this;
  }

  /** Returns after how much quiet a PING is sent; zero if none is. */
  public Duration keepAlivePingDelay() {
    return keepAlivePingDelay;
  }

  /**
   * Sets the time for the answer to a PING of {@link #keepAlivePingDelay}. 20 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public Http2Limits keepAlivePingTimeout(Duration timeout) {
    keepAlivePingTimeout = positive("keepAlivePingTimeout", timeout);
    return this;
  }

  /** Returns the time for the answer to a PING. */
  public Duration keepAlivePingTimeout() {
    return keepAlivePingTimeout;
  }

  private static int atLeast(int least, String name, int value) {
    if (value < least) {
      throw new IllegalArgumentException(name + " " + value + " is less than " + least);
    }
    return value;
  }

  private static Duration positive(String name, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(name + " " + value + " is not positive");
    }
    return value;
  }
}
