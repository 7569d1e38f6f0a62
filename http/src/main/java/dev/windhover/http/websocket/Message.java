package dev.windhover.http.websocket;

import java.nio.ByteBuffer;
import java.util.Objects;

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
    /** Creates one. */
    public Text {
      Objects.requireNonNull(text, "text");
    }

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
    /** Creates one. */
    public Binary {
      Objects.requireNonNull(payload, "payload");
    }

    @Override
    public MessageType type() {
      return MessageType.BINARY;
    }
  }
}
