package dev.windhover.hubs.connections;

import dev.windhover.http.DeferredResponse;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.User;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import dev.windhover.hubs.connections.ConnectionEnding.Status;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Objects;
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
final class ClientConnection extends IdentifiedConnection
    implements KnownToken, Inbound.Owner, LoopConnections.Timed {
  private static final Logger log = Loggers.get(ClientConnection.class);

  private static final VarHandle OVER;
  private static final VarHandle UPLOADS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      UPLOADS = lookup.findVarHandle(ClientConnection.class, "uploads", Uploads.class);
      OVER = lookup.findVarHandle(ClientConnection.class, "over", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final ConnectionEndpoint endpoint;
  private final LoopConnections owner;

  /** Its first request, of which {@link Events} are told; null if there are none. */
  private final @Nullable HttpContext reported;

  // ---- Any thread

  private volatile @Nullable Transport transport; // written by the loop; null while there is none
  private volatile @Nullable OutgoingQueue queue; // written by the loop, before the transport
  private volatile boolean stateful; // written by the loop
  private volatile @Nullable Uploads uploads; // null until something is posted

  /** The token opens nothing any more, except that a poll may fetch what waits. */
  private volatile boolean closing;

  private volatile boolean over;

  // ---- Loop only

  private final Inbound inbound = new Inbound(this);

  /** What it holds in the server's memory; null while that is little. */
  private @Nullable HeldMemory memory;

  private boolean ended;

  /** Nothing of it is left. */
  private boolean isDone;

  /** The listener is being told of a new transport: nothing leaves before it knows. */
  private boolean isRestoring;

  /** Since when there has been no transport, in the loop's nanoseconds. */
  private long awaySince;

  /**
   * Creates one.
   *
   * @param first its first request
   * @param token null if nobody knows one
   * @param stateful whether its client may come back
   */
  ClientConnection(
      ConnectionEndpoint endpoint,
      LoopConnections owner,
      HttpContext first,
      String id,
      @Nullable String token,
      boolean stateful) {
    super(id, token);
    this.endpoint = endpoint;
    this.owner = owner;
    this.reported = Events.NONE.equals(first.application().events()) ? null : first;
    this.stateful = stateful;
    this.awaySince = owner.loop().nanoTime();
  }

  ConnectionOptions options() {
    return endpoint.options();
  }

  @Override
  public Loop loop() {
    return owner.loop();
  }

  /** Runs {@code task} on the loop: immediately if this is the loop. */
  void onLoop(Runnable task) {
    if (loop().inLoop()) {
      task.run();
    } else {
      loop().execute(task);
    }
  }

  // ---- Transports

  /**
   * Reserves the connection for a transport, before its request is answered. Any thread.
   *
   * @return what the request is refused with, or null
   */
  @Nullable Refusal reserve(TransportType wanted) {
    TransportType known = claim(wanted);
    if (known != null && known != wanted) {
      return isClosing() ? Refusal.GONE : Refusal.OTHER_TRANSPORT;
    }
    if (wanted == TransportType.LONG_POLLING) {
      return null; // even when it is over: there may be something to fetch
    }
    if (isClosing()) {
      return Refusal.GONE;
    }
    boolean comesBack = wanted == TransportType.WEB_SOCKETS && stateful;
    return known == null || comesBack ? null : Refusal.IN_USE;
  }

  /** Returns whether it takes no more requests, except polls. Any thread. */
  boolean isClosing() {
    return closing || over;
  }

  /** The request for which it was reserved has failed. Any thread. */
  void abandon() {
    loop()
        .execute(() -> {
          if (!inbound.hasListener()) {
            endNow(Status.NORMAL_CLOSURE, null);
          }
        });
  }

  /** A socket is open: the first, or one with which the client comes back. */
  void attachSocket(SocketTransport opened, ConnectionRequest asked, @Nullable User asking) {
    if (isClosing()) {
      opened.close(Transport.Closing.NORMAL); // it was closed while the socket was being opened
    } else if (!inbound.hasListener()) {
      if (stateful) {
        queue = newQueue();
      }
      attach(opened, asked, asking);
    } else {
      comeBack(opened);
    }
  }

  /** An event stream is open. */
  void attachEvents(EventTransport opened, ConnectionRequest asked, @Nullable User asking) {
    if (isClosing()) {
      opened.end();
      return;
    }
    stateful = false;
    queue = newQueue();
    attach(opened, asked, asking);
    opened.watch();
  }

  /** A poll has come. */
  void poll(DeferredResponse poll, ConnectionRequest asked, @Nullable User asking) {
    if (transport instanceof PollTransport open) {
      asked(asking);
      open.poll(poll);
    } else if (isClosing()) {
      poll.complete(PollTransport.NO_CONTENT);
    } else {
      stateful = false;
      queue = newQueue();
      PollTransport opened = new PollTransport(this);
      attach(opened, asked, asking);
      opened.first(poll);
      owner.watch(opened);
      owner.watch(this); // each poll may have another user
    }
  }

  private OutgoingQueue newQueue() {
    return new OutgoingQueue(this, owner.fanOut(), options().transportMaxBufferSize());
  }

  private void attach(Transport opened, ConnectionRequest asked, @Nullable User asking) {
    opened(asked, asking);
    transport = opened;
    owner.opened(this);
    endpoint.opened(this);
    inbound.begin(() -> endpoint.handler().onConnected(this));
    if (options().closeOnAuthenticationExpiration() && expiresAt() != null) {
      owner.watch(this);
    }
    takeMore();
  }

  // ---- Receiving

  /** What a transport has brought; {@code bytes} are lent. */
  void received(Transport from, ByteBuffer bytes) {
    if (!over && !isStale(from)) {
      inbound.add(bytes, true);
      readOn();
    }
  }

  /** Takes what a client posts, as {@link Uploads#post} says; on the thread of its request. */
  boolean post(InputStream body) throws IOException, InterruptedException {
    return uploads().post(body);
  }

  private Uploads uploads() {
    Uploads known = uploads;
    if (known == null) {
      known = new Uploads(this);
      Object first = UPLOADS.compareAndExchange(this, null, known);
      if (first != null) {
        return uploads();
      }
      if (over) {
        known.end();
      }
    }
    return known;
  }

  /** A piece of what the client posts. */
  void posted(ByteBuffer bytes) {
    if (over) {
      return;
    }
    if (!inbound.hasListener()) {
      owner.watch(this); // its transport may never come
    }
    inbound.add(bytes, false);
    stateMemory();
  }

  @Override
  public void resume() {
    loop().execute(this::takeMore); // never within the call that leaves bytes
  }

  /** Delivers what is kept, then lets more come. */
  private void takeMore() {
    if (!over) {
      inbound.resume();
      readOn();
    }
  }

  private void readOn() {
    stateMemory();
    Transport from = transport;
    if (inbound.isTaking() && from != null && !over) {
      from.readOn();
    }
  }

  @Override
  public boolean isOver() {
    return over;
  }

  @Override
  public void taken(int bytes) {
    Uploads posts = uploads;
    if (posts != null) {
      posts.taken(bytes);
    }
  }

  @Override
  public void failed(Throwable failure) {
    log.error("{} failed", this, failure);
    close(failure);
  }

  // ---- Sending

  @Override
  public boolean send(ByteBuffer message) {
    if (!over) {
      OutgoingQueue own = queue;
      if (own != null) {
        return own.send(message);
      }
      if (transport instanceof SocketTransport socket) {
        return socket.send(message);
      }
    }
    message.position(message.limit());
    return true;
  }

  @Override
  public void sendAhead(ByteBuffer message) {
    OutgoingQueue own = queue;
    if (over || own == null) {
      boolean _ = send(message);
    } else {
      own.sendAhead(message);
    }
  }

  @Override
  public void holdBack(boolean hold) {
    queue().holdBack(hold);
  }

  @Override
  public void sendBound(long bytes) {
    queue().bound(bytes);
  }

  /** Returns whether messages wait in a queue of the connection's own. Any thread. */
  boolean isQueued() {
    return queue != null;
  }

  OutgoingQueue queue() {
    return Objects.requireNonNull(queue, "queue");
  }

  /** Something was queued, or may leave now. */
  void drain() {
    Transport open = transport;
    if (open != null && !isRestoring) {
      open.drain();
    }
    stateMemory();
  }

  /** There is room again in a transport. */
  void writable(Transport from) {
    if (isStale(from)) {
      return;
    }
    if (isQueued()) {
      from.drain();
    } else {
      roomAgain();
    }
  }

  /** There is room again for the listener, which hears of it after the send that was refused. */
  void roomAgain() {
    loop()
        .execute(() -> {
          if (!over) {
            inbound.tell(ConnectionListener::onWritable);
          }
        });
  }

  /** A message has left that may have to be sent again. */
  void sent(SentMessage message) {
    if (inbound.hasListener()) {
      inbound.tell(each -> each.onSent(message));
    } else {
      message.forget();
    }
  }

  /** Returns how many bytes the transport holds; any thread. */
  long pendingInTransport() {
    Transport open = transport;
    return open == null ? 0 : open.bufferedAmount();
  }

  @Override
  public long bufferedAmount() {
    return pendingInTransport() + unsentAmount();
  }

  @Override
  public long unsentAmount() {
    OutgoingQueue own = queue;
    return own == null ? 0 : own.waits();
  }

  @Override
  public Recipient recipient() {
    OutgoingQueue own = queue;
    if (own != null) {
      return own;
    }
    if (transport instanceof SocketTransport socket) {
      return socket.recipient();
    }
    throw new IllegalStateException("connection " + connectionId() + " is not open");
  }

  // ---- Losing a transport, and coming back

  /**
   * A transport has ended.
   *
   * @param byAccident whether neither side wanted that
   * @param error what the client did wrong; null if nothing
   */
  void lost(Transport from, boolean byAccident, @Nullable Throwable error) {
    if (isStale(from)) {
      return;
    }
    if (byAccident && stateful && !isClosing() && inbound.hasListener()) {
      goAway();
      owner.watch(this);
      return;
    }
    endNow(Status.NORMAL_CLOSURE, error);
    release(); // nothing leaves any more
  }

  /** The transport is gone, and the client may come back. */
  private void goAway() {
    transport = null;
    awaySince = loop().nanoTime();
    queue().lost();
    inbound.clear(); // its end will never come
    inbound.tell(ConnectionListener::onTransportLost);
    stateMemory();
  }

  private void comeBack(SocketTransport opened) {
    if (transport instanceof SocketTransport half) {
      goAway();
      half.replaced();
    }
    if (over) { // the listener has ended it
      opened.close(Transport.Closing.NORMAL);
      return;
    }
    transport = opened;
    isRestoring = true;
    inbound.tell(ConnectionListener::onTransportRestored);
    isRestoring = false;
    drain();
    takeMore();
  }

  /** Returns whether there is no transport. Any thread. */
  boolean isAway() {
    return transport == null;
  }

  private boolean isStale(Transport from) {
    return !from.equals(transport);
  }

  @Override
  public boolean isStateful() {
    return stateful;
  }

  @Override
  public void disableReconnect() {
    stateful = false;
    if (isAway() && inbound.hasListener() && beginEnd()) {
      loop().execute(() -> end(Status.NORMAL_CLOSURE, null));
    }
  }

  // ---- Time limits

  /** Ends if the client stays away for too long, or its authentication has expired. */
  @Override
  public boolean look(long now) {
    if (over) {
      return false;
    }
    if (isAway()) {
      if (now - awaySince > Durations.nanos(options().disconnectTimeout())) {
        timedOut();
      }
      return !over;
    }
    if (!options().closeOnAuthenticationExpiration()) {
      return false;
    }
    Instant expiry = expiresAt();
    if (expiry != null && !loop().now().isBefore(expiry)) {
      closeOrderly(Status.NORMAL_CLOSURE);
    }
    return !over;
  }

  /** Nothing has come from the client for too long. */
  void timedOut() {
    endNow(Status.TIMEOUT, null);
  }

  // ---- Ending

  @Override
  public void close() {
    close(Status.NORMAL_CLOSURE, null, Transport.Closing.NORMAL);
  }

  @Override
  public void close(Throwable error) {
    Objects.requireNonNull(error, "error");
    close(Status.NORMAL_CLOSURE, error, Transport.Closing.FAILED);
  }

  @Override
  public void abort() {
    if (beginEnd()) {
      Transport open = transport;
      if (open != null) {
        open.abort();
      }
      loop().execute(() -> end(Status.NORMAL_CLOSURE, null));
    }
  }

  /** The client has closed its transport in order. */
  void closedByClient(Transport from) {
    if (!isStale(from)) {
      endNow(Status.NORMAL_CLOSURE, null);
    }
  }

  /** The client reads too slowly for what it is sent. Any thread. */
  void fallenBehind(Throwable error) {
    close(Status.NORMAL_CLOSURE, error, Transport.Closing.TOO_SLOW);
  }

  /** Closes the connection in place of the application, which may say a last word. */
  void closeOrderly(Status status) {
    if (isClosing()) {
      return;
    }
    closing = true;
    forgetToken();
    inbound.tell(ConnectionListener::onClosing);
    close(status, null, Transport.Closing.NORMAL);
  }

  /** Returns whether a client is there to be told of an end. */
  boolean isAlive() {
    Transport open = transport;
    return open != null && open.isAlive();
  }

  private void close(Status status, @Nullable Throwable error, Transport.Closing how) {
    if (!beginEnd()) {
      return;
    }
    OutgoingQueue own = queue;
    Transport open = transport;
    if (open != null && own != null) {
      own.close(open, how);
    } else if (open != null) {
      open.close(how);
    }
    loop().execute(() -> end(status, error));
  }

  /** The token is dead and nothing is sent any more; returns false if that was so before. */
  private boolean beginEnd() {
    if (!OVER.compareAndSet(this, false, true)) {
      return false;
    }
    forgetToken();
    Uploads posts = uploads;
    if (posts != null) {
      posts.end();
    }
    return true;
  }

  private void forgetToken() {
    if (type() != TransportType.LONG_POLLING) { // a poll may still fetch what waits
      endpoint.forget(this);
    }
  }

  /** Ends it, unless that has begun: its client is gone, or never came. */
  private void endNow(Status status, @Nullable Throwable error) {
    if (beginEnd()) {
      end(status, error);
    }
  }

  /** Tells the listener, but never within another call of it. */
  private void end(Status status, @Nullable Throwable error) {
    if (ended) {
      return;
    }
    if (inbound.isCalling()) {
      loop().execute(() -> end(status, error));
      return;
    }
    ended = true;
    if (!wasOpened()) {
      endpoint.finished(this);
    }
    OutgoingQueue own = queue;
    if (own != null) {
      own.leaveGroups();
    }
    inbound.end(new ConnectionEnding(status, error));
    if (transport == null || own == null) {
      release();
    }
    owner.ended(this);
  }

  /** What waited for the client has left, and the token is forgotten. */
  void transportDone() {
    release();
    endpoint.forget(this);
  }

  /** Nothing leaves or is kept any more. */
  private void release() {
    isDone = true;
    OutgoingQueue own = queue;
    if (own != null) {
      own.seal();
    }
    HeldMemory known = memory;
    if (known != null) {
      known.end();
      memory = null;
    }
  }

  // ---- Memory

  /** States what it holds in the server's memory. */
  void stateMemory() {
    if (memory == null && !isDone) {
      memory = HeldMemory.open(this, inbound, queue, owner.memory());
    }
    if (memory != null) {
      memory.stateMemory();
    }
  }

  /** The server's memory is used up, and this connection holds the most of it. */
  void evicted() {
    HttpContext first = reported;
    if (first != null) {
      first.application().events().limitReached(first, Limit.MEMORY);
    }
    inbound.clear();
    if (!over) {
      fallenBehind(new IOException("the server has no memory left for this connection"));
      return;
    }
    Transport open = transport;
    if (open != null) {
      open.abort(); // it was to take what waits, and then to end
    }
    release();
  }
}
