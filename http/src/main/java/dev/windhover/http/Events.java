package dev.windhover.http;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;

/**
 * What happens inside, told as it happens: metrics, flight recording and tracing implement it.
 * Callbacks run where the event does, often on a connection's loop: they must be quick and must not
 * block. One that throws is logged. Every method does nothing unless overridden.
 */
public interface Events {
  /** Tells nobody. */
  Events NONE = new Events() {};

  /**
   * An opening handshake, or what was almost one, did not become a socket; told once.
   *
   * @param status of the answer
   * @param text the cause with its details, in the answer's words where the library answers
   */
  default void handshakeRefused(
      HttpContext context, HandshakeRefusal cause, int status, String text) {}

  /** A socket was opened. */
  default void socketOpened(HttpContext context, WebSocket socket) {}

  /** A socket has ended. */
  default void socketEnded(HttpContext context, WebSocket socket, Ending ending) {}

  /**
   * A handler, a listener, or a step or a task around them, failed with what nobody caught. Told
   * where the log has its error line, before the client learns of it.
   */
  default void handlerFailed(HttpContext context, Throwable failure) {}

  /** A message was received to its end; {@code bytes} of payload. */
  default void messageReceived(HttpContext context, MessageType type, long bytes) {}

  /** A message was queued to its end; {@code bytes} of payload. */
  default void messageSent(HttpContext context, MessageType type, long bytes) {}

  /** A bound of a socket was reached and acted on. */
  default void limitReached(HttpContext context, Limit limit) {}
}
