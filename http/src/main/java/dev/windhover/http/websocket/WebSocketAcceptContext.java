package dev.windhover.http.websocket;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Settings of one accepted socket. Settings that are not given come from the middleware's options.
 * A method with an argument sets a value and returns this; the method without an argument returns
 * the value, or null.
 */
public final class WebSocketAcceptContext {
  private static final int SMALLEST_WINDOW_BITS = 9; // zlib's minimum; RFC 7692 also allows 8
  private static final int LARGEST_WINDOW_BITS = 15;

  private @Nullable SubprotocolSelector subprotocolSelector;
  private @Nullable Duration keepAliveInterval;
  private @Nullable Duration keepAliveTimeout;
  private @Nullable Duration closeTimeout;
  private @Nullable Long maxMessageSize;
  private @Nullable Integer sendMark;
  private @Nullable Duration writeStallTimeout;
  private boolean closesOnStop = true;
  private boolean compression;
  private boolean noServerContextTakeover;
  private boolean noClientContextTakeover;
  private int serverMaxWindowBits = LARGEST_WINDOW_BITS;
  private int clientMaxWindowBits = LARGEST_WINDOW_BITS;
  private int compressionLevel = 6; // zlib's own default
  private int compressionThreshold = 32; // shorter messages seldom shrink

  /** Creates settings that leave everything to the middleware's options. */
  public WebSocketAcceptContext() {}

  /** Creates a copy. */
  public WebSocketAcceptContext(WebSocketAcceptContext other) {
    subprotocolSelector = other.subprotocolSelector;
    keepAliveInterval = other.keepAliveInterval;
    keepAliveTimeout = other.keepAliveTimeout;
    closeTimeout = other.closeTimeout;
    maxMessageSize = other.maxMessageSize;
    sendMark = other.sendMark;
    writeStallTimeout = other.writeStallTimeout;
    closesOnStop = other.closesOnStop;
    compression = other.compression;
    noServerContextTakeover = other.noServerContextTakeover;
    noClientContextTakeover = other.noClientContextTakeover;
    serverMaxWindowBits = other.serverMaxWindowBits;
    clientMaxWindowBits = other.clientMaxWindowBits;
    compressionLevel = other.compressionLevel;
    compressionThreshold = other.compressionThreshold;
  }

  /**
   * Answers with this subprotocol.
   *
   * @param subprotocol one that the client offers, otherwise {@code accept} throws {@link
   *     IllegalArgumentException} before the handshake is answered; null or blank for none
   */
  public WebSocketAcceptContext subprotocol(@Nullable String subprotocol) {
    return subprotocolSelector(offered -> subprotocol);
  }

  /** Lets {@code selector} choose the subprotocol from those that the client offers. */
  public WebSocketAcceptContext subprotocolSelector(SubprotocolSelector selector) {
    this.subprotocolSelector = Objects.requireNonNull(selector, "selector");
    return this;
  }

  /** Returns how the subprotocol is chosen, or null. */
  public @Nullable SubprotocolSelector subprotocolSelector() {
    return subprotocolSelector;
  }

  /**
   * Sends a Ping when nothing has come for this long; zero switches keep-alive off.
   *
   * @throws IllegalArgumentException if negative
   */
  public WebSocketAcceptContext keepAliveInterval(Duration interval) {
    this.keepAliveInterval = notNegative("keepAliveInterval", interval);
    return this;
  }

  /** Returns the interval, or null. */
  public @Nullable Duration keepAliveInterval() {
    return keepAliveInterval;
  }

  /**
   * Aborts the socket when nothing has come for this long after a Ping; zero switches the time
   * limit off.
   *
   * @throws IllegalArgumentException if negative
   */
  public WebSocketAcceptContext keepAliveTimeout(Duration timeout) {
    this.keepAliveTimeout = notNegative("keepAliveTimeout", timeout);
    return this;
  }

  /** Returns the time limit, or null. */
  public @Nullable Duration keepAliveTimeout() {
    return keepAliveTimeout;
  }

  /**
   * Drops the connection if the closing handshake takes longer than this.
   *
   * @throws IllegalArgumentException if not positive
   */
  public WebSocketAcceptContext closeTimeout(Duration timeout) {
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("closeTimeout " + timeout + " is not positive");
    }
    this.closeTimeout = timeout;
    return this;
  }

  /** Returns how long the closing handshake may take, or null. */
  public @Nullable Duration closeTimeout() {
    return closeTimeout;
  }

  /**
   * Limits whole messages, in bytes; a larger one fails the socket with 1009. Receiving buffer by
   * buffer has no limit.
   *
   * @throws IllegalArgumentException if not positive
   */
  public WebSocketAcceptContext maxMessageSize(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("maxMessageSize " + bytes + " is not positive");
    }
    this.maxMessageSize = bytes;
    return this;
  }

  /** Returns the limit in bytes, or null. */
  public @Nullable Long maxMessageSize() {
    return maxMessageSize;
  }

  /**
   * In the listener form, {@code send} says that there is no room when so many bytes wait, and
   * {@link WebSocketListener#onWritable} is called when half of them do. {@code send} still refuses
   * only above the high mark of the send queue, and policies for sends to many go by that as well.
   *
   * @param bytes the high mark of the send queue by default (1 MiB), which is also the most
   * @throws IllegalArgumentException if not positive
   */
  public WebSocketAcceptContext sendMark(int bytes) {
    this.sendMark = within("sendMark", bytes, 1, Integer.MAX_VALUE);
    return this;
  }

  /** Returns the mark in bytes, or null. */
  public @Nullable Integer sendMark() {
    return sendMark;
  }

  /**
   * Drops the connection if output waits for the peer, and it takes nothing for this long.
   *
   * @throws IllegalArgumentException if not positive
   */
  public WebSocketAcceptContext writeStallTimeout(Duration timeout) {
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("writeStallTimeout " + timeout + " is not positive");
    }
    this.writeStallTimeout = timeout;
    return this;
  }

  /** Returns how long the peer may take nothing while output waits, or null. */
  public @Nullable Duration writeStallTimeout() {
    return writeStallTimeout;
  }

  /**
   * Says whether a stop of the application closes the socket with 1001, as it does by default. If
   * not, whoever has accepted the socket ends it, with {@link
   * dev.windhover.http.Application#endOnStop}, and the stop waits for that.
   */
  public WebSocketAcceptContext closesOnStop(boolean closes) {
    this.closesOnStop = closes;
    return this;
  }

  /** Returns whether a stop of the application closes the socket. */
  public boolean closesOnStop() {
    return closesOnStop;
  }

  // ---- Compression (RFC 7692)

  /**
   * Compresses messages if the client offers it; off by default. This is dangerous, because the
   * length of compressed data reveals something about its content: attackers who can place text of
   * their own beside a secret, and see the length, can guess the secret (CRIME, BREACH). Send
   * secrets with {@link SendFlag#DISABLE_COMPRESSION}.
   */
  public WebSocketAcceptContext dangerousEnableCompression(boolean enable) {
    this.compression = enable;
    return this;
  }

  /** Returns whether compression is enabled. */
  public boolean dangerousEnableCompression() {
    return compression;
  }

  /**
   * Compresses each of our messages without reference to earlier ones. They become larger, but
   * between messages the socket holds no memory for compressing. Off by default.
   */
  public WebSocketAcceptContext disableServerContextTakeover(boolean disable) {
    this.noServerContextTakeover = disable;
    return this;
  }

  /** Returns whether each of our messages is compressed without reference to earlier ones. */
  public boolean disableServerContextTakeover() {
    return noServerContextTakeover;
  }

  /**
   * Asks the client to compress each of its messages without reference to earlier ones. Between
   * messages the socket then holds no memory for decompressing. Off by default.
   */
  public WebSocketAcceptContext disableClientContextTakeover(boolean disable) {
    this.noClientContextTakeover = disable;
    return this;
  }

  /**
   * Returns whether the client is asked to compress each message without reference to earlier ones.
   */
  public boolean disableClientContextTakeover() {
    return noClientContextTakeover;
  }

  /**
   * Limits how far back our messages refer, to 2 to the power of {@code bits} bytes. A smaller
   * window takes less memory on both sides and compresses less.
   *
   * @param bits 9–15; 15 by default. A client may ask for less
   * @throws IllegalArgumentException if out of range
   */
  public WebSocketAcceptContext serverMaxWindowBits(int bits) {
    this.serverMaxWindowBits =
        within("serverMaxWindowBits", bits, SMALLEST_WINDOW_BITS, LARGEST_WINDOW_BITS);
    return this;
  }

  /** Returns the window of our messages in bits. */
  public int serverMaxWindowBits() {
    return serverMaxWindowBits;
  }

  /**
   * Limits how far back the client's messages refer, if the client says that it accepts a limit
   * (RFC 7692 7.1.2.2).
   *
   * @param bits 9–15; 15 by default
   * @throws IllegalArgumentException if out of range
   */
  public WebSocketAcceptContext clientMaxWindowBits(int bits) {
    this.clientMaxWindowBits =
        within("clientMaxWindowBits", bits, SMALLEST_WINDOW_BITS, LARGEST_WINDOW_BITS);
    return this;
  }

  /** Returns the window of the client's messages in bits. */
  public int clientMaxWindowBits() {
    return clientMaxWindowBits;
  }

  /**
   * Sets the compression level of our messages.
   *
   * @param level 1 (fastest) to 9 (smallest); 6 by default
   * @throws IllegalArgumentException if out of range
   */
  public WebSocketAcceptContext compressionLevel(int level) {
    this.compressionLevel = within("compressionLevel", level, 1, 9);
    return this;
  }

  /** Returns the level. */
  public int compressionLevel() {
    return compressionLevel;
  }

  /**
   * Sends messages that are smaller than this uncompressed. A message that is sent in pieces is
   * always compressed.
   *
   * @param bytes 0 or more; 32 by default
   * @throws IllegalArgumentException if negative
   */
  public WebSocketAcceptContext compressionThreshold(int bytes) {
    this.compressionThreshold = within("compressionThreshold", bytes, 0, Integer.MAX_VALUE);
    return this;
  }

  /** Returns the size in bytes from which a message is compressed. */
  public int compressionThreshold() {
    return compressionThreshold;
  }

  private static int within(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          name + " " + value + " is not within " + least + "-" + most);
    }
    return value;
  }

  private static Duration notNegative(String name, Duration value) {
    if (value.isNegative()) {
      throw new IllegalArgumentException(name + " " + value + " is negative");
    }
    return value;
  }
}
