package dev.windhover.http.websocket;

import java.io.IOException;

/**
 * A message could not be sent because the socket has ended or is closing. A handler that throws it
 * has not failed: the request ends quietly.
 */
public final class WebSocketClosedException extends IOException {
  private static final long serialVersionUID = 1;

  /** Creates an exception with the fact for a log. */
  public WebSocketClosedException(String message) {
    super(message);
  }
}
