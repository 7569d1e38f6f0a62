package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import dev.windhover.hubs.protocol.HubMessage;
import java.io.IOException;
import java.lang.reflect.Type;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A result that a connection owes. Any thread. */
final class ClientResult {
  /** How the wait for it ended. */
  sealed interface Outcome {
    record Result(@Nullable Object value) implements Outcome {}

    record NoResult() implements Outcome {}

    record ClientError(String text) implements Outcome {}

    record Unreadable(Throwable cause) implements Outcome {}

    record Disconnected() implements Outcome {}

    record Unknown() implements Outcome {}

    record Unreachable() implements Outcome {}

    record TimedOut() implements Outcome {}

    record Cancelled() implements Outcome {}

    /** Returns how an answer ends the wait. */
    static Outcome of(HubMessage.Completion answer) {
      if (answer.error() != null) {
        return new ClientError(answer.error());
      }
      return answer.hasResult() ? new Result(answer.result()) : new NoResult();
    }
  }

  private final String invocationId;
  private final String connectionId;
  private final @Nullable Peer peer;
  private final Type type;
  private final Duration limit;
  private final Consumer<ClientResult> settled;

  private volatile @Nullable Outcome outcome;
  private volatile Loop.@Nullable Timer timer;

  /**
   * Creates one that is awaited.
   *
   * @param peer whose result it is; null for a connection of another server
   * @param settled called once, when there is an outcome, by any thread; must not block
   */
  ClientResult(
      String invocationId,
      String connectionId,
      @Nullable Peer peer,
      Type type,
      Duration limit,
      Consumer<ClientResult> settled) {
    this.invocationId = invocationId;
    this.connectionId = connectionId;
    this.peer = peer;
    this.type = type;
    this.limit = limit;
    this.settled = settled;
  }

  String invocationId() {
    return invocationId;
  }

  /** Returns whose result it is; null for a connection of another server. */
  @Nullable Peer peer() {
    return peer;
  }

  /** Returns whether {@code connection} owes it. */
  boolean isOwedBy(HubConnection connection) {
    return peer != null && peer.connection().equals(connection);
  }

  Type type() {
    return type;
  }

  /** Begins to measure the time. */
  void startTimer(Loop loop, Runnable expired) {
    Loop.Timer started = loop.schedule(limit, expired);
    timer = started;
    if (isSettled()) { // before there was a timer to cancel
      started.cancel();
    }
  }

  /** Ends the wait; called once. */
  void settle(Outcome how) {
    outcome = how;
    Loop.Timer started = timer;
    if (started != null) {
      started.cancel();
    }
    settled.accept(this);
  }

  boolean isSettled() {
    return outcome != null;
  }

  /** Returns the result after the wait has ended, or throws what it ended with. */
  @Nullable Object get() throws IOException {
    return switch (outcome) {
      case Outcome.Result(var value) -> value;
      case Outcome.NoResult _ when type.equals(Void.class) -> null;
      case Outcome.NoResult _ -> throw new HubException("the client has answered without a result");
      case Outcome.ClientError(var text) -> throw new HubException(text);
      case Outcome.Unreadable(var cause) ->
          throw new HubException(String.valueOf(cause.getMessage()), cause);
      case Outcome.Disconnected _ ->
          throw new IOException("Connection '%s' disconnected.".formatted(connectionId));
      case Outcome.Unknown _ ->
          throw new IOException("Connection '%s' does not exist.".formatted(connectionId));
      case Outcome.Unreachable _ ->
          throw new IOException(
              "connection '%s' is not here, and other servers cannot be asked now"
                  .formatted(connectionId));
      case Outcome.TimedOut _ ->
          throw new SocketTimeoutException(
              "connection '%s' has not answered within %s".formatted(connectionId, limit));
      case Outcome.Cancelled _ -> throw new CancellationException("the wait was cancelled");
      case null -> throw new IllegalStateException("nothing has settled " + invocationId);
    };
  }
}
