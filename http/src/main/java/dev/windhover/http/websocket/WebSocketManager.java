package dev.windhover.http.websocket;

import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpResponse;
import java.util.List;
import java.util.Objects;

/**
 * The WebSocket side of a request: {@link HttpContext#webSockets()}.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface WebSocketManager {
  /**
   * Returns whether the request is a valid opening handshake (RFC 6455 4.2.1, RFC 8441 5). Always
   * false without the WebSocket middleware.
   */
  boolean isWebSocketRequest();

  /**
   * Returns the subprotocols that the client offers, in its order of preference. Works for any
   * request.
   */
  List<String> webSocketRequestedProtocols();

  /** Accepts the socket in the blocking form, with the middleware's settings. */
  default WebSocket accept() {
    return accept(new WebSocketAcceptContext());
  }

  /** Accepts the socket in the blocking form, with a subprotocol that the client offers. */
  default WebSocket accept(String subprotocol) {
    Objects.requireNonNull(subprotocol, "subprotocol");
    return accept(new WebSocketAcceptContext().subprotocol(subprotocol));
  }

  /**
   * Accepts the socket in the blocking form; answers the handshake and returns.
   *
   * @throws HttpException if the request is not a valid handshake, or there is no room for another
   *     socket; uncaught, it becomes the right response
   * @throws IllegalArgumentException if the subprotocol was not offered
   * @throws IllegalStateException if the socket was already accepted, the response has begun, or
   *     the WebSocket middleware is missing
   */
  WebSocket accept(WebSocketAcceptContext settings);

  /** Accepts the socket in the listener form, with the middleware's settings. */
  default WebSocket accept(WebSocketListener listener) {
    return accept(new WebSocketAcceptContext(), listener);
  }

  /**
   * Accepts the socket in the listener form and returns immediately; the handler should then
   * return. The request ends, and its {@link HttpResponse#onCompleted} is called, when the socket
   * has ended. Throws the same exceptions as {@link #accept(WebSocketAcceptContext)}.
   */
  WebSocket accept(WebSocketAcceptContext settings, WebSocketListener listener);

  /**
   * Returns if the request is a valid handshake; otherwise throws an exception that becomes the
   * response. Its status is 426 for a wrong version and 400 otherwise, and its text says what is
   * wrong.
   */
  void requireWebSocketRequest();

  /**
   * Returns if the page from which the request comes may open sockets here. The middleware asks
   * this for every opening handshake by itself; call it for other requests that do what a socket
   * does, such as those of an event stream. Without the middleware, all pages may.
   *
   * @throws HttpException 403 if it may not
   */
  void requireAllowedOrigin();
}
