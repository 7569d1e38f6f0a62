package dev.windhover.hubs;

import dev.windhover.hubs.protocol.InvalidDataException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What clients are told of errors, in the reference's words, which its clients and their tests
 * compare.
 */
final class Errors {
  private Errors() {}

  /** A client's fault, or ours, that ends a connection and that the reference names so. */
  static final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String wireName;

    Fault(String wireName, String message) {
      super(message, null, false, false);
      this.wireName = wireName;
    }
  }

  /**
   * Returns {@code text}, with what {@code error} says if the client may know: always for a {@link
   * HubException}, otherwise where errors are detailed.
   */
  static String message(String text, @Nullable Throwable error, boolean detailed) {
    return error == null || !(detailed || error instanceof HubException)
        ? text
        : text + " " + details(shown(error));
  }

  /** Returns the cause of one that only carries it: a client's result ends with such. */
  private static Throwable shown(Throwable error) {
    Throwable cause = error.getCause();
    return error instanceof UncheckedIOException && cause != null ? cause : error;
  }

  private static String details(Throwable error) {
    return switch (error) {
      case InvalidDataException malformed -> malformed.details();
      case Fault fault -> fault.wireName + ": " + fault.getMessage();
      default -> nameOf(error.getClass()) + ": " + error.getMessage();
    };
  }

  /** Returns the simple name; that of the superclass for one without a name. */
  private static String nameOf(Class<?> type) {
    return type.isAnonymousClass() ? nameOf(type.getSuperclass()) : type.getSimpleName();
  }

  /** Returns what a future or a publisher has failed with, without what carries it. */
  static Throwable unwrapped(Throwable error) {
    Throwable cause = error.getCause();
    boolean carries =
        error instanceof CompletionException
            || error instanceof ExecutionException
            || error instanceof PublishedItems.PublisherFailure;
    return carries && cause != null ? unwrapped(cause) : error;
  }

  // ---- Calls

  static String unexpected(String method) {
    return "An unexpected error occurred invoking '" + method + "' on the server.";
  }

  static String failedToInvoke(String method) {
    return "Failed to invoke '" + method + "' due to an error on the server.";
  }

  static String unauthorized(String method) {
    return "Failed to invoke '" + method + "' because user is unauthorized";
  }

  static String isStreaming(String method) {
    return "The client attempted to invoke the streaming '"
        + method
        + "' method with a non-streaming invocation.";
  }

  static String isNotStreaming(String method) {
    return "The client attempted to invoke the non-streaming '"
        + method
        + "' method with a streaming invocation.";
  }

  static String nullStream(String method) {
    return "The value returned by the streaming method '"
        + method
        + "' is not a ChannelReader<> or IAsyncEnumerable<>.";
  }

  static String idInUse(String invocationId) {
    return "Invocation ID '" + invocationId + "' is already in use.";
  }

  static HubException wrongStreams(int sent, int expected) {
    return new HubException(
        "Client sent " + sent + " stream(s), Hub method expects " + expected + ".");
  }

  static HubException tooManyStreams(int most) {
    return new HubException("The client has more than " + most + " streams.");
  }

  static HubException noSuchMethod() {
    return new HubException("Method does not exist.");
  }

  static final String WHILE_STREAMING = "An error occurred on the server while streaming results.";
  static final String BINDING_ITEM = "Failed to bind Stream message.";

  // ---- Connections

  static final String CLOSED = "Connection closed with an error.";
  static final String HANDSHAKE = "An unexpected error occurred during connection handshake.";
  static final String HANDSHAKE_CANCELED = "Handshake was canceled.";

  static Fault silent() {
    return new Fault(
        "OperationCanceledException",
        "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.");
  }

  static Fault anothersResult(String connectionId, String invocationId) {
    return new Fault(
        "InvalidOperationException",
        "Connection ID '%s' is not valid for invocation ID '%s'."
            .formatted(connectionId, invocationId));
  }

  static Fault sequenceTooHigh() {
    return new Fault(
        "InvalidOperationException", "Sequence ID greater than amount of messages we've received.");
  }
}
