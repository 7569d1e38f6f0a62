package dev.windhover.server;

import java.time.Duration;

/**
 * The limits of an HTTP/2 connection, in addition to those of {@link ServerLimits} that apply to
 * every version. If Kestrel has such a limit, name and number are Kestrel's, unless stated
 * otherwise. The limits are read when a connection begins.
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
   * Limits the number of open streams, requests and WebSockets together (RFC 9113 5.1.2); another
   * one is refused with {@code REFUSED_STREAM}. Handlers that still run for streams that have ended
   * are limited to twice that number. 100 by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public Http2Limits maxStreamsPerConnection(int streams) {
    maxStreamsPerConnection = Ranges.atLeast(1, "maxStreamsPerConnection", streams);
    return this;
  }

  /** Returns the maximum number of open streams. */
  public int maxStreamsPerConnection() {
    return maxStreamsPerConnection;
  }

  /**
   * Limits the number of WebSockets on one connection; a request for another one is answered with
   * 503. The default is lower than that of streams, so that a page whose sockets share its
   * connection can still load. 64 by default; Kestrel has no such limit.
   *
   * @throws IllegalArgumentException below 0
   */
  public Http2Limits maxWebSocketsPerConnection(int sockets) {
    maxWebSocketsPerConnection = Ranges.atLeast(0, "maxWebSocketsPerConnection", sockets);
    return this;
  }

  /** Returns the maximum number of WebSockets on one connection. */
  public int maxWebSocketsPerConnection() {
    return maxWebSocketsPerConnection;
  }

  // ---- Windows

  /**
   * Sets how many bytes a client may send on a stream before any of them is consumed (RFC 9113
   * 6.9.2). 64 KiB by default, the same as the inbound limit of a socket that is not read;
   * Kestrel's default is 768 KiB.
   *
   * @throws IllegalArgumentException below 65,535
   */
  public Http2Limits initialStreamWindowSize(int bytes) {
    initialStreamWindowSize = Ranges.atLeast(SMALLEST_WINDOW, "initialStreamWindowSize", bytes);
    return this;
  }

  /** Returns how many bytes a client may send on a stream before any of them is consumed. */
  public int initialStreamWindowSize() {
    return initialStreamWindowSize;
  }

  /**
   * Sets how many bytes a client may send on all streams before we have read some of them from the
   * network. The streams' windows, not this one, limit the memory, so a stream that is not read
   * does not stall the others. 1 MiB by default.
   *
   * @throws IllegalArgumentException below 65,535
   */
  public Http2Limits initialConnectionWindowSize(int bytes) {
    initialConnectionWindowSize =
        Ranges.atLeast(SMALLEST_WINDOW, "initialConnectionWindowSize", bytes);
    return this;
  }

  /** Returns how many bytes a client may send on all streams before we have read some of them. */
  public int initialConnectionWindowSize() {
    return initialConnectionWindowSize;
  }

  /**
   * Sets the window of a request body once its handler reads, within {@link #bodyWindowBudget}. A
   * window smaller than {@link #initialStreamWindowSize} has no effect. 768 KiB by default.
   *
   * @throws IllegalArgumentException below 0
   */
  public Http2Limits bodyWindowSize(int bytes) {
    bodyWindowSize = Ranges.atLeast(0, "bodyWindowSize", bytes);
    return this;
  }

  /** Returns the window of a request body that is being read. */
  public int bodyWindowSize() {
    return bodyWindowSize;
  }

  /**
   * Limits by how many bytes in total the windows of a connection's bodies may exceed {@link
   * #initialStreamWindowSize}. 4 MiB by default; Kestrel has no such limit.
   *
   * @throws IllegalArgumentException below 0
   */
  public Http2Limits bodyWindowBudget(int bytes) {
    bodyWindowBudget = Ranges.atLeast(0, "bodyWindowBudget", bytes);
    return this;
  }

  /** Returns by how many bytes in total the windows of a connection's bodies may be larger. */
  public int bodyWindowBudget() {
    return bodyWindowBudget;
  }

  // ---- Abuse

  /**
   * Limits the resets within 30 s: requests that the client cancels (CVE-2023-44487) and those
   * whose streams it makes us reset (CVE-2025-8671). Another one ends the connection with {@code
   * ENHANCE_YOUR_CALM}. Sockets that were closed cleanly, streams that the application drops, and
   * streams for which no handler runs, because their head is malformed or there are too many of
   * them, do not count. 200 by default, which is Netty's number.
   *
   * @throws IllegalArgumentException below 1
   */
  public Http2Limits maxResets(int resets) {
    maxResets = Ranges.atLeast(1, "maxResets", resets);
    return this;
  }

  /** Returns the maximum number of resets within 30 s. */
  public int maxResets() {
    return maxResets;
  }

  /**
   * Limits the frames within 10 s that carry no data but cost an answer or other work: PING,
   * SETTINGS, PRIORITY and frames of unknown types. Another one ends the connection with {@code
   * ENHANCE_YOUR_CALM} (RFC 9113 10.5). 2,000 by default.
   *
   * @throws IllegalArgumentException below 1
   */
  public Http2Limits maxControlFrames(int frames) {
    maxControlFrames = Ranges.atLeast(1, "maxControlFrames", frames);
    return this;
  }

  /** Returns the maximum number of frames without data within 10 s. */
  public int maxControlFrames() {
    return maxControlFrames;
  }

  // ---- Time

  /**
   * Limits the time until a client's first SETTINGS (RFC 9113 3.4). After that, the connection ends
   * with {@code SETTINGS_TIMEOUT}. 10 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public Http2Limits settingsTimeout(Duration timeout) {
    settingsTimeout = Ranges.positive("settingsTimeout", timeout);
    return this;
  }

  /** Returns the time limit for a client's first SETTINGS. */
  public Duration settingsTimeout() {
    return settingsTimeout;
  }

  /**
   * Sends a PING when nothing has come for this long, and drops the connection if the answer does
   * not come within {@link #keepAlivePingTimeout}. Zero, the default, switches it off.
   *
   * @throws IllegalArgumentException if it is negative, or more than zero and below 1 s
   */
  public Http2Limits keepAlivePingDelay(Duration delay) {
    if (delay.isNegative() || (delay.isPositive() && delay.compareTo(Duration.ofSeconds(1)) < 0)) {
      throw new IllegalArgumentException("keepAlivePingDelay " + delay + " is below 1 s");
    }
    keepAlivePingDelay = delay;
    return this;
  }

  /** Returns after how much quiet a PING is sent; zero if it is off. */
  public Duration keepAlivePingDelay() {
    return keepAlivePingDelay;
  }

  /**
   * Limits the time for the answer to a PING of {@link #keepAlivePingDelay}, from when the client's
   * side has acknowledged it. 20 s by default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public Http2Limits keepAlivePingTimeout(Duration timeout) {
    keepAlivePingTimeout = Ranges.positive("keepAlivePingTimeout", timeout);
    return this;
  }

  /** Returns the time limit for the answer to a PING. */
  public Duration keepAlivePingTimeout() {
    return keepAlivePingTimeout;
  }
}
