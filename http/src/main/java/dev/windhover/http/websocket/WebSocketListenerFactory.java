package dev.windhover.http.websocket;

import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;

/**
 * Makes the listener of each socket, from the request that asks for the socket. It runs on a
 * virtual thread and may block.
 */
@FunctionalInterface
public interface WebSocketListenerFactory {
  /**
   * Returns the listener of one socket, which is accepted after this has returned.
   *
   * @param context the request, which is a valid opening handshake. A listener should take from it
   *     what it needs, and not keep it: it would hold the request in memory while the socket lives
   * @throws HttpException to refuse the socket with that status
   */
  WebSocketListener listenerFor(HttpContext context) throws Exception;
}
