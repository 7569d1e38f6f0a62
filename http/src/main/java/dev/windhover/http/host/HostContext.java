package dev.windhover.http.host;

import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpResponse;
import dev.windhover.http.websocket.WebSocketManager;
import org.jspecify.annotations.Nullable;

/**
 * What a request's context offers to hosts and engines, and hides from applications. Used by one
 * thread at a time, as the context is.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface HostContext {
  /** Returns this side of {@code context}. */
  static HostContext of(HttpContext context) {
    return (HostContext) context; // the only class that it permits implements this
  }

  /** Returns the host's offer to take the connection over, or null if the request makes none. */
  @Nullable Upgrade upgrade();

  /**
   * Returns the status that accepts the request's upgrade: 101, or for an extended CONNECT 200
   * unless another of 200–299 was set (RFC 8441 5).
   *
   * @throws IllegalStateException if the status that was set is another
   */
  int upgradeStatus();

  /**
   * Says that {@code takeover} answers this request through {@link #upgrade()}: from here on the
   * response cannot be changed. Runs what waits on {@link HttpResponse#onStarting}.
   *
   * @throws IllegalStateException if the response has started, or a body was written for it
   */
  void takeOver(Takeover takeover);

  /** Puts a WebSocket engine under this request, as the middleware does. */
  void webSockets(WebSocketManager manager);

  /** Returns whether a WebSocket engine is there already. */
  boolean hasWebSockets();

  /**
   * Returns whether a route matched and nobody has answered: no status, body or upgrade. Headers
   * alone are no answer, since middleware sets some on every response.
   */
  boolean isUnanswered();
}
