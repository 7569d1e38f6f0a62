package dev.windhover.http;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import java.net.SocketAddress;

/**
 * Receives what happens inside the library, for metrics, flight recording and tracing. A call runs
 * on the thread where the event occurs, often a connection's loop, so it must be quick and must not
 * block. If a method throws an exception, it is logged and has no other effect. Every method does
 * nothing unless overridden.
 */
public interface Events {
  /** Does nothing. */
  Events NONE = new Events() {};

  /**
   * An opening handshake, or a request that was almost one, did not become a socket. Called once
   * for each request.
   *
   * @param status the status of the answer
   * @param text the cause with its details; if the library has answered, in the words of the answer
   */
  default void handshakeRefused(
      HttpContext context, HandshakeRefusal cause, int status, String text) {}

  /** A socket was opened. */
  default void socketOpened(HttpContext context, WebSocket socket) {}

  /** A socket has ended. */
  default void socketEnded(HttpContext context, WebSocket socket, Ending ending) {}

  /**
   * A handler, a listener, a pipeline step or a task has thrown an exception that nothing caught.
   * Called when the error is logged, before the client learns of it.
   */
  default void handlerFailed(HttpContext context, Throwable failure) {}

  /**
   * A task of {@link Application#every} or {@link Application#onStopping} has thrown an exception.
   * Called after the error was logged, on the task's thread.
   */
  default void taskFailed(Throwable failure) {}

  /**
   * A message was received completely.
   *
   * @param bytes the size of its payload, after decompression
   */
  default void messageReceived(HttpContext context, MessageType type, long bytes) {}

  /**
   * A message was queued completely.
   *
   * @param bytes the size of its payload, before compression
   */
  default void messageSent(HttpContext context, MessageType type, long bytes) {}

  /** A limit of a socket, a request, or its client was reached and has taken effect. */
  default void limitReached(HttpContext context, Limit limit) {}

  /**
   * A limit of the host has ended a connection outside of a request: before its first one, {@link
   * Limit#CONNECTIONS} or {@link Limit#CONNECTIONS_PER_ADDRESS}; or {@link Limit#MEMORY}, while
   * responses of earlier requests waited for the client.
   */
  default void connectionDropped(SocketAddress remote, Limit limit) {}
}
