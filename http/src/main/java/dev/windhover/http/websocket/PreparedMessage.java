package dev.windhover.http.websocket;

import dev.windhover.protocol.Utf8;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A whole message that goes to many sockets: {@link WebSocket#send(PreparedMessage, SendFlag...)}.
 * Its payload is stored once, and compressed once for all sockets with the same permessage-deflate
 * settings. Both live as long as this object. Immutable and thread-safe.
 *
 * <p>A message of more than 16 KiB is best sent from a thread of your own. A connection's loop does
 * not compress that much in one turn: unless another thread has already compressed the message,
 * each socket to which it is sent on the loop compresses it for itself, in slices.
 *
 * <p>For a single socket it has no advantage over {@link Message}.
 */
public abstract sealed class PreparedMessage permits SharedMessage {
  private final MessageType type;

  /** Read-only; handed out as duplicates. */
  private final ByteBuffer payload;

  PreparedMessage(MessageType type, ByteBuffer payload) {
    this.type = type;
    this.payload = payload.asReadOnlyBuffer();
  }

  /**
   * Prepares a text message.
   *
   * @throws IllegalArgumentException if {@code text} has a lone surrogate
   */
  public static PreparedMessage text(CharSequence text) {
    return new SharedMessage(MessageType.TEXT, Utf8.encode(text));
  }

  /** Prepares a binary message; keeps a copy of {@code payload}. */
  public static PreparedMessage binary(byte[] payload) {
    return new SharedMessage(MessageType.BINARY, ByteBuffer.wrap(payload.clone()));
  }

  /**
   * Prepares a message; keeps a copy of the bytes between position and limit of {@code payload},
   * whose position does not change.
   *
   * @param type {@link MessageType#TEXT} (the bytes must be UTF-8) or {@link MessageType#BINARY}
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}
   */
  public static PreparedMessage of(ByteBuffer payload, MessageType type) {
    if (Objects.requireNonNull(type, "type") == MessageType.CLOSE) {
      throw new IllegalArgumentException("a message cannot be of type CLOSE; use closeOutput");
    }
    int size = payload.remaining();
    ByteBuffer copy = ByteBuffer.allocate(size).put(0, payload, payload.position(), size);
    return new SharedMessage(type, copy);
  }

  /** Prepares {@code message}; keeps a copy of a binary one's payload. */
  public static PreparedMessage of(Message message) {
    return switch (Objects.requireNonNull(message, "message")) {
      case Message.Text text -> text(text.text());
      case Message.Binary binary -> of(binary.payload(), MessageType.BINARY);
    };
  }

  /** Returns {@link MessageType#TEXT} or {@link MessageType#BINARY}. */
  public MessageType type() {
    return type;
  }

  /** Returns the size of the payload in bytes. */
  public int size() {
    return payload.remaining();
  }

  /** Returns a read-only view of the payload, with a position of its own. */
  public ByteBuffer payload() {
    return payload.duplicate();
  }
}
