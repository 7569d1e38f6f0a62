package dev.windhover.server;

import java.io.IOException;

/** The server cannot listen on an address. The message is one line for the user who started it. */
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
