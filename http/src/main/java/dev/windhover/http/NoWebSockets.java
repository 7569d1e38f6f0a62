package dev.windhover.http;

import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.http.websocket.WebSocketManager;
import java.util.List;

/**
 * The result of {@link HttpContext#webSockets()} without the middleware. Its exceptions say that it
 * is missing.
 */
record NoWebSockets(HttpRequest request) implements WebSocketManager {
  @Override
  public boolean isWebSocketRequest() {
    return false;
  }

  @Override
  public List<String> webSocketRequestedProtocols() {
    return request.headers().list("Sec-WebSocket-Protocol");
  }

  @Override
  public WebSocket accept(WebSocketAcceptContext settings) {
    throw missing();
  }

  @Override
  public WebSocket accept(WebSocketAcceptContext settings, WebSocketListener listener) {
    throw missing();
  }

  @Override
  public void requireWebSocketRequest() {
    throw missing();
  }

  @Override
  public void requireAllowedOrigin() {}

  private static IllegalStateException missing() {
    return new IllegalStateException(
        "WebSockets are not enabled: call useWebSockets() on the application");
  }
}
