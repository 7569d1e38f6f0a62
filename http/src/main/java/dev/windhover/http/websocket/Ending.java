package dev.windhover.http.websocket;

import dev.windhover.protocol.CloseReason;
import java.util.Locale;
import java.util.Objects;

/** How a socket ended. It is a value, not an exception, because every socket ends. */
public final class Ending {
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

  private final By by;
  private final CloseReason reason;
  private final String why;

  /** Creates an ending; see the methods of the same names. */
  public Ending(By by, CloseReason reason, String why) {
    this.by = Objects.requireNonNull(by);
    this.reason = Objects.requireNonNull(reason);
    this.why = Objects.requireNonNull(why);
  }

  /** Returns who ended the socket. */
  public By by() {
    return by;
  }

  /**
   * Returns the Close that decided: the peer's, if one came (1005 if it was empty); otherwise ours,
   * if we sent one; otherwise 1006.
   */
  public CloseReason reason() {
    return reason;
  }

  /** Returns the fact, in one lower-case line for a log. */
  public String why() {
    return why;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ending that
        && by == that.by
        && reason.equals(that.reason)
        && why.equals(that.why);
  }

  @Override
  public int hashCode() {
    return Objects.hash(by, reason, why);
  }

  @Override
  public String toString() {
    return "ended by " + by.name().toLowerCase(Locale.ROOT) + ", " + reason + ": " + why;
  }
}
