package dev.windhover.hubs.protocol;

/** What came is malformed, or exceeds a limit. The connection cannot go on. */
public final class InvalidDataException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates one. */
  public InvalidDataException(String message) {
    super(message);
  }

  /** Creates one with a cause. */
  public InvalidDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
