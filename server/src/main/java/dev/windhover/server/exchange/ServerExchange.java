package dev.windhover.server.exchange;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.http.Limit;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import dev.windhover.server.exchange.ExchangeState.Event;
import dev.windhover.server.net.NettyLoop;
import java.io.InputStream;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * What a request has in every version of HTTP: its name in logs, its body, the state of its answer,
 * and the room that an upgrade takes. How the answer is written is the version's.
 */
public abstract class ServerExchange implements Exchange, Upgrade, RequestBody.Supply {
  private static final AtomicReferenceFieldUpdater<ServerExchange, ExchangeState> STATE =
      AtomicReferenceFieldUpdater.newUpdater(ServerExchange.class, ExchangeState.class, "state");
  private static final AtomicLongFieldUpdater<ServerExchange> GUEST =
      AtomicLongFieldUpdater.newUpdater(ServerExchange.class, "guest");

  private static final Logger log = Loggers.get(ServerExchange.class);

  protected final RequestId id;
  protected final NettyLoop loop;
  protected final RequestBody body;
  protected final CompletableFuture<Void> aborted = new CompletableFuture<>();

  private final ConnectionCount.Place place;

  /** The key of the address for which a socket counts: the peer's, or that of its client. */
  private long client;

  /** The key of the client for which the request counts, unless that is the peer. */
  private volatile long guest = AddressCount.EXEMPT;

  /** Changed by the loop, and by the thread that accepts an upgrade. */
  private volatile ExchangeState state = ExchangeState.PENDING;

  private @Nullable Consumer<Limit> onLimit;

  /** Why the host has dropped the connection or the stream, if it has. */
  private volatile @Nullable String cut;

  /** Room for an upgrade was taken, and the socket does not exist yet. */
  private volatile boolean reserved;

  /**
   * Creates one.
   *
   * @param declared the length of the body as the client declares it; -1 if it does not, 0 if there
   *     is no body
   */
  protected ServerExchange(
      RequestId id, NettyLoop loop, ConnectionCount.Place place, long declared, long maxBodySize) {
    this.id = id;
    this.loop = loop;
    this.place = place;
    this.client = place.address();
    this.body = new RequestBody(id, this, declared, maxBodySize);
  }

  // ---- The state of the answer

  /** Returns the state; from any thread. */
  public final ExchangeState state() {
    return state;
  }

  /** Changes the state, and returns the one before. */
  protected final ExchangeState on(Event event) {
    while (true) {
      ExchangeState before = state;
      ExchangeState after = before.on(event);
      if (before == after || STATE.compareAndSet(this, before, after)) {
        if (after.isTerminal() && !before.isTerminal()) {
          forgetGuest();
          handlerEnded();
        }
        return before;
      }
    }
  }

  /** The handler has nothing more to do with the answer. On the loop. */
  protected void handlerEnded() {}

  // ---- Whom it counts for

  @Override
  public final void onBehalfOf(InetAddress address) {
    forgetGuest();
    long key = place.requestOf(address);
    client = key;
    guest = key;
    if (state.isTerminal()) { // it may just have ended
      forgetGuest();
    }
  }

  private void forgetGuest() {
    if (guest != AddressCount.EXEMPT) {
      place.requestEnded(GUEST.getAndSet(this, AddressCount.EXEMPT)); // by one thread only
    }
  }

  /** Returns the key of the address for which a socket counts. */
  protected final long client() {
    return client;
  }

  // ---- The connection's side, on the loop

  /** Returns the body, as the loop sees it. */
  public final RequestBody requestBody() {
    return body;
  }

  /** Refuses the body, because it comes too slowly. */
  public final void bodyIsSlow() {
    body.fail(new HttpException(408, "the request's body comes too slowly"));
  }

  /**
   * The server's memory is used up, and this request holds too much of it. It is answered with 503
   * when the handler reads the body, which is dropped; a request without one is dropped itself.
   */
  public final void evict() {
    boolean hasBody = state == ExchangeState.PENDING && body.received() > 0;
    if (hasBody && body.kept() == 0) {
      return; // the handler has taken it meanwhile
    }
    log.debug("request {} is ended: no memory left", id);
    Consumer<Limit> told = onLimit;
    if (told != null) {
      told.accept(Limit.MEMORY);
    }
    if (hasBody) {
      body.drop(
          new HttpException(
              503,
              "the server has no memory left for this request",
              new Headers().add("Retry-After", ConnectionCount.RETRY_AFTER_SECONDS)));
    } else {
      cut("the server had no memory left for the request");
      abort();
    }
  }

  /**
   * The host is about to drop the connection or the stream. Those who still write or read hear
   * that, and not that the client had ended it.
   */
  public final void cut(String why) {
    cut = why;
  }

  @Override
  public final String whyAborted() {
    String known = cut;
    return known == null ? Exchange.super.whyAborted() : known;
  }

  /** The client cannot be answered any more; {@code why}, unless we have dropped it. */
  protected final void lost(String why) {
    aborted.complete(null); // first, so that handlers that fail because of it know the cause
    body.lose(cut == null ? why : whyAborted());
  }

  @Override
  public final void wake(Thread handler) {
    loop.unpark(handler);
  }

  @Override
  public final boolean inLoop() {
    return loop.inLoop();
  }

  // ---- The request

  @Override
  public final String id() {
    return id.toString();
  }

  @Override
  public final InputStream body() {
    return body;
  }

  @Override
  public final void maxBodySize(long bytes) {
    body.limit(bytes);
  }

  @Override
  public final long maxBodySize() {
    return body.limit();
  }

  @Override
  public final Headers trailers() {
    return body.trailers();
  }

  @Override
  public final void onLimit(Consumer<Limit> listener) {
    onLimit = listener;
  }

  @Override
  public final CompletableFuture<Void> aborted() {
    return aborted;
  }

  @Override
  public final Loop loop() {
    return loop;
  }

  @Override
  public final Thread start(Runnable task) {
    return loop.startHandler("request-" + id, task);
  }

  // ---- The response

  @Override
  public final Sink respond(int status, Headers answer, long contentLength) {
    on(Event.RESPONDED);
    returnRoom();
    return begin(status, answer, contentLength);
  }

  /** Begins the response, as {@link #respond} does. */
  protected abstract Sink begin(int status, Headers answer, long contentLength);

  @Override
  public final void abort() {
    loop.run(() -> {
      on(Event.ABORTED);
      returnRoom();
      body.discard();
      drop();
    });
  }

  /** Drops the connection, or the stream. */
  protected abstract void drop();

  // ---- The upgrade

  @Override
  public final void reserve() {
    if (!reserved) {
      takeRoom();
      reserved = true;
    }
  }

  /**
   * Counts one more upgraded connection; from any thread.
   *
   * @throws HttpException 503 if there are too many
   */
  protected abstract void takeRoom();

  private void returnRoom() {
    if (reserved) {
      reserved = false;
      giveRoomBack();
    }
  }

  /** Does not count what {@link #takeRoom} has counted any more. */
  protected abstract void giveRoomBack();

  @Override
  public final void accept(int status, Headers answer, Duplex.Receiver receiver) {
    state.on(Event.ACCEPTED); // fails before room is taken, if it has to
    reserve();
    on(Event.ACCEPTED);
    loop.run(() -> open(status, answer, receiver));
  }

  private void open(int status, Headers answer, Duplex.Receiver receiver) {
    if (state != ExchangeState.UPGRADING || !becomeSocket(status, answer, receiver)) {
      on(Event.ABORTED);
      returnRoom();
      receiver.onLost("the connection was lost before it was upgraded");
      aborted.complete(null);
    }
  }

  /**
   * Writes the answer and opens the socket.
   *
   * @return false if the client is gone
   */
  protected abstract boolean becomeSocket(int status, Headers answer, Duplex.Receiver receiver);

  /** The request becomes a socket, which has the room from now on. */
  protected final void upgraded() {
    on(Event.UPGRADED);
    reserved = false;
  }
}
