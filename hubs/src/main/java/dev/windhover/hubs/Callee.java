package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import dev.windhover.http.host.LoopThread;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Clients of a hub, and how they are called: what proxies are built on. */
final class Callee implements SingleClientProxy {
  private final HubConnections<?> hub;
  private final Audience audience;
  private final Policy policy;
  private final @Nullable HubCallerContext caller;

  /**
   * Creates one.
   *
   * @param caller whose call wants it; null outside of calls
   */
  Callee(
      HubConnections<?> hub, Audience audience, Policy policy, @Nullable HubCallerContext caller) {
    this.hub = hub;
    this.audience = audience;
    this.policy = policy;
    this.caller = caller;
  }

  @Override
  public void send(String method, @Nullable Object... arguments) {
    sendArguments(method, Arrays.asList(arguments));
  }

  void sendArguments(String method, List<? extends @Nullable Object> arguments) {
    hub.send(audience, method, arguments, policy);
  }

  @Override
  public <T> @Nullable T invoke(Class<T> type, String method, @Nullable Object... arguments) {
    @SuppressWarnings("unchecked") // it was read as such
    T result = (T) invoke((Type) type, method, arguments);
    return result;
  }

  @Override
  public @Nullable Object invoke(Type type, String method, @Nullable Object... arguments) {
    try {
      return await(type, method, Arrays.asList(arguments), null);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  @Override
  public <T> CompletionStage<@Nullable T> invokeAsync(
      Class<T> type, String method, @Nullable Object... arguments) {
    @SuppressWarnings("unchecked") // it will be read as such
    CompletionStage<@Nullable T> result =
        (CompletionStage<@Nullable T>) ask(type, method, Arrays.asList(arguments), null);
    return result;
  }

  // ---- Results

  /**
   * Asks for a result and waits for it, without regard to interrupts.
   *
   * @param cancellation ends the wait; null for none
   */
  @Nullable Object await(
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      @Nullable Cancellation cancellation)
      throws IOException {
    boolean wasInterrupted = false;
    try (Wait wait = begin(type, method, arguments, cancellation)) {
      while (!wait.isOver()) {
        LockSupport.park(wait);
        wasInterrupted |= Thread.interrupted();
      }
      return wait.result.get();
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** As {@link #await}, but ends at an interrupt. */
  @Nullable Object awaitInterruptibly(
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      @Nullable Cancellation cancellation)
      throws IOException, InterruptedException {
    try (Wait wait = begin(type, method, arguments, cancellation)) {
      while (!wait.isOver()) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        LockSupport.park(wait);
      }
      return wait.result.get();
    }
  }

  /** A thread that waits for a result. */
  private final class Wait implements AutoCloseable {
    final ClientResult result;
    private final Cancellation.@Nullable Registration registration;

    Wait(ClientResult result, @Nullable Cancellation cancellation) {
      this.result = result;
      this.registration =
          cancellation == null ? null : cancellation.onCancelled(() -> hub.cancel(result));
    }

    boolean isOver() {
      return result.isSettled();
    }

    /** If it was given up, the result will be of no use. */
    @Override
    public void close() {
      if (registration != null) {
        registration.close();
      }
      hub.cancel(result);
    }
  }

  private Wait begin(
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      @Nullable Cancellation cancellation)
      throws IOException {
    String id = requireOne(method);
    Peer peer = hub.peer(id);
    if (LoopThread.isCurrent()) {
      throw new IllegalStateException(
          "an event loop cannot wait for the result of '%s': call it from a method that may block"
              .formatted(method));
    }
    releaseSlot();
    Thread waiting = Thread.currentThread();
    ClientResult result =
        peer == null
            ? askElsewhere(id, type, method, arguments, _ -> LockSupport.unpark(waiting))
            : ask(peer, type, method, arguments, _ -> loopOf(peer).unpark(waiting));
    return new Wait(result, cancellation);
  }

  /** Asks for a result, which completes the future on a virtual thread. */
  CompletableFuture<@Nullable Object> ask(
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      @Nullable Cancellation cancellation) {
    var future = new CompletableFuture<@Nullable Object>();
    try {
      String id = requireOne(method);
      Peer peer = hub.peer(id);
      releaseSlot(); // the call may wait for the future
      ClientResult result =
          peer == null
              ? askElsewhere(
                  id,
                  type,
                  method,
                  arguments,
                  settled -> Thread.startVirtualThread(() -> complete(future, settled)))
              : ask(
                  peer,
                  type,
                  method,
                  arguments,
                  settled ->
                      loopOf(peer).startHandler("client-result", () -> complete(future, settled)));
      future.whenComplete((_, _) -> hub.cancel(result)); // if it was cancelled
      if (cancellation != null) {
        Cancellation.Registration registration = cancellation.onCancelled(() -> hub.cancel(result));
        future.whenComplete((_, _) -> registration.close());
      }
    } catch (IOException e) {
      future.completeExceptionally(e);
    }
    return future;
  }

  private ClientResult ask(
      Peer peer,
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      Consumer<ClientResult> settled) {
    Duration limit = limitOf(peer.options());
    return hub.results().ask(peer, type, method, arguments, limit, settled);
  }

  /** Asks a connection that is not here. */
  private ClientResult askElsewhere(
      String id,
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      Consumer<ClientResult> settled)
      throws IOException {
    Fleet fleet = hub.fleet();
    if (fleet == null) {
      throw new IOException("Connection '%s' does not exist.".formatted(id));
    }
    return fleet.ask(id, type, method, arguments, limitOf(hub.options()), settled);
  }

  private static Loop loopOf(Peer peer) {
    return peer.connection().connection().loop();
  }

  private Duration limitOf(HubOptions options) {
    Duration own = policy.resultTimeout();
    return own == null ? options.clientResultTimeout() : own;
  }

  private static void complete(CompletableFuture<@Nullable Object> future, ClientResult result) {
    try {
      future.complete(result.get());
    } catch (IOException | RuntimeException e) {
      future.completeExceptionally(e);
    }
  }

  /** Lets other calls of the client begin, before this one waits. */
  private void releaseSlot() {
    if (caller != null) {
      caller.releaseSlot();
    }
  }

  /** Returns the id of the only one that is called. */
  private String requireOne(String method) {
    if (caller != null && caller.isInOnConnected()) {
      throw new IllegalStateException(
          "Client results inside OnConnectedAsync Hub methods are not allowed.");
    }
    return switch (audience) {
      case Audience.Caller(var peer) -> peer.id();
      case Audience.Client(var id) -> id;
      case Audience.All _,
          Audience.Clients _,
          Audience.Group _,
          Audience.Groups _,
          Audience.Users _ ->
          throw new UnsupportedOperationException(
              "'%s' has a result, and cannot be called on %s: only on caller() and client(id)"
                  .formatted(method, audience));
    };
  }

  @Override
  public String toString() {
    return audience.toString();
  }
}
