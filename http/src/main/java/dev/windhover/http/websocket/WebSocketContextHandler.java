package dev.windhover.http.websocket;

import dev.windhover.http.HttpContext;

/**
 * Handles a socket from its opening to its end, and knows the request that it came from. It runs on
 * a virtual thread and may block.
 */
@FunctionalInterface
public interface WebSocketContextHandler {
  /**
   * Handles the socket; see {@link WebSocket} for what happens when this returns or throws.
   *
   * @param context the request of the handshake: its path parameters, query, headers and user. The
   *     response has been sent
   */
  void handle(HttpContext context, WebSocket socket) throws Exception;
}
