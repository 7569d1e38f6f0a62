package dev.windhover.server;

import java.io.IOException;

/** An address cannot be listened on; the message is one line for whoever started the server. */
public final class ListenException extends IOException {
  private static final long serialVersionUID = 1;

  /** Creates one with the line for whoever started the server. */
  public ListenException(String message) {
    super(message);
  }

  /** Creates one with the line for whoever started the server. */
  public ListenException(String message, Throwable cause) {
    super(message, cause);
  }
}
