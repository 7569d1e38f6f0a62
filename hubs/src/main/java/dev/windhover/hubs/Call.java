package dev.windhover.hubs;

import dev.windhover.http.User;
import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.HubMethodDescriptor.Access;
import dev.windhover.hubs.HubMethodDescriptor.Parameter;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import dev.windhover.hubs.protocol.TypedValue;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
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
  private final SessionCalls.Request request;

  /** Those that were registered; empty if the client did not announce as many as needed. */
  private final List<Upload> uploads;

  private final @Nullable Cancellation cancellation;

  /** What it costs while it waits; written before it is shared. */
  long cost;

  /** The loop has been told that it is over; its own thread only. */
  private boolean isOver;

  private volatile State state = State.WAITING;
  private volatile boolean released;
  private volatile boolean cancelled;
  private volatile @Nullable Thread thread;
  private volatile @Nullable Runnable onCancel;

  Call(
      HubSession session,
      HubEndpoint.Mapped mapped,
      SessionCalls.Request request,
      List<Upload> uploads) {
    this.session = session;
    this.mapped = mapped;
    this.request = request;
    this.uploads = uploads;
    this.cancellation = mapped.method().isCancellable() ? new Cancellation() : null;
  }

  /** Returns whether it counts as one of those that run at a time. */
  boolean counts() {
    return !request.wantsStream() && uploads.isEmpty();
  }

  boolean wantsStream() {
    return request.wantsStream();
  }

  /** Returns whether the loop has to know when it ends. */
  boolean isTracked() {
    return !counts() || mapped.method().isCancellable();
  }

  /** Returns the size of its message. */
  int bytes() {
    return request.bytes();
  }

  @Nullable String invocationId() {
    return request.invocationId();
  }

  List<Upload> uploads() {
    return uploads;
  }

  // ---- Its place among the calls of the connection

  @Override
  public void release() {
    if (counts() && RELEASED.compareAndSet(this, false, true)) {
      session.queue().end();
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
      log.debug("connection {}: call of {} refused: {}", session.id(), request.target(), refusal);
      fail(refusal);
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
      if (request.wantsStream()) {
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
      HubEndpoint.close(hub);
      over();
    }
  }

  /** Returns why the call cannot be; null if it can. */
  private @Nullable String refusal(HubMethodDescriptor method) {
    if (!isAllowed(method.access(), session.connection().user())) {
      return Errors.unauthorized(request.target());
    }
    if (method.result() != null && !request.wantsStream()) {
      return Errors.isStreaming(request.target());
    }
    if (method.result() == null && request.wantsStream()) {
      return Errors.isNotStreaming(request.target());
    }
    int expected = mapped.uploads().size();
    int sent = request.streamIds().size();
    if (sent != expected) {
      return session
          .endpoint()
          .explained(Errors.unexpected(request.target()), Errors.wrongStreams(sent, expected));
    }
    return null;
  }

  static boolean isAllowed(Access access, @Nullable User user) {
    return !access.user() || (user != null && hasRoles(user, access.anyOf()));
  }

  private static boolean hasRoles(User user, List<List<String>> anyOf) {
    return anyOf.stream().allMatch(roles -> roles.stream().anyMatch(user::hasRole));
  }

  private @Nullable Object invoke(Hub<?> hub) throws Exception {
    HubCallerContext context = new HubCallerContext(session, this);
    hub.bind(context);
    return mapped.invoke(hub, context, arguments());
  }

  private @Nullable Object[] arguments() {
    List<Parameter> parameters = mapped.method().parameters();
    if (mapped.method().takesValuesOnly()) {
      return request.values().toArray();
    }
    @Nullable Object[] all = new @Nullable Object[parameters.size()];
    Iterator<? extends @Nullable Object> value = request.values().iterator();
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
    String id = request.invocationId();
    over();
    if (id != null) {
      session.output().answer(Completion.of(id, typed(result)));
    }
  }

  private @Nullable Object typed(@Nullable Object value) {
    return TypedValue.of(value, mapped.method().resultType());
  }

  private void fail(String error) {
    String id = request.invocationId();
    over();
    if (id != null) {
      session.output().answer(Completion.failed(id, error));
    }
  }

  private void failed(Throwable error) {
    session.logFailure(mapped.method(), error, cancelled);
    fail(session.endpoint().explained(Errors.unexpected(request.target()), error));
  }

  /** Sends the items of a stream, as fast as the client takes them. */
  private void pump(@Nullable Object stream) throws Exception {
    String id = Objects.requireNonNull(request.invocationId());
    if (stream == null) {
      fail(Errors.nullStream(request.target()));
      return;
    }
    StreamForm.Items items = StreamForm.itemsOf(stream);
    onCancel = items.onCancel();
    Throwable failure = null;
    try {
      while (!cancelled && items.iterator().hasNext()) {
        Object item = items.iterator().next();
        if (!cancelled) {
          session.output().sendWithRoom(new StreamItem(id, typed(item)), () -> cancelled);
        }
      }
    } catch (Throwable e) {
      failure = Errors.unwrapped(e);
    } finally {
      end();
      close(items);
    }
    if (failure == null || cancelled) {
      over();
      session.output().answer(Completion.empty(id));
    } else {
      session.logFailure(mapped.method(), failure, false);
      fail(session.endpoint().explained(Errors.WHILE_STREAMING, failure));
    }
  }

  private void close(StreamForm.Items items) {
    try {
      items.closer().close();
    } catch (Exception e) {
      log.error("a stream of hub method {} could not be closed", mapped.method().description(), e);
    }
  }

  /** Before its answer leaves: then the client may use its ids again. */
  private void over() {
    if (!isOver) {
      isOver = true;
      uploads.forEach(Upload::close);
      session.over(this);
    }
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
    session.output().wake();
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
