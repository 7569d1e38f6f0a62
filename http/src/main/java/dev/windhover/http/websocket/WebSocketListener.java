package dev.windhover.http.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Receives a socket's messages as calls on its connection's loop, one at a time, in the order of
 * the wire. A listener must not block; it hands blocking work to another thread.
 *
 * <p>Messages are delivered on demand: {@link WebSocket#demand} adds to the demand, and the default
 * {@link #onOpen} demands all messages. Messages beyond the demand wait here up to the inbound
 * limit; then the peer is not read.
 *
 * <p>If a callback throws an exception, the socket fails with 1011, and one error line is logged.
 */
public interface WebSocketListener {
  /** The socket is open. This is the first call. It demands all messages, unless overridden. */
  default void onOpen(WebSocket socket) throws Exception {
    socket.demand(Long.MAX_VALUE);
  }

  /**
   * A whole message has come.
   *
   * @param payload its bytes, lent only for the duration of the call; text is valid UTF-8
   */
  default void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
    if (type == MessageType.TEXT) {
      onText(socket, StandardCharsets.UTF_8.decode(payload).toString());
    } else {
      onBinary(socket, payload);
    }
  }

  /**
   * Returns whether messages are delivered in parts, as they come, by {@link #onPart} in place of
   * {@link #onMessage}: for listeners to whom messages are pieces of a stream. There is no limit on
   * the size of a message then. Asked once, before the socket is open.
   */
  default boolean takesParts() {
    return false;
  }

  /**
   * A part of a message has come, if this listener {@linkplain #takesParts takes parts}. Each part
   * counts as a message for the demand.
   *
   * @param part bytes of the message, lent only for the duration of the call; empty only at its
   *     end. A part of a text may begin and end within a character.
   * @param endOfMessage whether the message ends with it
   */
  default void onPart(WebSocket socket, MessageType type, ByteBuffer part, boolean endOfMessage)
      throws Exception {}

  /** A whole text message has come; called by the default {@link #onMessage}. */
  default void onText(WebSocket socket, String text) throws Exception {}

  /**
   * A whole binary message has come; called by the default {@link #onMessage}.
   *
   * @param payload its bytes, lent only for the duration of the call
   */
  default void onBinary(WebSocket socket, ByteBuffer payload) throws Exception {}

  /**
   * The send queue has drained below its low mark, after it had reached its high mark or {@link
   * WebSocket#trySend(ByteBuffer, MessageType, dev.windhover.http.websocket.SendFlag...) trySend}
   * was refused. If it was refused because another message was under way, that one has ended.
   */
  default void onWritable(WebSocket socket) throws Exception {}

  /**
   * The peer has sent a Close, and all messages before it have been delivered. If the listener has
   * not closed the socket when this returns, the Close is answered with the same code. A Close that
   * waits for demand for more than 5 s is answered before this call.
   */
  default void onClose(WebSocket socket) throws Exception {}

  /**
   * The socket has ended. This is the last call. Messages that were not demanded by then are
   * dropped.
   */
  default void onEnded(WebSocket socket, Ending ending) throws Exception {}
}
