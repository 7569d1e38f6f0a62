package dev.windhover.hubs;

import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionEnding;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.connections.SentMessage;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.hubs.protocol.Handshake;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A client's connection, from its handshake to its end.
 *
 * <pre>
 * HANDSHAKE   the client says which protocol it speaks, within a time limit
 * CONNECTING  the hub's onConnected runs; nothing is read
 * OPEN        messages are read, as long as what they lead to has room
 * OVER        nothing is read or sent; onDisconnected follows when all calls have ended
 * </pre>
 *
 * <p>The loop reads messages. It calls methods that do not block by itself, and leaves the others
 * to threads of the {@link CallQueue}, which send their answers themselves. What a thread shares
 * with the loop is atomic; all else belongs to the loop.
 */
final class HubSession extends HubConnection implements ConnectionListener, InvocationBinder {
  private static final Logger log = Loggers.get(HubSession.class);

  private static final VarHandle ABORTED;

  static {
    try {
      ABORTED =
          MethodHandles.lookup().findVarHandle(HubSession.class, "aborted", Cancellation.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** How long the end of a connection waits for its calls, before the hub is told of it. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** So many messages are handled before other connections have their turn. */
  private static final int MOST_AT_ONCE = 256;

  private enum Phase {
    HANDSHAKE,
    CONNECTING,
    OPEN,
    OVER
  }

  private final HubEndpoint endpoint;
  private final HubOptions options;
  private final ConnectionContext connection;
  private final Loop loop;
  private final SessionOutput output;
  private final ClientStreams streams;
  private final CallQueue queue;
  private final SessionCalls calls;

  /** For calls that hold no place among those that run. */
  private final HubCallerContext contextOnLoop = new HubCallerContext(this, null);

  // Loop only.
  private Phase phase = Phase.HANDSHAKE;
  private RecordReader records;
  private Loop.Timer timer;
  private @Nullable KeepAlive keepAlive;
  private @Nullable Resumption resumption;
  private @Nullable Throttle throttle;
  private boolean hasConnected;
  private boolean hasDisconnected;

  // Any thread.
  private volatile @Nullable String userIdentifier;
  private volatile boolean inOnConnected;
  private volatile boolean over;
  private volatile @Nullable Throwable error;
  private volatile @Nullable Cancellation aborted;

  /** The threads that work for this connection. */
  private final AtomicInteger threads = new AtomicInteger();

  HubSession(HubEndpoint endpoint, ConnectionContext connection) {
    this.endpoint = endpoint;
    this.options = endpoint.options();
    this.connection = connection;
    this.loop = connection.loop();
    this.output = new SessionOutput(connection, this::unwritable);
    this.streams = new ClientStreams(loop, options.streamBufferCapacity(), this::resume);
    this.queue =
        new CallQueue(
            options.maximumParallelInvocationsPerClient(),
            this::start,
            () -> loop.execute(this::resume));
    this.calls = new SessionCalls(this, endpoint, streams, queue);
    this.records = new RecordReader(RecordFormat.SEPARATED, options.maximumReceiveMessageSize());
    this.timer = loop.schedule(options.handshakeTimeout(), this::handshakeTimedOut);
  }

  // ---- What others see of it

  @Override
  String id() {
    return connection.connectionId();
  }

  @Override
  @Nullable String userIdentifier() {
    return userIdentifier;
  }

  @Override
  HubProtocol protocol() {
    return output.protocol();
  }

  @Override
  ConnectionContext connection() {
    return connection;
  }

  @Override
  Recipient recipient() {
    return connection.recipient();
  }

  @Override
  HubOptions options() {
    return options;
  }

  @SuppressWarnings("unchecked") // by the hub's class, which says what C is
  @Override
  <C> HubConnections<C> connections() {
    return (HubConnections<C>) endpoint.connections();
  }

  @Override
  void send(HubMessage message) {
    boolean _ = output.send(message);
  }

  @Override
  boolean isInOnConnected() {
    return inOnConnected;
  }

  @Override
  Cancellation aborted() {
    Cancellation known = aborted;
    if (known == null) { // few ask
      Cancellation mine = new Cancellation();
      known = ABORTED.compareAndSet(this, null, mine) ? mine : aborted;
      if (over) {
        Objects.requireNonNull(known).cancel();
      }
    }
    return Objects.requireNonNull(known);
  }

  HubEndpoint endpoint() {
    return endpoint;
  }

  SessionOutput output() {
    return output;
  }

  CallQueue queue() {
    return queue;
  }

  HubCallerContext contextOnLoop() {
    return contextOnLoop;
  }

  // ---- Reading

  @Override
  public void onBytes(ByteBuffer bytes) {
    try {
      for (int handled = 0; isReading(); handled++) {
        if (handled == MOST_AT_ONCE) {
          connection.resume();
          return;
        }
        ByteBuffer record = records.next(bytes);
        if (record == null) {
          return;
        }
        if (phase == Phase.HANDSHAKE) {
          onHandshake(record);
        } else {
          onRecord(record);
        }
      }
    } catch (InvalidDataException e) {
      if (phase == Phase.HANDSHAKE) {
        refuse(Errors.HANDSHAKE_CANCELED); // it is too large: nothing else is wrong by then
      } else {
        failed(e);
      }
    }
    if (output.isClosed()) {
      bytes.position(bytes.limit());
    }
  }

  /** Returns whether what comes is read; if not, it is resumed when there is room again. */
  private boolean isReading() {
    return (phase == Phase.OPEN || phase == Phase.HANDSHAKE)
        && !output.isClosed()
        && !output.isFull()
        && (throttle == null || !throttle.isHolding())
        && !streams.isHolding()
        && queue.hasRoom();
  }

  /** Reads on, after something had no room. */
  private void resume() {
    streams.retry();
    if (isReading()) {
      heard(); // it may have said something that was not read
      connection.resume();
    }
  }

  private void onRecord(ByteBuffer record) throws InvalidDataException {
    int bytes = record.remaining();
    HubMessage message = protocol().read(record, this);
    heard();
    if (message != null && (resumption == null || isNew(resumption, message))) {
      onMessage(message, record, bytes);
      if (throttle != null && isCall(message)) {
        throttle.count();
      }
    }
  }

  private static boolean isCall(HubMessage message) {
    return message instanceof HubMessage.Invocation
        || message instanceof HubMessage.StreamInvocation
        || message instanceof HubMessage.BindingFailure;
  }

  private boolean isNew(Resumption numbers, HubMessage message) {
    try {
      return numbers.receive(message);
    } catch (Errors.Fault fault) {
      failed(fault);
      return false;
    }
  }

  private void onMessage(HubMessage message, ByteBuffer record, int bytes) {
    switch (message) {
      case HubMessage.Invocation(_, var id, var target, var values, var streamIds) ->
          calls.add(new SessionCalls.Request(target, id, false, values, streamIds, bytes));
      case HubMessage.StreamInvocation(_, var id, var target, var values, var streamIds) ->
          calls.add(new SessionCalls.Request(target, id, true, values, streamIds, bytes));
      case HubMessage.CancelInvocation(var id) -> calls.cancel(id);
      case HubMessage.BindingFailure(var id, var target, _, var cause) ->
          calls.refuse(id, Errors.failedToInvoke(target), cause);
      case HubMessage.StreamItem item -> streams.add(item, bytes);
      case HubMessage.StreamBindingFailure(var id, var cause) -> {
        boolean _ = streams.end(id, endpoint.explained(Errors.BINDING_ITEM, cause));
      }
      case HubMessage.Completion completion -> {
        String id = completion.invocationId();
        if (!streams.end(id, completion.error())
            && !endpoint.connections().forward(this, id, record.rewind())) {
          onResult(id, endpoint.connections().complete(this, completion));
        }
      }
      case HubMessage.ResultBindingFailure failure ->
          onResult(failure.invocationId(), endpoint.connections().complete(this, failure));
      case HubMessage.Ping _ -> onPing();
      case HubMessage.Close close -> onClose(close);
      case HubMessage.Ack ack -> onAck(ack);
      case HubMessage.Sequence _ -> {} // the resumption has heeded it, or it means nothing
    }
  }

  private void onResult(String invocationId, boolean isOwn) {
    if (!isOwn) {
      failed(Errors.anothersResult(id(), invocationId));
    }
  }

  // ---- InvocationBinder

  @Override
  public @Nullable List<Type> parameterTypes(String target) {
    HubEndpoint.Mapped mapped = endpoint.method(target);
    return mapped == null ? null : mapped.method().valueTypes();
  }

  @Override
  public @Nullable Type streamItemType(String streamId) {
    return streams.itemType(streamId);
  }

  @Override
  public @Nullable Type resultType(String invocationId) {
    return endpoint.connections().resultType(this, invocationId);
  }

  // ---- The beginning

  private void onHandshake(ByteBuffer record) {
    switch (HandshakeOutcome.of(record, endpoint, connection.transport())) {
      case HandshakeOutcome.Refused(var text) -> refuse(text);
      case HandshakeOutcome.Agreed(var protocol, var version) -> agree(protocol, version);
    }
  }

  private void handshakeTimedOut() {
    if (phase == Phase.HANDSHAKE) {
      refuse(Errors.HANDSHAKE_CANCELED);
    }
  }

  private void refuse(String text) {
    log.debug("connection {}: handshake refused: {}", id(), text);
    timer.cancel();
    phase = Phase.OVER;
    boolean _ = output.close(Handshake.answer(text));
  }

  private void agree(HubProtocol protocol, int version) {
    timer.cancel();
    phase = Phase.CONNECTING;
    inOnConnected = true;
    records = new RecordReader(protocol.recordFormat(), options.maximumReceiveMessageSize());
    connection.transferFormat(protocol.transferFormat());
    connection.sendAhead(Handshake.answer(null)); // which is not counted
    if (connection.isStateful() && version >= 2) {
      resumption = new Resumption(connection, protocol, options.statefulReconnectBufferSize());
    } else if (connection.isStateful()) {
      connection.disableReconnect();
    }
    output.begin(protocol, resumption);
    watch();
    userIdentifier = options.userIdentifier().apply(connection);
    throttle =
        Throttle.of(
            loop,
            options.maximumCallsPerSecond(),
            endpoint.userRates(),
            userIdentifier,
            this::resume);
    endpoint.connections().add(this);
    start(this::connect);
  }

  /** Lets the hub know, on a thread of its own. */
  private void connect() {
    boolean succeeded = false;
    try {
      endpoint.connections().awaitReachable(this);
      endpoint.connected(contextOnLoop);
      succeeded = true;
    } catch (Throwable e) {
      log.error("{} could not begin: {}.onConnected failed", connection, endpoint.name(), e);
      fail(e, false);
    }
    inOnConnected = false;
    boolean isReady = succeeded;
    loop.execute(() -> connected(isReady));
  }

  private void connected(boolean succeeded) {
    hasConnected = succeeded;
    if (over) {
      disconnect();
    } else if (succeeded) {
      phase = Phase.OPEN;
      resume();
    }
  }

  // ---- Calls

  /** Returns an instance for a call; null if there is none, which ends the connection. */
  @Nullable Hub<?> newHub() {
    try {
      return endpoint.newHub();
    } catch (Throwable e) {
      log.error("{}: {} could not be created", connection, endpoint.name(), e);
      fail(e, true);
      return null;
    }
  }

  /** Logs what a method has thrown, unless it was meant for the client. Any thread. */
  void logFailure(HubMethodDescriptor method, Throwable failure, boolean cancelled) {
    if (cancelled || over || failure instanceof HubException) {
      log.debug("hub method {} ended with {}", method.description(), failure.toString());
    } else {
      log.error("hub method {} failed, called by {}", method.description(), connection, failure);
    }
  }

  /** A call has ended; on its thread. */
  void over(Call call) {
    if (call.isTracked()) {
      loop.execute(() -> calls.forget(call));
    }
  }

  // ---- Room

  @Override
  public void onWritable() {
    if (output.writable()) {
      resume();
    }
  }

  private void unwritable(RuntimeException cause) {
    log.error("{}: a message could not be written", connection, cause);
    fail(cause, true);
  }

  @Override
  public long heldBytes() {
    return records.kept() + queue.waitingCost() + calls.heldBytes() + streams.heldBytes();
  }

  // ---- Coming back

  @Override
  public void onSent(SentMessage message) {
    if (resumption == null || over) {
      message.forget();
    } else if (resumption.sent(message)) {
      loop.execute(this::onWritable); // not within a send
    }
  }

  private void onAck(HubMessage.Ack ack) {
    if (resumption != null && resumption.acknowledged(ack)) {
      onWritable();
    }
  }

  @Override
  public void onTransportLost() {
    records.reset();
    if (resumption == null || !resumption.lost()) {
      drop("its client has lost its transport, and more was sent than was kept");
    }
  }

  @Override
  public void onTransportRestored() {
    heard();
    if (resumption != null) {
      resumption.restored();
    }
    onWritable();
  }

  private void drop(String why) {
    log.debug("connection {} ends: {}", id(), why);
    if (error == null) {
      error = new IOException(why);
    }
    output.drop();
  }

  // ---- Keep-alive

  private void heard() {
    if (keepAlive != null) {
      keepAlive.heard(loop.nanoTime());
    }
  }

  private void onPing() {
    if (keepAlive != null && keepAlive.clientPinged()) {
      timer.cancel();
      watch(); // the limit for a silent client may come first now
    }
  }

  private void watch() {
    if (connection.transport() == TransportType.LONG_POLLING) {
      return;
    }
    long now = loop.nanoTime();
    if (keepAlive == null) {
      keepAlive = new KeepAlive(options.keepAliveInterval(), options.clientTimeoutInterval(), now);
    }
    timer = loop.schedule(Duration.ofNanos(keepAlive.nanosToNext(now)), this::tick);
  }

  private void tick() {
    KeepAlive watched = keepAlive;
    if (watched == null || output.isClosed()) {
      return;
    }
    long now = loop.nanoTime();
    boolean isAway = resumption != null && resumption.isAway();
    if (isAway || !isReading()) {
      watched.heard(now);
    }
    if (watched.isSilent(now)) {
      failed(Errors.silent());
      return;
    }
    if (watched.isPingDue(now) && !isAway) {
      output.sendAhead(HubMessage.Ping.INSTANCE);
    }
    watch();
  }

  // ---- The end

  /** The client has said that it goes. */
  private void onClose(HubMessage.Close close) {
    String problem = close.error();
    if (problem != null) {
      error = new HubException(problem);
    }
    abort();
  }

  @Override
  void abort() {
    output.close(new HubMessage.Close(null, false));
  }

  @Override
  public void onClosing() {
    output.close(new HubMessage.Close(null, true));
  }

  /** The client has done something that ends its connection. */
  private void failed(Exception fault) {
    log.debug("connection {} ends: {}", id(), fault.getMessage());
    fail(fault, true);
  }

  /** Ends the connection because of {@code cause}. Any thread. */
  private void fail(Throwable cause, boolean allowReconnect) {
    if (error == null) {
      error = cause;
    }
    output.close(new HubMessage.Close(endpoint.explained(Errors.CLOSED, cause), allowReconnect));
  }

  @Override
  public void onEnded(ConnectionEnding ending) {
    timer.cancel();
    if (error == null) {
      error = ending.error();
    }
    phase = Phase.OVER;
    over = true;
    output.over();
    records.reset();
    if (!output.hasBegun()) {
      return;
    }
    if (resumption != null) {
      resumption.over();
    }
    endpoint.connections().remove(this);
    if (throttle != null) {
      throttle.end();
    }
    calls.cancelAll();
    streams.cancelAll();
    Cancellation known = aborted;
    if (known != null) {
      known.cancel();
    }
    if (threads.get() == 0) {
      disconnect();
    } else {
      timer = loop.schedule(PATIENCE, this::disconnect);
    }
  }

  /** Lets the hub know that the connection has ended, once. */
  private void disconnect() {
    if (hasConnected && !hasDisconnected) {
      hasDisconnected = true;
      timer.cancel();
      Thread _ = loop.startHandler("hub-" + id(), this::disconnected);
    }
  }

  private void disconnected() {
    try {
      endpoint.disconnected(contextOnLoop, error);
    } catch (Throwable e) {
      log.error("{} failed at the end of {}", endpoint.name(), connection, e);
    }
  }

  // ---- Threads

  /** Starts a thread that works for this connection. Any thread. */
  private void start(Runnable work) {
    threads.incrementAndGet();
    Thread _ =
        loop.startHandler(
            "hub-" + id(),
            () -> {
              try {
                work.run();
              } finally {
                if (threads.decrementAndGet() == 0 && over) {
                  loop.execute(this::disconnect);
                }
              }
            });
  }
}
