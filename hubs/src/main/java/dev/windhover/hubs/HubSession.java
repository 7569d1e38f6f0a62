package dev.windhover.hubs;

import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionEnding;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.hubs.protocol.Handshake;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import java.io.IOException;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
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

  /** How long the end of a connection waits for its calls, before the hub is told of it. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** How long a client that may come back has to say something before it is sent anything. */
  private static final Duration UNTIL_READY = Duration.ofSeconds(1);

  /** How long a message waits for its acknowledgement, at most: as in the reference. */
  private static final Duration ACK_INTERVAL = Duration.ofSeconds(1);

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
  private final CallQueue calls;
  private final HubCallerContext contextOnLoop = new HubCallerContext(this, null);

  // Loop only.
  private Phase phase = Phase.HANDSHAKE;
  private RecordReader records;
  private Loop.Timer timer;
  private @Nullable KeepAlive keepAlive;

  /** An item of a stream that has no room for it. */
  private HubMessage.@Nullable StreamItem held;

  /** By id; null while there is none. */
  private @Nullable Map<String, Upload> uploads;

  /** Calls that a cancellation reaches, those without an id too; null while there is none. */
  private @Nullable Set<Call> cancellable;

  /** The client has lost its transport, and may come back. */
  private boolean isAway;

  private boolean hasConnected;
  private boolean isDisconnected;

  // Any thread.
  private volatile @Nullable HubProtocol protocol;
  private volatile @Nullable String userIdentifier;
  private volatile boolean inOnConnected;
  private volatile boolean over;
  private volatile @Nullable Throwable error;
  private volatile @Nullable Cancellation aborted;
  private final AtomicBoolean closing = new AtomicBoolean();

  /** For a client that may come back; set before others know this connection. */
  private @Nullable StatefulOutput stateful;

  private @Nullable MessageBuffer numbers;

  /** The threads that work for this connection. */
  private final AtomicInteger threads = new AtomicInteger();

  /** How many times there has been room again for what is sent. */
  private volatile int timesWritable;

  /** The client takes less than the loop sends, so the loop does not read. Written by the loop. */
  private boolean outputFull;

  private final Queue<Thread> writers = new ConcurrentLinkedQueue<>();

  HubSession(HubEndpoint endpoint, ConnectionContext connection) {
    this.endpoint = endpoint;
    this.options = endpoint.options();
    this.connection = connection;
    this.loop = connection.loop();
    this.calls =
        new CallQueue(
            options.maximumParallelInvocationsPerClient(), this::start, this::onRoomInQueue);
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
    return Objects.requireNonNull(protocol, "protocol before the handshake");
  }

  @Override
  ConnectionContext connection() {
    return connection;
  }

  @Override
  Recipient recipient() {
    return stateful != null ? stateful : connection.recipient();
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
  boolean isInOnConnected() {
    return inOnConnected;
  }

  @Override
  Cancellation aborted() {
    Cancellation known = aborted;
    if (known == null) {
      synchronized (writers) { // never on the loop, unless a method there asks
        known = aborted;
        if (known == null) {
          known = new Cancellation();
          aborted = known;
        }
      }
      if (over) {
        known.cancel();
      }
    }
    return known;
  }

  CallQueue calls() {
    return calls;
  }

  // ---- Reading

  @Override
  public void onBytes(ByteBuffer bytes) {
    try {
      while (isReading()) {
        ByteBuffer record = next(bytes);
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
      log.debug("connection {} ends: {}", id(), e.getMessage());
      fail(e, true);
    }
    if (phase == Phase.OVER || closing.get()) {
      bytes.position(bytes.limit());
    }
  }

  /** Returns whether what comes is read; if not, it is resumed when there is room again. */
  private boolean isReading() {
    return (phase == Phase.OPEN || phase == Phase.HANDSHAKE)
        && !closing.get()
        && !outputFull
        && held == null
        && calls.hasRoom();
  }

  private @Nullable ByteBuffer next(ByteBuffer bytes) throws InvalidDataException {
    if (phase != Phase.HANDSHAKE) {
      return records.next(bytes);
    }
    try {
      return records.next(bytes);
    } catch (InvalidDataException e) {
      refuse(Errors.HANDSHAKE_CANCELED);
      return null;
    }
  }

  private void onRecord(ByteBuffer record) throws InvalidDataException {
    int size = record.remaining();
    HubMessage message = protocol().read(record, this);
    heard();
    if (message != null && isNew(message)) {
      onMessage(message, size);
    }
  }

  private void heard() {
    if (keepAlive != null) {
      keepAlive.heard(loop.nanoTime());
    }
  }

  private void onMessage(HubMessage message, int size) {
    switch (message) {
      case HubMessage.Invocation call ->
          onCall(
              call.target(), call.invocationId(), false, call.arguments(), call.streamIds(), size);
      case HubMessage.StreamInvocation call ->
          onCall(
              call.target(), call.invocationId(), true, call.arguments(), call.streamIds(), size);
      case HubMessage.StreamItem item -> onItem(item);
      case HubMessage.Completion completion -> onCompletion(completion);
      case HubMessage.CancelInvocation cancel -> onCancel(cancel.invocationId());
      case HubMessage.Ping _ -> onPing();
      case HubMessage.Close close -> onClose(close);
      case HubMessage.Ack ack -> onAck(ack);
      case HubMessage.Sequence _ -> {} // has been heeded, or means nothing here
      case HubMessage.BindingFailure failure ->
          refuseCall(
              failure.invocationId(), Errors.failedToInvoke(failure.target()), failure.error());
      case HubMessage.StreamBindingFailure failure ->
          endUpload(failure.streamId(), explained(Errors.BINDING_ITEM, failure.error()));
      case HubMessage.ResultBindingFailure failure ->
          onResult(failure.invocationId(), endpoint.connections().complete(this, failure));
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
    Upload upload = uploads == null ? null : uploads.get(streamId);
    return upload == null ? null : upload.itemType();
  }

  @Override
  public @Nullable Type resultType(String invocationId) {
    return endpoint.connections().resultType(this, invocationId);
  }

  // ---- Handshake

  private void onHandshake(ByteBuffer record) {
    Handshake.Request request;
    try {
      request = Handshake.read(record);
    } catch (InvalidDataException e) {
      refuse(explained(Errors.HANDSHAKE, e));
      return;
    }
    HubProtocol spoken = endpoint.protocol(request.protocol());
    if (spoken == null) {
      refuse("The protocol '" + request.protocol() + "' is not supported.");
    } else if (request.version() > spoken.version()) {
      refuse(
          "The server does not support version %d of the '%s' protocol."
              .formatted(request.version(), request.protocol()));
    } else if (!connection.transport().carries(spoken.transferFormat())) {
      refuse(
          ("Cannot use the '%s' protocol on the current transport. The transport does not support"
                  + " '%s' transfer format.")
              .formatted(request.protocol(), spoken.transferFormat().wireName()));
    } else {
      agree(spoken, request.version());
    }
  }

  private void handshakeTimedOut() {
    if (phase == Phase.HANDSHAKE) {
      refuse(Errors.HANDSHAKE_CANCELED);
    }
  }

  /** Ends a connection before it begins. */
  private void refuse(String error) {
    if (closing.compareAndSet(false, true)) {
      log.debug("connection {}: handshake refused: {}", id(), error);
      timer.cancel();
      phase = Phase.OVER;
      connection.send(Handshake.answer(error));
      connection.close();
    }
  }

  private void agree(HubProtocol spoken, int version) {
    timer.cancel();
    protocol = spoken;
    records = new RecordReader(spoken.recordFormat(), options.maximumReceiveMessageSize());
    phase = Phase.CONNECTING;
    connection.transferFormat(spoken.transferFormat());
    connection.send(Handshake.answer(null));
    if (connection.isStateful()) {
      if (version < 2) {
        connection.disableReconnect();
      } else {
        beginStateful();
      }
    }
    inOnConnected = true;
    userIdentifier = options.userIdentifier().apply(connection);
    endpoint.connections().add(this);
    watch();
    start(this::connect);
  }

  /** Lets the hub know, on a thread of its own. */
  private void connect() {
    boolean succeeded = false;
    Hub<?> hub = null;
    try {
      hub = endpoint.newHub();
      hub.bind(contextOnLoop);
      endpoint.connected(hub, contextOnLoop);
      succeeded = true;
    } catch (Throwable e) {
      log.error("connection {} of {} could not begin", id(), endpoint.name(), e);
      fail(e, false);
    } finally {
      close(hub);
      inOnConnected = false;
    }
    boolean connected = succeeded;
    loop.execute(() -> connected(connected));
  }

  private void connected(boolean succeeded) {
    hasConnected = succeeded;
    if (phase == Phase.CONNECTING && succeeded) {
      phase = Phase.OPEN;
      heard();
      connection.resume();
    } else if (over) {
      disconnect();
    }
  }

  // ---- Calls

  private void onCall(
      String target,
      @Nullable String invocationId,
      boolean wantsStream,
      List<? extends @Nullable Object> values,
      List<String> streamIds,
      int size) {
    HubEndpoint.Mapped mapped = endpoint.method(target);
    if (mapped == null) {
      refuseCall(invocationId, Errors.failedToInvoke(target), Errors.noSuchMethod());
    } else if (mapped.onLoop() && !wantsStream && streamIds.isEmpty() && calls.tryBegin()) {
      callOnLoop(mapped, target, invocationId, values);
    } else if (wantsStream && isActive(invocationId)) {
      answer(
          HubMessage.Completion.failed(
              Objects.requireNonNull(invocationId), Errors.idInUse(invocationId)));
    } else if (streams() + streamIds.size() + (wantsStream ? 1 : 0)
            > options.maximumStreamsPerClient()
        && (wantsStream || !streamIds.isEmpty())) {
      refuseCall(
          invocationId,
          Errors.unexpected(target),
          Errors.tooManyStreams(options.maximumStreamsPerClient()));
    } else {
      queue(mapped, target, invocationId, wantsStream, values, streamIds, size);
    }
  }

  private void refuseCall(@Nullable String invocationId, String text, Throwable cause) {
    String error = explained(text, cause);
    log.debug("connection {}: {}", id(), error);
    if (invocationId != null) {
      answer(HubMessage.Completion.failed(invocationId, error));
    }
  }

  private void queue(
      HubEndpoint.Mapped mapped,
      String target,
      @Nullable String invocationId,
      boolean wantsStream,
      List<? extends @Nullable Object> values,
      List<String> streamIds,
      int size) {
    List<Upload> registered = List.of();
    if (!streamIds.isEmpty() && streamIds.size() == mapped.uploads().size()) {
      String taken = takenOf(streamIds);
      if (taken != null) {
        refuseCall(
            invocationId, Errors.unexpected(target), new HubException(Errors.idInUse(taken)));
        return;
      }
      registered = register(streamIds, mapped.uploads());
    }
    Call call =
        new Call(
            this, mapped, target, invocationId, wantsStream, values, streamIds.size(), registered);
    if (call.isTracked()) {
      if (cancellable == null) {
        cancellable = new HashSet<>();
      }
      cancellable.add(call);
    }
    calls.add(call, size);
  }

  /** Calls a method that does not block. */
  private void callOnLoop(
      HubEndpoint.Mapped mapped,
      String target,
      @Nullable String invocationId,
      List<? extends @Nullable Object> values) {
    Hub<?> hub = newHub();
    if (hub == null) {
      calls.end();
      return;
    }
    boolean goesOn = false;
    try {
      hub.bind(contextOnLoop);
      Object result = mapped.invoke(hub, contextOnLoop, values.toArray());
      if (result instanceof CompletionStage<?> stage) {
        goesOn = true;
        stage.whenComplete((value, failure) -> {
          answered(mapped, target, invocationId, value, failure);
          close(hub);
          calls.end();
        });
      } else {
        answered(mapped, target, invocationId, result, null);
      }
    } catch (Throwable e) {
      answered(mapped, target, invocationId, null, e);
    } finally {
      if (!goesOn) {
        close(hub);
        calls.end();
      }
    }
  }

  private void answered(
      HubEndpoint.Mapped mapped,
      String target,
      @Nullable String invocationId,
      @Nullable Object value,
      @Nullable Throwable failure) {
    if (failure != null) {
      Throwable cause = Errors.unwrapped(failure);
      logFailure(mapped.method(), cause, false);
      if (invocationId != null) {
        answer(
            HubMessage.Completion.failed(
                invocationId, explained(Errors.unexpected(target), cause)));
      }
    } else if (invocationId != null) {
      answer(HubMessage.Completion.of(invocationId, value));
    }
  }

  /** Returns an instance for a call; null if there is none, which ends the connection. */
  @Nullable Hub<?> newHub() {
    try {
      return endpoint.newHub();
    } catch (Throwable e) {
      log.error("connection {}: {} could not be created", id(), endpoint.name(), e);
      fail(e, true);
      return null;
    }
  }

  static void close(@Nullable Hub<?> hub) {
    if (hub instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        log.error("a hub of {} could not be closed", hub.getClass().getName(), e);
      }
    }
  }

  /** Logs what a method has thrown, unless it was meant for the client. */
  void logFailure(HubMethodDescriptor method, Throwable failure, boolean cancelled) {
    if (cancelled || over || failure instanceof HubException) {
      log.debug("hub method {} ended with {}", method.description(), failure.toString());
    } else {
      log.error("hub method {} failed", method.description(), failure);
    }
  }

  private void onCancel(String invocationId) {
    if (cancellable != null) {
      for (Call call : cancellable) {
        if (invocationId.equals(call.invocationId())) {
          call.cancel();
          return;
        }
      }
    }
    log.debug("connection {}: cancels {}, which is not there", id(), invocationId);
  }

  private boolean isActive(@Nullable String invocationId) {
    return cancellable != null
        && cancellable.stream()
            .anyMatch(
                call -> call.wantsStream() && Objects.equals(call.invocationId(), invocationId));
  }

  /** A call has ended; on its thread. */
  void over(Call call) {
    if (call.isTracked()) {
      loop.execute(() -> forget(call));
    }
  }

  private void forget(Call call) {
    if (cancellable != null) {
      cancellable.remove(call);
    }
    if (uploads != null) {
      uploads.values().removeAll(call.uploads());
    }
  }

  // ---- Streams of the client

  private int streams() {
    int all = uploads == null ? 0 : uploads.size();
    if (cancellable != null) {
      for (Call call : cancellable) {
        all += call.wantsStream() ? 1 : 0;
      }
    }
    return all;
  }

  private @Nullable String takenOf(List<String> streamIds) {
    Set<String> ids = new HashSet<>();
    for (String id : streamIds) {
      if (!ids.add(id) || uploads != null && uploads.containsKey(id)) {
        return id;
      }
    }
    return null;
  }

  private List<Upload> register(List<String> streamIds, List<Type> itemTypes) {
    if (uploads == null) {
      uploads = new HashMap<>();
    }
    List<Upload> registered = new ArrayList<>(streamIds.size());
    for (int i = 0; i < streamIds.size(); i++) {
      Upload upload =
          new Upload(loop, options.streamBufferCapacity(), itemTypes.get(i), this::resume);
      uploads.put(streamIds.get(i), upload);
      registered.add(upload);
    }
    return registered;
  }

  private void onItem(HubMessage.StreamItem item) {
    Upload upload = uploads == null ? null : uploads.get(item.invocationId());
    if (upload == null) {
      log.debug(
          "connection {}: an item for stream {}, which is not there", id(), item.invocationId());
    } else if (upload.hasRoom()) {
      upload.add(item.item());
    } else {
      held = item;
    }
  }

  private void onCompletion(HubMessage.Completion completion) {
    if (uploads != null && uploads.containsKey(completion.invocationId())) {
      endUpload(completion.invocationId(), completion.error());
    } else {
      onResult(completion.invocationId(), endpoint.connections().complete(this, completion));
    }
  }

  private void endUpload(String streamId, @Nullable String problem) {
    Upload upload = uploads == null ? null : uploads.remove(streamId);
    if (upload != null) {
      upload.complete(problem);
    } else {
      log.debug("connection {}: an end for stream {}, which is not there", id(), streamId);
    }
  }

  /** Reads on, after something had no room. */
  private void resume() {
    HubMessage.StreamItem waiting = held;
    if (waiting != null) {
      held = null;
      onItem(waiting);
    }
    if (isReading()) {
      heard(); // it may have said something that was not read
      connection.resume();
    }
  }

  private void onRoomInQueue() {
    loop.execute(this::resume);
  }

  private void onResult(String invocationId, boolean isOwn) {
    if (!isOwn) {
      Errors.Fault fault = Errors.anothersResult(id(), invocationId);
      log.debug("connection {} ends: {}", id(), fault.getMessage());
      fail(fault, true);
    }
  }

  // ---- Sending

  @Override
  void send(HubMessage message) {
    transmit(message);
  }

  /**
   * Sends an answer. If the client does not take what it is sent, a thread waits, and the loop
   * stops reading.
   */
  void answer(HubMessage message) {
    if (!loop.inLoop()) {
      sendWithRoom(message, () -> false);
    } else if (!transmit(message)) {
      outputFull = true;
    }
  }

  /**
   * Sends a message, and waits until there is room for more, or {@code given up}. Not on the loop.
   */
  void sendWithRoom(HubMessage message, BooleanSupplier givenUp) {
    int before = timesWritable;
    if (transmitAndWait(message)) {
      return;
    }
    Thread self = Thread.currentThread();
    writers.add(self);
    try {
      while (timesWritable == before && !over && !givenUp.getAsBoolean() && !self.isInterrupted()) {
        LockSupport.park(this);
      }
    } finally {
      writers.remove(self);
    }
  }

  /** Wakes threads that wait for room, to look again. */
  void wakeWriters() {
    writers.forEach(loop::unpark);
  }

  @Override
  public void onWritable() {
    timesWritable++; // only the loop does
    wakeWriters();
    if (outputFull) {
      outputFull = false;
      resume();
    }
  }

  /** Sends a message; returns whether there is room for more. */
  private boolean transmit(HubMessage message) {
    ByteBuffer bytes = written(message);
    if (bytes == null) {
      return true;
    }
    return stateful == null
        ? connection.send(bytes)
        : stateful.send(bytes, MessageBuffer.isNumbered(message));
  }

  /** As {@link #transmit}, on a thread that may wait. */
  private boolean transmitAndWait(HubMessage message) {
    if (stateful == null) {
      return transmit(message);
    }
    ByteBuffer bytes = written(message);
    return bytes == null || stateful.sendAndWait(bytes);
  }

  /** Returns a message's bytes; null if it cannot be sent. */
  private @Nullable ByteBuffer written(HubMessage message) {
    if (closing.get()) {
      return null;
    }
    try {
      return protocol().write(message);
    } catch (RuntimeException e) {
      log.error("connection {}: a message could not be written", id(), e);
      fail(e, true);
      return null;
    }
  }

  // ---- Coming back

  private void beginStateful() {
    MessageBuffer buffer = new MessageBuffer(options.statefulReconnectBufferSize());
    numbers = buffer;
    stateful =
        new StatefulOutput(
            connection,
            buffer,
            new StatefulOutput.Owner() {
              @Override
              public void overflowed() {
                drop("its client is away, and there is no room for what it misses");
              }

              @Override
              public void tooSlow() {
                drop("its client reads too slowly");
              }
            });
    Loop.Timer _ = loop.schedule(UNTIL_READY, this::clientIsReady);
  }

  /**
   * The client counts what it is sent. JavaScript does not count a message that comes together with
   * the answer to the handshake.
   */
  private void clientIsReady() {
    if (stateful != null) {
      stateful.open();
    }
  }

  /** Returns whether a message is to be handled. */
  private boolean isNew(HubMessage message) {
    MessageBuffer buffer = numbers;
    if (buffer == null) {
      return true;
    }
    clientIsReady();
    boolean owed = buffer.owesAck();
    try {
      boolean isNew = buffer.receive(message);
      if (!owed && buffer.owesAck()) {
        Loop.Timer _ = loop.schedule(ACK_INTERVAL, this::acknowledge);
      }
      return isNew;
    } catch (Errors.Fault fault) {
      log.debug("connection {} ends: {}", id(), fault.getMessage());
      fail(fault, true);
      return false;
    }
  }

  private void acknowledge() {
    if (numbers != null && numbers.owesAck() && phase != Phase.OVER) {
      transmit(numbers.ack());
    }
  }

  private void onAck(HubMessage.Ack ack) {
    if (numbers != null) {
      numbers.acknowledge(ack.sequenceId());
      if (numbers.hasRoom()) {
        onWritable();
      }
    }
  }

  @Override
  public void onTransportLost() {
    records.reset();
    isAway = true;
    if (numbers == null || stateful == null || !numbers.canResume()) {
      drop("its client has lost its transport, and more was sent than was kept");
      return;
    }
    numbers.lost();
    stateful.lost();
  }

  @Override
  public void onTransportRestored() {
    isAway = false;
    heard();
    if (numbers != null && stateful != null) {
      stateful.restored(protocol().write(new HubMessage.Sequence(numbers.first())));
    }
    onWritable();
  }

  private void drop(String why) {
    log.debug("connection {} ends: {}", id(), why);
    if (error == null) {
      error = new IOException(why);
    }
    closing.set(true);
    connection.abort();
  }

  // ---- Keep-alive

  private void onPing() {
    if (keepAlive != null) {
      keepAlive.clientPinged();
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
    if (watched == null || phase == Phase.OVER || closing.get()) {
      return;
    }
    long now = loop.nanoTime();
    if (!isReading() || isAway) {
      watched.heard(now);
    }
    if (watched.isSilent(now)) {
      log.debug("connection {} ends: its client is silent", id());
      fail(Errors.silent(), true);
      return;
    }
    if (watched.isPingDue(now) && !isAway) {
      transmit(HubMessage.Ping.INSTANCE);
    }
    watch();
  }

  // ---- Ending

  /** The client has said that it goes. */
  private void onClose(HubMessage.Close close) {
    String problem = close.error();
    if (problem != null) {
      error = new HubException(problem);
    }
    end(null, false);
  }

  @Override
  void abort() {
    end(null, false);
  }

  @Override
  public void onClosing() {
    if (phase == Phase.CONNECTING || phase == Phase.OPEN) {
      end(null, true);
    }
  }

  /** Ends the connection because of {@code cause}. Any thread. */
  void fail(Throwable cause, boolean allowReconnect) {
    if (error == null) {
      error = cause;
    }
    end(explained(Errors.CLOSED, cause), allowReconnect);
  }

  /** Ends the connection after what was sent. Any thread. */
  private void end(@Nullable String text, boolean allowReconnect) {
    HubProtocol spoken = protocol;
    if (spoken != null && closing.compareAndSet(false, true)) {
      ByteBuffer close = spoken.write(new HubMessage.Close(text, allowReconnect));
      if (stateful == null) {
        sendLast(close);
      } else {
        stateful.afterwards(() -> {
          clientIsReady();
          sendLast(close);
        });
      }
    }
  }

  private void sendLast(ByteBuffer close) {
    connection.send(close);
    connection.close();
  }

  /** Returns {@code text}, with what {@code cause} says if the client may know. */
  String explained(String text, Throwable cause) {
    return Errors.message(text, cause, options.enableDetailedErrors());
  }

  @Override
  public void onEnded(ConnectionEnding ending) {
    timer.cancel();
    closing.set(true);
    if (error == null) {
      error = ending.error();
    }
    boolean began = protocol != null;
    phase = Phase.OVER;
    over = true;
    if (!began) {
      return;
    }
    endpoint.connections().remove(this);
    calls.clear();
    if (uploads != null) {
      uploads.values().forEach(Upload::cancel);
    }
    if (cancellable != null) {
      List.copyOf(cancellable).forEach(Call::cancel);
    }
    wakeWriters();
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
    if (hasConnected && !isDisconnected) {
      isDisconnected = true;
      timer.cancel();
      Thread _ = loop.startHandler("hub-" + id(), this::disconnected);
    }
  }

  private void disconnected() {
    Hub<?> hub = null;
    try {
      hub = endpoint.newHub();
      hub.bind(contextOnLoop);
      endpoint.disconnected(hub, contextOnLoop, error);
    } catch (Throwable e) {
      log.error("{} failed at the end of connection {}", endpoint.name(), id(), e);
    } finally {
      close(hub);
    }
  }

  // ---- Threads

  /** Starts a thread that works for this connection. */
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
