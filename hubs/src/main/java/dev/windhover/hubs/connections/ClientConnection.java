package dev.windhover.hubs.connections;

import dev.windhover.http.User;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import dev.windhover.hubs.connections.ConnectionEnding.Status;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A client's connection, from its first request on. Its loop, that of this request, owns it: what
 * transports on other loops have to say is handed over. Only the token is looked at elsewhere.
 *
 * <p>It is <em>over</em> as soon as either side has closed it. From then on its token opens
 * nothing, and nothing is sent. What was sent before still leaves, which is the transport's
 * business.
 */
final class ClientConnection implements ConnectionContext, KnownToken {
  private static final Logger log = Loggers.get(ClientConnection.class);

  private static final VarHandle TYPE;
  private static final VarHandle ITEMS;
  private static final VarHandle OVER;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      TYPE = lookup.findVarHandle(ClientConnection.class, "type", TransportType.class);
      ITEMS = lookup.findVarHandle(ClientConnection.class, "items", Map.class);
      OVER = lookup.findVarHandle(ClientConnection.class, "over", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final ConnectionEndpoint endpoint;
  private final Loop loop;
  private final String id;

  /** Null if the client has not negotiated: nobody knows a token then. */
  private final @Nullable String token;

  // ---- Any thread

  /** The kind of its transports; null until the first. */
  private volatile @Nullable TransportType type;

  private volatile @Nullable Transport transport; // written by the loop
  private volatile @Nullable ConnectionRequest request; // written by the loop
  private volatile @Nullable User user; // written by the loop
  private volatile TransferFormat format = TransferFormat.TEXT; // written by the loop
  private volatile boolean stateful; // written by the loop
  private volatile @Nullable Map<String, Object> items;
  private volatile boolean over;

  // ---- Loop only

  private final Inbound inbound = new Inbound();
  private @Nullable ConnectionListener listener;
  private boolean ended;

  /** The listener is being called. */
  private boolean calling;

  ClientConnection(
      ConnectionEndpoint endpoint, Loop loop, String id, @Nullable String token, boolean stateful) {
    this.endpoint = endpoint;
    this.loop = loop;
    this.id = id;
    this.token = token;
    this.stateful = stateful;
  }

  // ---- What it is

  @Override
  public String connectionId() {
    return id;
  }

  @Nullable String token() {
    return token;
  }

  @Override
  public TransportType transport() {
    return Objects.requireNonNull(type, "transport");
  }

  @Override
  public ConnectionRequest request() {
    return Objects.requireNonNull(request, "request");
  }

  @Override
  public @Nullable User user() {
    return user;
  }

  @Override
  public Map<String, Object> items() {
    Map<String, Object> known = items;
    if (known == null) {
      known = new ConcurrentHashMap<>(4);
      Map<?, ?> first = (Map<?, ?>) ITEMS.compareAndExchange(this, null, known);
      return first == null ? known : items();
    }
    return known;
  }

  @Override
  public Loop loop() {
    return loop;
  }

  /** Runs {@code task} on the loop: immediately if this is the loop. */
  void onLoop(Runnable task) {
    if (loop.inLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }

  // ---- Transports

  /**
   * Reserves the connection for a transport, before its request is answered. Any thread.
   *
   * @return what the request is refused with, or null
   */
  @Nullable Refusal reserve(TransportType wanted) {
    TransportType known = (TransportType) TYPE.compareAndExchange(this, null, wanted);
    if (over) {
      return Refusal.GONE;
    }
    if (known == null) {
      return null;
    }
    if (known != wanted) {
      return Refusal.OTHER_TRANSPORT;
    }
    return known == TransportType.LONG_POLLING || stateful ? null : Refusal.IN_USE;
  }

  /** Returns the kind of its transports; null until the first. Any thread. */
  @Nullable TransportType type() {
    return type;
  }

  /** A transport is open. */
  void attach(
      Transport opened, TransportType kind, ConnectionRequest asked, @Nullable User asking) {
    if (over) {
      opened.close(false); // closed while it was being opened
      return;
    }
    if (listener == null) {
      type = kind;
      request = asked;
      user = asking;
      transport = opened;
      open();
    }
    if (inbound.isTaking() && !over) {
      opened.readOn();
    }
  }

  private void open() {
    endpoint.opened(this);
    calling = true;
    try {
      listener = Objects.requireNonNull(endpoint.handler().onConnected(this), "the listener");
    } catch (Throwable failure) {
      failed(failure);
    } finally {
      calling = false;
    }
  }

  /** What a transport has brought; {@code bytes} are lent. */
  void received(Transport from, ByteBuffer bytes) {
    if (over || isStale(from)) {
      return;
    }
    inbound.add(bytes, true, this::deliver);
    if (inbound.isTaking() && !over) {
      from.readOn();
    }
  }

  private void deliver(ByteBuffer bytes) {
    ConnectionListener receiver = listener;
    if (receiver == null || over) {
      bytes.position(bytes.limit());
      return;
    }
    boolean outer = calling;
    calling = true;
    try {
      receiver.onBytes(bytes); // in line: no lambda for each message
    } catch (Throwable failure) {
      bytes.position(bytes.limit());
      failed(failure);
    } finally {
      calling = outer;
    }
  }

  @Override
  public void resume() {
    loop.execute(() -> { // never within the call that leaves bytes
      if (over) {
        return;
      }
      inbound.resume(this::deliver);
      Transport from = transport;
      if (inbound.isTaking() && from != null && !over) {
        from.readOn();
      }
    });
  }

  /** There is room again. */
  void writable(Transport from) {
    if (!isStale(from) && !over) {
      call(ConnectionListener::onWritable);
    }
  }

  /** The client has closed its transport in order. */
  void closedByClient(Transport from) {
    if (!isStale(from) && beginEnd()) {
      end(Status.NORMAL_CLOSURE, null);
    }
  }

  /**
   * A transport has ended.
   *
   * @param byAccident whether neither side wanted that
   * @param error what the client did wrong; null if nothing
   */
  void lost(Transport from, boolean byAccident, @Nullable Throwable error) {
    if (!isStale(from) && beginEnd()) {
      end(Status.NORMAL_CLOSURE, error);
    }
  }

  private boolean isStale(Transport from) {
    return !from.equals(transport);
  }

  // ---- Sending

  @Override
  public TransferFormat transferFormat() {
    return format;
  }

  @Override
  public void transferFormat(TransferFormat format) {
    if (!transport().carries(format)) {
      throw new IllegalArgumentException(
          "transport " + transport().wireName() + " does not carry " + format.wireName());
    }
    this.format = format;
  }

  @Override
  public boolean send(ByteBuffer message) {
    Transport open = transport;
    return open == null || over || open.send(message);
  }

  @Override
  public long bufferedAmount() {
    Transport open = transport;
    return open == null ? 0 : open.bufferedAmount();
  }

  @Override
  public Recipient recipient() {
    return Objects.requireNonNull(transport, "transport").recipient();
  }

  // ---- Coming back

  @Override
  public boolean isStateful() {
    return stateful;
  }

  @Override
  public void disableReconnect() {
    stateful = false;
  }

  // ---- Ending

  @Override
  public void close() {
    close(null, transport -> transport.close(false));
  }

  @Override
  public void close(Throwable error) {
    close(Objects.requireNonNull(error, "error"), transport -> transport.close(true));
  }

  @Override
  public void abort() {
    close(null, Transport::abort);
  }

  /** Ends the connection because of {@code error}, the transport in a way of its own. */
  void fail(Throwable error, Runnable endOfTransport) {
    close(error, _ -> endOfTransport.run());
  }

  @FunctionalInterface
  private interface EndOfTransport {
    void end(Transport transport);
  }

  private void close(@Nullable Throwable error, EndOfTransport how) {
    if (!beginEnd()) {
      return;
    }
    Transport open = transport;
    if (open != null) {
      how.end(open);
    }
    loop.execute(() -> end(Status.NORMAL_CLOSURE, error)); // not within a call of the listener
  }

  /** The token is dead and nothing is sent any more; returns false if that was so before. */
  private boolean beginEnd() {
    if (!OVER.compareAndSet(this, false, true)) {
      return false;
    }
    endpoint.forget(this);
    return true;
  }

  private void end(Status status, @Nullable Throwable error) {
    if (ended) {
      return;
    }
    if (calling) {
      loop.execute(() -> end(status, error));
      return;
    }
    ended = true;
    inbound.clear();
    endpoint.ended(this);
    call(known -> known.onEnded(new ConnectionEnding(status, error)));
    listener = null;
  }

  /** The application's code has failed. */
  private void failed(Throwable failure) {
    log.error("connection {} failed", id, failure);
    close(failure);
  }

  // ---- Calling the listener

  @FunctionalInterface
  private interface Call {
    void to(ConnectionListener listener) throws Exception;
  }

  private void call(Call call) {
    ConnectionListener known = listener;
    if (known == null) {
      return;
    }
    boolean outer = calling;
    calling = true;
    try {
      call.to(known);
    } catch (Throwable failure) {
      failed(failure);
    } finally {
      calling = outer;
    }
  }

  @Override
  public String toString() {
    return "connection " + id;
  }
}
