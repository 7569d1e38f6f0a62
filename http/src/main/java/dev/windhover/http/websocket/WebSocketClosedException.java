package dev.windhover.http.websocket;

import java.io.IOException;

/**
 * A message could not be sent since the socket has ended, or is closing. Thrown out of a handler it
 * is no failure: the request ends quietly.
 */
public final class WebSocketClosedException extends IOException {
  private static final long serialVersionUID = 1;

  /** Creates one with the fact for a log. */
  public WebSocketClosedException(String message) {
    super(message);
  }
}
