package dev.windhover.http;

import dev.windhover.protocol.CloseReason;

/**
 * How a socket ended: a value, not an exception, since every socket ends.
 *
 * @param by who ended it
 * @param reason the deciding Close: the peer's, if one came (1005 if that was empty); else ours, if
 *     we ended the socket for a violation or a stop; else 1006
 * @param why one line for a log: lower case, the fact
 */
public record Ending(By by, CloseReason reason, String why) {
  /** Who ended a socket. */
  public enum By {
    /** The peer sent its Close first. */
    PEER,
    /** The application closed, aborted or failed. */
    APPLICATION,
    /** Windhover did: a violation by the peer, a time limit, a stop. */
    SERVER,
    /** Nobody: the connection was lost. */
    CONNECTION
  }

  @Override
  public String toString() {
    return "ended by " + by.name().toLowerCase(java.util.Locale.ROOT) + ", " + reason + ": " + why;
  }
}
