package dev.windhover.http.websocket;

/** Handles a socket from its opening to its end. It runs on a virtual thread and may block. */
@FunctionalInterface
public interface WebSocketHandler {
  /** Handles the socket; see {@link WebSocket} for what happens when this returns or throws. */
  void handle(WebSocket socket) throws Exception;
}
