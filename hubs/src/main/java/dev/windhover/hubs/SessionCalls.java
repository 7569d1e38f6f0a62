package dev.windhover.hubs;

import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.HubEndpoint.Mapped;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.TypedValue;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The calls of a client: those that cannot be are refused, those of methods that do not block are
 * called at once, and the others wait for their turn and a thread. Loop only.
 */
final class SessionCalls {
  private static final Logger log = Loggers.get(SessionCalls.class);

  private final HubSession session;
  private final HubEndpoint endpoint;
  private final ClientStreams streams;
  private final CallQueue queue;

  /** Calls that a cancellation reaches, those without an id too; null while there was none. */
  private @Nullable Set<Call> cancellable;

  /** What the messages of those have together, which stay as long as their calls. */
  private long heldBytes;

  SessionCalls(HubSession session, HubEndpoint endpoint, ClientStreams streams, CallQueue queue) {
    this.session = session;
    this.endpoint = endpoint;
    this.streams = streams;
    this.queue = queue;
  }

  /**
   * What a client calls.
   *
   * @param bytes the size of its message
   */
  record Request(
      String target,
      @Nullable String invocationId,
      boolean wantsStream,
      List<? extends @Nullable Object> values,
      List<String> streamIds,
      int bytes) {}

  /** A call has come. */
  void add(Request call) {
    Mapped mapped = endpoint.method(call.target());
    if (mapped == null) {
      refuse(call.invocationId(), Errors.failedToInvoke(call.target()), Errors.noSuchMethod());
    } else if (call.wantsStream() || !call.streamIds().isEmpty()) {
      addStreaming(mapped, call);
    } else if (mapped.onLoop() && queue.tryBegin()) {
      callNow(mapped, call);
    } else {
      enqueue(mapped, call, List.of());
    }
  }

  /** Answers a call that cannot be, before those that wait. */
  void refuse(@Nullable String invocationId, String text, Throwable cause) {
    String error = endpoint.explained(text, cause);
    log.debug("connection {}: {}", session.id(), error);
    if (invocationId != null) {
      session.output().answer(Completion.failed(invocationId, error));
    }
  }

  private void addStreaming(Mapped mapped, Request call) {
    String id = call.invocationId();
    int most = session.options().maximumStreamsPerClient();
    String taken = streams.takenOf(call.streamIds());
    if (call.wantsStream() && isActive(id)) {
      session.output().answer(Completion.failed(Objects.requireNonNull(id), Errors.idInUse(id)));
    } else if (taken != null) {
      refuse(id, Errors.unexpected(call.target()), new HubException(Errors.idInUse(taken)));
    } else if (active() + call.streamIds().size() + (call.wantsStream() ? 1 : 0) > most) {
      refuse(id, Errors.unexpected(call.target()), Errors.tooManyStreams(most));
    } else {
      boolean fits = call.streamIds().size() == mapped.uploads().size();
      enqueue(
          mapped, call, fits ? streams.register(call.streamIds(), mapped.uploads()) : List.of());
    }
  }

  private void enqueue(Mapped mapped, Request request, List<Upload> uploads) {
    Call call = new Call(session, mapped, request, uploads);
    if (call.isTracked()) {
      if (cancellable == null) {
        cancellable = new HashSet<>();
      }
      cancellable.add(call);
      heldBytes += request.bytes();
    }
    queue.add(call, request.bytes());
  }

  // ---- On the loop

  private void callNow(Mapped mapped, Request call) {
    Hub<?> hub = session.newHub();
    if (hub == null) {
      queue.end();
      return;
    }
    try {
      HubCallerContext context = session.contextOnLoop();
      hub.bind(context);
      Object result = mapped.invoke(hub, context, call.values().toArray());
      if (result instanceof CompletionStage<?> stage) {
        stage.whenComplete((value, failure) -> ended(mapped, call, hub, value, failure));
      } else {
        ended(mapped, call, hub, result, null);
      }
    } catch (Throwable e) {
      ended(mapped, call, hub, null, e);
    }
  }

  /** Any thread. */
  private void ended(
      Mapped mapped,
      Request call,
      Hub<?> hub,
      @Nullable Object result,
      @Nullable Throwable failure) {
    String id = call.invocationId();
    if (failure != null) {
      Throwable cause = Errors.unwrapped(failure);
      session.logFailure(mapped.method(), cause, false);
      if (id != null) {
        String error = endpoint.explained(Errors.unexpected(call.target()), cause);
        session.output().answer(Completion.failed(id, error));
      }
    } else if (id != null) {
      Object typed = TypedValue.of(result, mapped.method().resultType());
      session.output().answer(Completion.of(id, typed));
    }
    HubEndpoint.close(hub);
    queue.end();
  }

  // ---- Cancelling

  /** The client does not want an answer any more. */
  void cancel(String invocationId) {
    if (cancellable != null) {
      for (Call call : cancellable) {
        if (invocationId.equals(call.invocationId())) {
          call.cancel();
          return;
        }
      }
    }
    log.debug("connection {} cancels {}, which is not there", session.id(), invocationId);
  }

  /** The connection is gone. */
  void cancelAll() {
    queue.clear();
    if (cancellable != null) {
      List.copyOf(cancellable).forEach(Call::cancel);
    }
  }

  /** A call has ended that was tracked. */
  void forget(Call call) {
    if (cancellable != null && cancellable.remove(call)) {
      heldBytes -= call.bytes();
    }
    streams.forget(call.uploads());
  }

  /** Returns how many bytes came with the calls that a cancellation reaches. */
  long heldBytes() {
    return heldBytes;
  }

  private boolean isActive(@Nullable String invocationId) {
    return cancellable != null
        && cancellable.stream()
            .anyMatch(
                call -> call.wantsStream() && Objects.equals(call.invocationId(), invocationId));
  }

  /** Returns how many streams there are, in both directions. */
  private int active() {
    int all = streams.count();
    if (cancellable != null) {
      for (Call call : cancellable) {
        all += call.wantsStream() ? 1 : 0;
      }
    }
    return all;
  }
}
