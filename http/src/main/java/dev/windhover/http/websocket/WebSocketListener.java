package dev.windhover.http.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Receives a socket's messages as calls on its connection's loop: never two at once, in the order
 * of the wire. A listener must not block; to do so it hands work to a thread of its own.
 *
 * <p>Messages come as they are demanded: {@link WebSocket#demand} adds to the demand, and the
 * default {@link #onOpen} demands all there will ever be. What comes beyond the demand waits within
 * the inbound bound, then the peer is not read.
 *
 * <p>An exception out of a callback fails the socket with 1011 and writes one error line.
 */
public interface WebSocketListener {
  /** The socket is open; the first call. Demands all messages, unless overridden. */
  default void onOpen(WebSocket socket) throws Exception {
    socket.demand(Long.MAX_VALUE);
  }

  /**
   * A whole message has come.
   *
   * @param payload its bytes, lent for the duration of the call; text is valid UTF-8
   */
  default void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
    if (type == MessageType.TEXT) {
      onText(socket, StandardCharsets.UTF_8.decode(payload).toString());
    } else {
      onBinary(socket, payload);
    }
  }

  /** A whole text message has come; called by the default {@link #onMessage}. */
  default void onText(WebSocket socket, String text) throws Exception {}

  /**
   * A whole binary message has come; called by the default {@link #onMessage}.
   *
   * @param payload its bytes, lent for the duration of the call
   */
  default void onBinary(WebSocket socket, ByteBuffer payload) throws Exception {}

  /**
   * The queue of messages to send has shrunk below its low mark, after it had reached its high one.
   */
  default void onWritable(WebSocket socket) throws Exception {}

  /**
   * The peer has sent its Close, and all messages before it were taken. When this returns and the
   * listener has not closed, the Close is answered with the same code. A Close that waits longer
   * than 5 s for the demand is answered before this call.
   */
  default void onClose(WebSocket socket) throws Exception {}

  /** The socket has ended; the last call. Messages not demanded by then are dropped. */
  default void onEnded(WebSocket socket, Ending ending) throws Exception {}
}
