package dev.windhover.hubs.protocol;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * What came is malformed, or exceeds a limit. If a whole message is, its connection cannot go on.
 *
 * <p>It is the fault of a peer, and ordinary: so it has no stack trace.
 */
public final class InvalidDataException extends Exception {
  private static final long serialVersionUID = 1;

  private final String wireName;

  /** Creates one with a text that clients know. */
  public InvalidDataException(String message) {
    this(message, null);
  }

  /** Creates one with a text that clients know, and with what it does not say. */
  InvalidDataException(String message, @Nullable Throwable cause) {
    this("InvalidDataException", message, cause);
  }

  private InvalidDataException(
      String wireName, @Nullable String message, @Nullable Throwable cause) {
    super(message, cause, false, false);
    this.wireName = wireName;
  }

  /** Says what is wrong with a text that should be JSON. */
  static InvalidDataException notJson(Exception cause) {
    return new InvalidDataException("JsonReaderException", text(cause), cause);
  }

  /** Says what is wrong with bytes that should be MessagePack. */
  static InvalidDataException notMessagePack(Exception cause) {
    return new InvalidDataException("MessagePackSerializationException", text(cause), cause);
  }

  /** Says that the length of a record is malformed. */
  static InvalidDataException badLength(String message) {
    return new InvalidDataException("FormatException", message, null);
  }

  /** Says that a call has not as many arguments as its method has parameters. */
  static InvalidDataException wrongCount(int arguments, int parameters) {
    return new InvalidDataException(
        "Invocation provides %d argument(s) but target expects %d."
            .formatted(arguments, parameters));
  }

  /** Returns what an exception says, without the place in the source that Jackson adds. */
  static @Nullable String text(Exception e) {
    return e instanceof JacksonException jackson ? jackson.getOriginalMessage() : e.getMessage();
  }

  /**
   * Returns what a client is told where errors are detailed: the reference's name for the
   * exception, and the message.
   */
  public String details() {
    return wireName + ": " + getMessage();
  }
}
