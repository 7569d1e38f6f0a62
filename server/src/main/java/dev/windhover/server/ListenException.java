package dev.windhover.server;

import java.io.IOException;

/**
 * The server cannot start: it cannot listen on an address, or use its certificate, or an option is
 * wrong. The message is one line for the user who started it.
 */
public final class ListenException extends IOException {
  private static final long serialVersionUID = 1;

  /** Creates an exception with a line for the user who started the server. */
  public ListenException(String message) {
    super(message);
  }

  /** Creates an exception with a line for the user who started the server. */
  public ListenException(String message, Throwable cause) {
    super(message, cause);
  }
}
