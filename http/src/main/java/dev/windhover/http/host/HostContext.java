package dev.windhover.http.host;

import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpResponse;
import dev.windhover.http.websocket.WebSocketManager;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The part of a request's context that hosts and engines see and applications do not. Only one
 * thread may use it at a time, as with the context.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface HostContext {
  /** Returns this side of {@code context}. */
  static HostContext of(HttpContext context) {
    return (HostContext) context; // the only class that it permits implements this
  }

  /**
   * Counts this request for {@code client}, for whom a known proxy has passed it on; see {@link
   * Exchange#onBehalfOf}.
   *
   * @throws dev.windhover.http.HttpException 503 if that client has too many requests
   */
  void onBehalfOf(InetAddress client);

  /** Returns the loop on which the request's connection lives. */
  Loop loop();

  /** Returns the host's memory budget, in which whatever outlives the request is to be counted. */
  MemoryBudget memory();

  /** Returns the offer to take the connection over, or null if the request makes no such offer. */
  @Nullable Upgrade upgrade();

  /**
   * Returns the status that accepts the request's upgrade: 101. For an extended CONNECT, it is the
   * status that was set, 200 by default (RFC 8441 5).
   *
   * @throws IllegalStateException if the status that was set for an extended CONNECT is not 200–299
   */
  int upgradeStatus();

  /**
   * Records that {@code takeover} answers this request through {@link #upgrade()}, and runs the
   * tasks of {@link HttpResponse#onStarting}. From now on, the response cannot be changed.
   *
   * @throws IllegalStateException if the response has started, or a body was written for it
   */
  void takeOver(Takeover takeover);

  /** Gives this request a WebSocket engine, as the middleware does. */
  void webSockets(WebSocketManager manager);

  /** Returns whether this request already has a WebSocket engine. */
  boolean hasWebSockets();

  /**
   * Returns whether a route matched and the request was not answered: no status was set, no body
   * written, and no upgrade accepted. Headers do not count, because middleware sets some on every
   * response.
   */
  boolean isUnanswered();
}
