package dev.windhover.hubs.protocol;

/**
 * What came is malformed, or exceeds a limit. If a whole message is, its connection cannot go on.
 *
 * <p>It is the fault of a peer, and ordinary: so it has no stack trace.
 */
public final class InvalidDataException extends Exception {
  private static final long serialVersionUID = 1;
  private static final String NAME = "InvalidDataException";

  private final String wireName;

  /** Creates one with a text that clients know. */
  public InvalidDataException(String message) {
    this(NAME, message);
  }

  /** Creates one that clients know by another name: what a reader of JSON or MessagePack says. */
  InvalidDataException(String wireName, String message) {
    super(message, null, false, false);
    this.wireName = wireName;
  }

  /**
   * Returns what a client is told where errors are detailed: the reference's name for the
   * exception, and the message.
   */
  public String details() {
    return wireName + ": " + getMessage();
  }
}
