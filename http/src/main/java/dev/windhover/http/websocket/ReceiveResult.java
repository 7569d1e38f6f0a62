package dev.windhover.http.websocket;

/**
 * The result of {@link WebSocket#receive(java.nio.ByteBuffer)}.
 *
 * @param count the number of bytes put into the buffer, 0 or more
 * @param type the message's type, or {@link MessageType#CLOSE}
 * @param endOfMessage whether the message ends with these bytes
 */
public record ReceiveResult(int count, MessageType type, boolean endOfMessage) {
  /** Returns whether nothing more will come; see {@link WebSocket#closeStatus()}. */
  public boolean isClose() {
    return type == MessageType.CLOSE;
  }
}
