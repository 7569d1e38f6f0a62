package dev.windhover.http.websocket;

/**
 * What a {@link WebSocket#receive(java.nio.ByteBuffer)} brought.
 *
 * @param count the bytes put into the buffer, 0 or more
 * @param type the message's type, or {@link MessageType#CLOSE}
 * @param endOfMessage whether the message ends with these bytes
 */
public record ReceiveResult(int count, MessageType type, boolean endOfMessage) {
  /** Returns whether nothing more will come; see {@link WebSocket#closeStatus()}. */
  public boolean isClose() {
    return type == MessageType.CLOSE;
  }
}
