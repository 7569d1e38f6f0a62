package dev.windhover.hubs.protocol;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one side says to the other. The names are those of SignalR's protocols. */
public sealed interface HubMessage {
  /**
   * A call.
   *
   * @param headers what tracing needs; empty for most
   * @param invocationId what the answer will name; null if none is wanted
   * @param target the method
   * @param arguments those that are no streams
   * @param streamIds the streams that are arguments, in the order of their parameters
   */
  record Invocation(
      Map<String, String> headers,
      @Nullable String invocationId,
      String target,
      List<? extends @Nullable Object> arguments,
      List<String> streamIds)
      implements HubMessage {
    /** A call without headers and streams, as servers make it. */
    public Invocation(
        @Nullable String invocationId, String target, List<? extends @Nullable Object> arguments) {
      this(Map.of(), invocationId, target, arguments, List.of());
    }
  }

  /** A call that is answered by a stream; otherwise as {@link Invocation}. */
  record StreamInvocation(
      Map<String, String> headers,
      String invocationId,
      String target,
      List<? extends @Nullable Object> arguments,
      List<String> streamIds)
      implements HubMessage {}

  /** An item of a stream, in either direction. */
  record StreamItem(String invocationId, @Nullable Object item) implements HubMessage {}

  /**
   * The answer to a call, or the end of a stream.
   *
   * @param error what went wrong, for people; null if nothing did
   * @param hasResult whether there is a result, which may be null; false after an error, and at the
   *     end of a stream
   */
  record Completion(
      String invocationId, @Nullable String error, @Nullable Object result, boolean hasResult)
      implements HubMessage {
    /** The end of a stream, or an answer without a result. */
    public static Completion empty(String invocationId) {
      return new Completion(invocationId, null, null, false);
    }

    /** An answer with a result, which may be null. */
    public static Completion of(String invocationId, @Nullable Object result) {
      return new Completion(invocationId, null, result, true);
    }

    /** The failure of a call or stream. */
    public static Completion failed(String invocationId, String error) {
      return new Completion(invocationId, error, null, false);
    }
  }

  /** The client no longer wants the answer to a call, or a stream. */
  record CancelInvocation(String invocationId) implements HubMessage {}

  /** A sign of life. */
  record Ping() implements HubMessage {
    /** The only one that is needed. */
    public static final Ping INSTANCE = new Ping();
  }

  /**
   * The end of the connection.
   *
   * @param error why, for people; null if nothing is wrong
   * @param allowReconnect whether the client may connect anew by itself
   */
  record Close(@Nullable String error, boolean allowReconnect) implements HubMessage {}

  /** All messages up to {@code sequenceId} have been processed. */
  record Ack(long sequenceId) implements HubMessage {}

  /** The next message is number {@code sequenceId}. */
  record Sequence(long sequenceId) implements HubMessage {}

  // ---- What was read, but cannot be used

  /**
   * A call whose arguments do not fit its method. Only this call fails.
   *
   * @param invocationId null if no answer is wanted
   * @param isStream whether it asks for a stream
   * @param error what does not fit
   */
  record BindingFailure(
      @Nullable String invocationId, String target, boolean isStream, Throwable error)
      implements HubMessage {}

  /** An item that does not fit its stream. Only this stream fails. */
  record StreamBindingFailure(String streamId, Throwable error) implements HubMessage {}

  /** A result that does not fit. Only this answer fails. */
  record ResultBindingFailure(String invocationId, Throwable error) implements HubMessage {}
}
