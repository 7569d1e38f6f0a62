package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
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

    record TimedOut() implements Outcome {}

    record Cancelled() implements Outcome {}
  }

  private final String invocationId;
  private final Peer peer;
  private final Type type;
  private final Duration limit;
  private final Consumer<ClientResult> settled;

  private volatile @Nullable Outcome outcome;
  private volatile Loop.@Nullable Timer timer;

  /**
   * Creates one that is awaited.
   *
   * @param settled called once, when there is an outcome, by any thread; must not block
   */
  ClientResult(
      String invocationId, Peer peer, Type type, Duration limit, Consumer<ClientResult> settled) {
    this.invocationId = invocationId;
    this.peer = peer;
    this.type = type;
    this.limit = limit;
    this.settled = settled;
  }

  String invocationId() {
    return invocationId;
  }

  Peer peer() {
    return peer;
  }

  Type type() {
    return type;
  }

  /** Begins to measure the time. */
  void startTimer(Runnable expired) {
    Loop.Timer started = peer.connection().connection().loop().schedule(limit, expired);
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
          throw new IOException("Connection '%s' disconnected.".formatted(peer.id()));
      case Outcome.TimedOut _ ->
          throw new SocketTimeoutException(
              "connection '%s' has not answered within %s".formatted(peer.id(), limit));
      case Outcome.Cancelled _ -> throw new CancellationException("the wait was cancelled");
      case null -> throw new IllegalStateException("nothing has settled " + invocationId);
    };
  }
}
