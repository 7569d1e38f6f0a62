package dev.windhover.hubs;

import org.jspecify.annotations.Nullable;

/**
 * An error whose message is for the other side. A client is told the message of one that a hub
 * method throws, even where {@link HubOptions#enableDetailedErrors} is off; in a hub, it says what
 * a client has answered instead of a result, or how its stream has failed.
 */
public class HubException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Creates one. */
  public HubException(String message) {
    super(message);
  }

  /** Creates one with a cause, which the client is not told. */
  public HubException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
