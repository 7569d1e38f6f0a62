package dev.windhover.hubs;

import dev.windhover.http.User;
import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.HubMethodDescriptor.Access;
import dev.windhover.hubs.HubMethodDescriptor.Parameter;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** A call that a thread of its own runs, or the loop if it does not block. */
final class Call implements Runnable, HubCallerContext.Slot {
  private static final Logger log = Loggers.get(Call.class);

  private static final VarHandle RELEASED;
  private static final VarHandle STATE;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      RELEASED = lookup.findVarHandle(Call.class, "released", boolean.class);
      STATE = lookup.findVarHandle(Call.class, "state", State.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Whether a cancellation may interrupt the thread: never after the method has returned. */
  private enum State {
    WAITING,
    RUNNING,
    INTERRUPTING,
    OVER
  }

  private final HubSession session;
  private final HubEndpoint.Mapped mapped;

  /** The method, as the client calls it. */
  private final String target;

  private final @Nullable String invocationId;
  private final boolean wantsStream;
  private final List<? extends @Nullable Object> values;
  private final int sentStreams;

  /** Those that the loop has registered; empty if the client did not send as many as needed. */
  private final List<Upload> uploads;

  private final @Nullable Cancellation cancellation;

  /** What it costs while it waits; written before it is shared. */
  long cost;

  private volatile State state = State.WAITING;
  private volatile boolean released;
  private volatile boolean cancelled;
  private volatile @Nullable Thread thread;
  private volatile @Nullable Runnable onCancel;

  Call(
      HubSession session,
      HubEndpoint.Mapped mapped,
      String target,
      @Nullable String invocationId,
      boolean wantsStream,
      List<? extends @Nullable Object> values,
      int sentStreams,
      List<Upload> uploads) {
    this.session = session;
    this.mapped = mapped;
    this.target = target;
    this.invocationId = invocationId;
    this.wantsStream = wantsStream;
    this.values = values;
    this.sentStreams = sentStreams;
    this.uploads = uploads;
    this.cancellation =
        mapped.method().isCancellable() && !mapped.method().takesValuesOnly()
            ? new Cancellation()
            : null;
  }

  /** Returns whether it counts as one of those that run at a time. */
  boolean counts() {
    return !wantsStream && uploads.isEmpty();
  }

  boolean wantsStream() {
    return wantsStream;
  }

  /** Returns whether the loop has to know when it ends. */
  boolean isTracked() {
    return !counts() || mapped.method().isCancellable();
  }

  @Nullable String invocationId() {
    return invocationId;
  }

  List<Upload> uploads() {
    return uploads;
  }

  // ---- Its place among the calls of the connection

  @Override
  public void release() {
    if (counts() && RELEASED.compareAndSet(this, false, true)) {
      session.calls().end();
    }
  }

  boolean hasReleased() {
    return released;
  }

  /** The connection has ended before it began. */
  void dropped() {
    uploads.forEach(Upload::close);
  }

  // ---- Running

  @Override
  public void run() {
    HubMethodDescriptor method = mapped.method();
    String refusal = refusal(method);
    if (refusal != null) {
      log.debug("connection {}: call of {} refused: {}", session.id(), target, refusal);
      fail(refusal);
      over();
      return;
    }
    Hub<?> hub = session.newHub();
    if (hub == null) {
      over();
      return;
    }
    try {
      begin();
      Object result = awaited(invoke(hub));
      if (wantsStream) {
        pump(result);
      } else {
        end();
        answer(result);
      }
    } catch (Throwable e) {
      end();
      failed(Errors.unwrapped(e));
    } finally {
      end();
      HubSession.close(hub);
      over();
    }
  }

  /** Returns why the call cannot be; null if it can. */
  private @Nullable String refusal(HubMethodDescriptor method) {
    if (!isAllowed(method.access(), session.connection().user())) {
      return Errors.unauthorized(target);
    }
    if (method.result() != null && !wantsStream) {
      return Errors.isStreaming(target);
    }
    if (method.result() == null && wantsStream) {
      return Errors.isNotStreaming(target);
    }
    int expected = mapped.uploads().size();
    if (sentStreams != expected) {
      return session.explained(
          Errors.unexpected(target), Errors.wrongStreams(sentStreams, expected));
    }
    return null;
  }

  static boolean isAllowed(Access access, @Nullable User user) {
    return !access.user()
        || user != null
            && access.anyOf().stream().allMatch(roles -> roles.stream().anyMatch(user::hasRole));
  }

  private @Nullable Object invoke(Hub<?> hub) throws Exception {
    HubCallerContext context = new HubCallerContext(session, this);
    hub.bind(context);
    return mapped.invoke(hub, context, arguments());
  }

  private @Nullable Object[] arguments() {
    List<Parameter> parameters = mapped.method().parameters();
    if (mapped.method().takesValuesOnly()) {
      return values.toArray();
    }
    @Nullable Object[] all = new @Nullable Object[parameters.size()];
    Iterator<? extends @Nullable Object> value = values.iterator();
    Iterator<Upload> upload = uploads.iterator();
    for (int i = 0; i < all.length; i++) {
      all[i] =
          switch (parameters.get(i)) {
            case Parameter.Value _ -> value.next();
            case Parameter.Uploaded uploaded -> uploaded.form().of(upload.next());
            case Parameter.Cancelled _ -> cancellation;
          };
    }
    return all;
  }

  private static @Nullable Object awaited(@Nullable Object result) throws Exception {
    return result instanceof CompletionStage<?> stage ? stage.toCompletableFuture().get() : result;
  }

  // ---- Answering

  private void answer(@Nullable Object result) {
    if (invocationId != null) {
      session.answer(Completion.of(invocationId, result));
    }
  }

  private void fail(String error) {
    if (invocationId != null) {
      session.answer(Completion.failed(invocationId, error));
    }
  }

  private void failed(Throwable error) {
    session.logFailure(mapped.method(), error, cancelled);
    fail(session.explained(Errors.unexpected(target), error));
  }

  /** Sends the items of a stream, as fast as the client takes them. */
  private void pump(@Nullable Object stream) throws Exception {
    String id = java.util.Objects.requireNonNull(invocationId);
    if (stream == null) {
      fail(Errors.nullStream(target));
      return;
    }
    StreamForm.Items items = StreamForm.itemsOf(stream);
    onCancel = items.onCancel();
    Throwable failure = null;
    try {
      while (!cancelled && items.iterator().hasNext()) {
        Object item = items.iterator().next();
        if (!cancelled) {
          session.sendWithRoom(new StreamItem(id, item), () -> cancelled);
        }
      }
    } catch (Throwable e) {
      failure = Errors.unwrapped(e);
    } finally {
      end();
      close(items);
    }
    if (failure == null || cancelled) {
      session.answer(Completion.empty(id));
    } else {
      session.logFailure(mapped.method(), failure, false);
      fail(session.explained(Errors.WHILE_STREAMING, failure));
    }
  }

  private void close(StreamForm.Items items) {
    try {
      items.closer().close();
    } catch (Exception e) {
      log.error("a stream of hub method {} could not be closed", mapped.method().description(), e);
    }
  }

  private void over() {
    uploads.forEach(Upload::close);
    session.over(this);
  }

  // ---- Cancelling

  /** Nobody waits for it any more. Loop only. */
  void cancel() {
    cancelled = true;
    if (cancellation != null) {
      cancellation.cancel();
    }
    Runnable wake = onCancel;
    if (wake != null) {
      wake.run();
    }
    session.wakeWriters();
    Thread running = thread;
    if (mapped.method().interruptible()
        && running != null
        && STATE.compareAndSet(this, State.RUNNING, State.INTERRUPTING)) {
      running.interrupt();
      state = State.OVER;
    }
  }

  /** From here on, the thread may be interrupted. */
  private void begin() throws InterruptedException {
    thread = Thread.currentThread();
    state = State.RUNNING;
    if (cancelled && mapped.method().interruptible()) {
      throw new InterruptedException("the call was cancelled before it began");
    }
  }

  /** From here on, it is not: the thread runs the next call. */
  private void end() {
    if (!STATE.compareAndSet(this, State.RUNNING, State.OVER)) {
      while (state == State.INTERRUPTING) {
        Thread.onSpinWait();
      }
    }
    if (thread != null) {
      thread = null;
      Thread.interrupted();
    }
  }
}
