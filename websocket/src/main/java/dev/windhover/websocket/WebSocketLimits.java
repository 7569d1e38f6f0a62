package dev.windhover.websocket;

import dev.windhover.http.host.MemoryBudget;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.websocket.deflate.DeflatePool;
import java.time.Duration;

/**
 * The limits that protect the server from the peers of its sockets. A method with arguments sets a
 * limit and returns this; it throws {@link IllegalArgumentException} for a value that is out of
 * range. The method without an argument returns the limit.
 */
public final class WebSocketLimits {
  private static final int SMALLEST_QUEUE = 1024;

  // Messages of a chat or dashboard are far smaller; applications with uploads raise it knowingly.
  private long maxMessageSize = 1 << 20;

  // HTTP/2's initial window (RFC 9113 6.9.2), so that both transports hold the same amount for a
  // socket.
  private int inboundBytes = 64 * 1024;

  // Kestrel holds up to 1 MiB of a request body. A peer that lags by 1 MiB is slow, not just busy.
  private int sendQueueHigh = 1 << 20;
  private int sendQueueLow = 256 * 1024;

  // The time that SignalR's transport grants each direction after the other has ended.
  private Duration closeTimeout = Duration.ofSeconds(5);

  // About 160 sockets with context takeover in both directions, or thousands without; see
  // DeflatePool. In a small heap, a quarter of what all connections may hold.
  private long compressionMemory =
      Math.min(DeflatePool.DEFAULT_BUDGET, MemoryBudget.defaultLimit() / 4);
  private int compressionMemoryLevel = DeflateCodecs.DEFAULT_MEMORY_LEVEL;

  // Far longer than the retransmission of a lost packet, far shorter than TCP's own 15 minutes.
  private Duration writeStallTimeout = Duration.ofSeconds(30);

  // As long as a peer may take nothing: whoever waits longer is stuck, not slow.
  private Duration unfinishedSendTimeout = Duration.ofSeconds(30);

  // A keep-alive sends one every few seconds; games that measure latency send a few a second.
  private int controlFramesPerSecond = 20;
  private int controlFrameBurst = 100;

  // Kestrel's MinRequestBodyDataRate, which it has for the bodies of requests only.
  private Rate minMessageRate = new Rate(240, Duration.ofSeconds(5));

  /**
   * A minimum rate.
   *
   * @param bytesPerSecond 0 for no such limit
   * @param grace how long a peer may fall behind
   */
  public record Rate(int bytesPerSecond, Duration grace) {
    /** Returns whether there is no such limit. */
    public boolean isOff() {
      return bytesPerSecond == 0;
    }
  }

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
    unfinishedSendTimeout = other.unfinishedSendTimeout;
    controlFramesPerSecond = other.controlFramesPerSecond;
    controlFrameBurst = other.controlFrameBurst;
    minMessageRate = other.minMessageRate;
  }

  /**
   * Limits messages that are received whole; a larger message fails the socket with 1009. Receiving
   * buffer by buffer has no limit.
   *
   * @param bytes 1 or more; 1 MiB by default
   */
  public WebSocketLimits maxMessageSize(long bytes) {
    maxMessageSize = atLeast("maxMessageSize", bytes, 1);
    return this;
  }

  /** Returns the limit of a message in bytes. */
  public long maxMessageSize() {
    return maxMessageSize;
  }

  /**
   * Limits how many bytes of a peer's messages are kept while the application does not receive.
   * Above the limit, the peer is not read. One read from the network may exceed it.
   *
   * @param bytes 1,024 or more; 64 KiB by default
   */
  public WebSocketLimits inboundBytes(int bytes) {
    inboundBytes = (int) atLeast("inboundBytes", bytes, SMALLEST_QUEUE);
    return this;
  }

  /** Returns the limit of unread bytes. */
  public int inboundBytes() {
    return inboundBytes;
  }

  /**
   * Limits what is queued for a peer that reads slowly. At the high mark senders block (in the
   * listener form, {@code send} returns false); below the low mark they continue. In the listener
   * form, the pieces of a message are counted separately from other messages that wait for its end.
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
   * Limits the memory of the compression contexts of all sockets together, most of which is outside
   * the heap. When it is used up, new sockets negotiate compression without context takeover, or
   * none, and messages are sent uncompressed. Compressed messages from peers are still read, which
   * may take one more context for each socket. All of them also count in the server's memory
   * budget.
   *
   * @param bytes 0 or more; 64 MiB by default, but at most a quarter of the server's default
   *     budget, which is a twelfth of the maximum heap
   */
  public WebSocketLimits compressionMemory(long bytes) {
    compressionMemory = atLeast("compressionMemory", bytes, 0);
    return this;
  }

  /** Returns the budget for compression contexts in bytes. */
  public long compressionMemory() {
    return compressionMemory;
  }

  /**
   * Sets how much memory a compressing context takes in addition to its window: 2 to the power of
   * {@code level + 9} bytes. Less memory compresses worse. It matters only with the module {@code
   * windhover-zlib}: the level of the JDK's zlib is always 8.
   *
   * @param level 1–9; 8 by default, as in zlib
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
   * Limits the wait for the peer's part of the closing handshake and for the end of the connection.
   * After that, the connection is dropped. The time begins when the peer's side has acknowledged
   * our Close, with everything that was queued before it; until then, {@link #writeStallTimeout}
   * applies. It may take up to an eighth longer.
   *
   * @param timeout positive; 5 s by default
   */
  public WebSocketLimits closeTimeout(Duration timeout) {
    closeTimeout = positive("closeTimeout", timeout);
    return this;
  }

  /** Returns the time limit of the closing handshake. */
  public Duration closeTimeout() {
    return closeTimeout;
  }

  /**
   * Drops a connection if its peer has taken none of our bytes for this long while some were
   * waiting. It has taken what its side has acknowledged or, if the system does not tell that, what
   * the system has taken. It may take up to a thirtieth longer.
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

  /**
   * Limits how long a message that is sent in pieces may keep others waiting while its sender does
   * nothing. The time that a piece itself has to wait for a slow peer does not count. After that,
   * the socket fails with 1011; {@link dev.windhover.http.websocket.Ending#why()}, the exceptions
   * of those who waited, and an error line say whose message it was. If the thread that began the
   * message has ended, the socket fails as soon as somebody waits, or within a second.
   *
   * @param timeout positive; 30 s by default
   */
  public WebSocketLimits unfinishedSendTimeout(Duration timeout) {
    unfinishedSendTimeout = positive("unfinishedSendTimeout", timeout);
    return this;
  }

  /** Returns how long a message may keep others waiting. */
  public Duration unfinishedSendTimeout() {
    return unfinishedSendTimeout;
  }

  /**
   * Limits the Pings and Pongs of a peer, because each of them costs work. A socket that receives
   * more fails with 1008.
   *
   * @param perSecond how many may come per second in the long run, 1 or more; 20 by default
   * @param burst how many may come at once after a quiet time, 1 or more; 100 by default
   */
  public WebSocketLimits controlFrames(int perSecond, int burst) {
    if (perSecond < 1 || burst < 1) {
      throw new IllegalArgumentException(
          "control frames of %d a second, in bursts of %d: both must be at least 1"
              .formatted(perSecond, burst));
    }
    controlFramesPerSecond = perSecond;
    controlFrameBurst = burst;
    return this;
  }

  /** Returns how many Pings and Pongs a second a peer may send in the long run. */
  public int controlFramesPerSecond() {
    return controlFramesPerSecond;
  }

  /** Returns how many Pings and Pongs a peer may send at once. */
  public int controlFrameBurst() {
    return controlFrameBurst;
  }

  /**
   * Sets how fast an unfinished message must come while we hold what has come of it: one that is
   * received whole, in either form. A peer that has fallen behind by {@code grace} fails its socket
   * with 1008. Bytes of the payload count as they are sent, that is, compressed; control frames do
   * not count. Time in which the peer is not read does not count either, nor does earlier speed. A
   * message that the application takes buffer by buffer may come as slowly as it likes. 240 bytes
   * per second and 5 s by default.
   *
   * @param bytesPerSecond 0 for no such limit
   * @param grace positive
   */
  public WebSocketLimits minMessageRate(int bytesPerSecond, Duration grace) {
    if (bytesPerSecond < 0) {
      throw new IllegalArgumentException("minMessageRate " + bytesPerSecond + " is negative");
    }
    minMessageRate = new Rate(bytesPerSecond, positive("minMessageRate's grace", grace));
    return this;
  }

  /** Returns how fast an unfinished message must come. */
  public Rate minMessageRate() {
    return minMessageRate;
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
