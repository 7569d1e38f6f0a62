package dev.windhover.http;

import dev.windhover.protocol.CloseReason;

/**
 * How a socket ended. It is a value, not an exception, because every socket ends.
 *
 * @param by who ended it
 * @param reason the Close that decided: the peer's, if one came (1005 if it was empty); otherwise
 *     ours, if we ended the socket because of a violation or a stop; otherwise 1006
 * @param why the fact, in one lower-case line for a log
 */
public record Ending(By by, CloseReason reason, String why) {
  /** Who ended a socket. */
  public enum By {
    /** The peer sent its Close first. */
    PEER,
    /** The application closed or aborted the socket, or failed. */
    APPLICATION,
    /** Windhover, because of a violation by the peer, a time limit, or a stop. */
    SERVER,
    /** Nobody: the connection was lost. */
    CONNECTION
  }

  @Override
  public String toString() {
    return "ended by " + by.name().toLowerCase(java.util.Locale.ROOT) + ", " + reason + ": " + why;
  }
}
