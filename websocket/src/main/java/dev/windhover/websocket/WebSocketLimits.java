package dev.windhover.websocket;

import dev.windhover.websocket.deflate.NativeDeflateCodec;
import java.time.Duration;

/**
 * What protects the server from its sockets' peers. Each method with an argument sets a limit and
 * returns this; the one without returns it.
 */
public final class WebSocketLimits {
  private static final int SMALLEST_QUEUE = 1024;

  // One message a browser chat or dashboard sends is far below; uploads raise it knowingly.
  private long maxMessageSize = 1 << 20;

  // HTTP/2's initial window (RFC 9113 6.9.2), so that both transports hold the same for a socket.
  private int inboundBytes = 64 * 1024;

  // Kestrel holds up to 1 MiB of a request's body; a peer that is 1 MiB behind is slow, not busy.
  private int sendQueueHigh = 1 << 20;
  private int sendQueueLow = 256 * 1024;

  // What SignalR's transport grants each direction after the other has ended.
  private Duration closeTimeout = Duration.ofSeconds(5);

  // About 190 sockets with contexts of 15 bits in both directions, or thousands without takeover.
  private long compressionMemory = DeflatePool.DEFAULT_BUDGET;
  private int compressionMemoryLevel = NativeDeflateCodec.DEFAULT_MEMORY_LEVEL;

  // Far above the retransmission of a lost packet, far below TCP's own 15 minutes.
  private Duration writeStallTimeout = Duration.ofSeconds(30);

  /** Creates the defaults. */
  public WebSocketLimits() {}

  WebSocketLimits(WebSocketLimits other) {
    maxMessageSize = other.maxMessageSize;
    inboundBytes = other.inboundBytes;
    sendQueueHigh = other.sendQueueHigh;
    sendQueueLow = other.sendQueueLow;
    compressionMemory = other.compressionMemory;
    compressionMemoryLevel = other.compressionMemoryLevel;
    closeTimeout = other.closeTimeout;
    writeStallTimeout = other.writeStallTimeout;
  }

  /**
   * Limits a message that is received whole; a larger one fails the socket with 1009. Receiving
   * buffer by buffer has no limit.
   *
   * @param bytes 1 or more; 1 MiB by default
   */
  public WebSocketLimits maxMessageSize(long bytes) {
    maxMessageSize = atLeast("maxMessageSize", bytes, 1);
    return this;
  }

  /** Returns the largest message in bytes. */
  public long maxMessageSize() {
    return maxMessageSize;
  }

  /**
   * Limits what is kept of a peer's messages while nobody receives; beyond it the peer is not read.
   * One read of the network may come on top.
   *
   * @param bytes 1,024 or more; 64 KiB by default
   */
  public WebSocketLimits inboundBytes(int bytes) {
    inboundBytes = (int) atLeast("inboundBytes", bytes, SMALLEST_QUEUE);
    return this;
  }

  /** Returns what is kept of unread messages in bytes. */
  public int inboundBytes() {
    return inboundBytes;
  }

  /**
   * Limits what is queued for a peer that reads slowly. At the high mark senders block (in the
   * listener form {@code send} says so); below the low mark they go on. In the listener form the
   * pieces of a message, and other messages that wait for its end, count each by themselves.
   *
   * @param high 1,024 bytes or more; 1 MiB by default
   * @param low less than {@code high}; 256 KiB by default
   */
  public WebSocketLimits sendQueue(int high, int low) {
    atLeast("high mark", high, SMALLEST_QUEUE);
    if (low < 1 || low >= high) {
      throw new IllegalArgumentException(
          "low mark of " + low + " bytes is not between 1 and the high mark of " + high);
    }
    sendQueueHigh = high;
    sendQueueLow = low;
    return this;
  }

  /** Returns the send queue's high mark in bytes. */
  public int sendQueueHigh() {
    return sendQueueHigh;
  }

  /** Returns the send queue's low mark in bytes. */
  public int sendQueueLow() {
    return sendQueueLow;
  }

  /**
   * Limits the memory of all sockets' compression contexts together, most of it outside of the
   * heap. When it is spent, new sockets agree to compression without context takeover, or to none,
   * and messages go out plain. What peers send compressed is read all the same, for which one
   * context a socket may come on top.
   *
   * @param bytes 0 or more; 64 MiB by default
   */
  public WebSocketLimits compressionMemory(long bytes) {
    compressionMemory = atLeast("compressionMemory", bytes, 0);
    return this;
  }

  /** Returns the budget of compression contexts in bytes. */
  public long compressionMemory() {
    return compressionMemory;
  }

  /**
   * Sets how much memory compressing takes beside its window: 2 to the power of {@code level + 9}
   * bytes a context; less compresses worse. Without native access the JDK's zlib has always 8.
   *
   * @param level 1–9; 8 by default, zlib's own
   */
  public WebSocketLimits compressionMemoryLevel(int level) {
    if (level < 1 || level > 9) {
      throw new IllegalArgumentException("compressionMemoryLevel " + level + " is not within 1-9");
    }
    compressionMemoryLevel = level;
    return this;
  }

  /** Returns zlib's memory level. */
  public int compressionMemoryLevel() {
    return compressionMemoryLevel;
  }

  /**
   * Limits the wait for the peer's part of the closing handshake and of the connection's end; then
   * the connection is dropped.
   *
   * @param timeout positive; 5 s by default
   */
  public WebSocketLimits closeTimeout(Duration timeout) {
    closeTimeout = positive("closeTimeout", timeout);
    return this;
  }

  /** Returns the limit of the closing handshake. */
  public Duration closeTimeout() {
    return closeTimeout;
  }

  /**
   * Drops a connection whose peer has taken none of our bytes for this long, and at most a
   * thirtieth more, while some were waiting.
   *
   * @param timeout positive; 30 s by default
   */
  public WebSocketLimits writeStallTimeout(Duration timeout) {
    writeStallTimeout = positive("writeStallTimeout", timeout);
    return this;
  }

  /** Returns how long a peer may take no bytes. */
  public Duration writeStallTimeout() {
    return writeStallTimeout;
  }

  private static long atLeast(String name, long value, long least) {
    if (value < least) {
      throw new IllegalArgumentException(name + " of " + value + " bytes is less than " + least);
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
