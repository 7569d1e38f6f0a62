package dev.windhover.http.websocket;

import java.nio.ByteBuffer;

/** A whole message, which belongs to its receiver. */
public sealed interface Message {
  /** Returns {@link MessageType#TEXT} or {@link MessageType#BINARY}. */
  MessageType type();

  /**
   * A text message.
   *
   * @param text its text
   */
  record Text(String text) implements Message {
    @Override
    public MessageType type() {
      return MessageType.TEXT;
    }
  }

  /**
   * A binary message.
   *
   * @param payload its bytes, from position to limit; backed by an array
   */
  record Binary(ByteBuffer payload) implements Message {
    @Override
    public MessageType type() {
      return MessageType.BINARY;
    }
  }
}
