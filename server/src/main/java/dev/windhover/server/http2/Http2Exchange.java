package dev.windhover.server.http2;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import dev.windhover.server.exchange.ExchangeState;
import dev.windhover.server.exchange.HttpDate;
import dev.windhover.server.exchange.RateMeter;
import dev.windhover.server.exchange.RequestId;
import dev.windhover.server.exchange.ServerExchange;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A request on a stream of HTTP/2, and its response or its upgrade to a socket. */
final class Http2Exchange extends ServerExchange implements StreamEnd, MemoryBudget.Holder {
  /** Fields about the framing of HTTP/1.1, which are malformed here (RFC 9113 8.2.2). */
  private static final Set<String> OF_CONNECTION =
      Set.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

  /** What a stream costs anyway; most requests never have more, and need no account. */
  private static final int LEAST_COUNTED = 4 * 1024;

  private final Http2Connection connection;
  private final Http2Stream stream;
  private final Http2Request request;
  private final boolean hasBody;

  // Loop only.
  private @Nullable Http2Body response;
  private int widened;

  /** Opened when the request holds something for the first time. */
  private MemoryBudget.@Nullable Account account;

  /** How fast the body comes, and how fast the client takes the response, while that is watched. */
  @Nullable RateMeter bodyMeter;

  @Nullable RateMeter responseMeter;

  /** The time in which the response waited for its window, and when that was last looked at. */
  private long waited;

  private long lookedAt;

  // Not states of the answer, because the client may cause them at any time.
  private boolean inputEnded;
  private boolean closed;
  private @Nullable ByteBuf early; // what came before the upgrade was answered

  Http2Exchange(
      Http2Connection connection,
      Http2Stream stream,
      RequestId id,
      Http2Request request,
      boolean complete) {
    boolean hasBody = !complete && request.protocol() == null;
    String length = request.headers().get("Content-Length");
    long declared = !hasBody ? 0 : length == null ? -1 : Long.parseLong(length);
    super(id, connection.loop, connection.place, declared, connection.serverLimits.maxBodySize());
    this.connection = connection;
    this.stream = stream;
    this.request = request;
    this.hasBody = hasBody;
    this.inputEnded = complete;
  }

  // ---- The body's supply: the stream's window

  @Override
  public void pauseBody() {
    // The client sends no more than it has credit for.
  }

  @Override
  public void resumeBody() {
    // See above.
  }

  @Override
  public void bodyConsumed(int bytes) {
    loop.run(() -> {
      if (!hasEnded()) { // otherwise it may as well wait
        connection.consumed(stream, bytes);
      }
    });
  }

  @Override
  public void bodyAwaited() {
    loop.run(() -> {
      boolean continues = expectsContinue() && body.received() == 0;
      connection.bodyIsAwaited(this, continues);
    });
  }

  // ---- The connection's side, on the loop

  Http2Stream stream() {
    return stream;
  }

  @Override
  public boolean hasEnded() {
    return response != null && response.isEnded();
  }

  @Override
  protected void handlerEnded() {
    connection.frames.handlerEnded();
  }

  /** Sets by how many bytes the window of the stream was enlarged. */
  void widened(int bytes) {
    widened = bytes;
  }

  int widened() {
    return widened;
  }

  @Override
  public void receive(ByteBuf data) {
    if (isExtendedConnect() && !hasEnded()) {
      ByteBuf all = early == null ? Unpooled.buffer(data.readableBytes()) : early;
      early = all.writeBytes(data, data.readerIndex(), data.readableBytes()); // within a window
    } else if (hasBody) {
      body.add(data);
    } else {
      connection.consumed(stream, data.readableBytes());
    }
    stateMemory();
  }

  @Override
  public void receiveEnd(Iterable<Map.Entry<String, String>> trailers) {
    inputEnded = true;
    connection.narrowed(this);
    if (hasBody) {
      body.end(trailers);
    }
  }

  @Override
  public void connectionEnds() {
    inputEnded = true;
    lost("the client ended the connection");
  }

  /** Returns how much of the response the network has taken. */
  long sent() {
    return response == null ? 0 : response.sent();
  }

  /** The response begins to wait; returns for how long it has waited before. */
  long waitsFrom(long now) {
    lookedAt = now;
    return waited;
  }

  /**
   * Returns the time in which the response had to wait for its window. The time that the network
   * takes is the whole connection's.
   */
  long waitedNanos(long now, long acknowledged) {
    if (response != null && !response.isBoundByNetwork(acknowledged)) {
      waited += now - lookedAt;
    }
    lookedAt = now;
    return waited;
  }

  /** Returns whether part of the response waits for the client. */
  boolean isWaiting() {
    return response != null && response.inTransit() > 0;
  }

  @Override
  public void closed(String why) {
    closed = true;
    closeAccount();
    connection.exchangeClosed(this);
    if (early != null) {
      early.release();
      early = null;
    }
    if (hasEnded()) {
      body.discard();
    } else {
      lost("the client ended the request");
    }
    if (response != null) {
      response.lost();
    }
  }

  // ---- The memory budget

  /** Called when bytes have come, and when some may wait for the client after a flush. */
  @Override
  public void stateMemory() {
    if (closed) {
      return;
    }
    long heap = body.kept() + (early == null ? 0 : early.capacity());
    long direct = response == null ? 0 : response.buffered();
    MemoryBudget.Account known = account;
    if (known == null && heap + direct >= LEAST_COUNTED) {
      known = memory().open(loop, this);
      account = known;
    }
    if (known != null) {
      known.holds(heap, direct);
    }
  }

  @Override
  public long moved() {
    return body.received() + sent();
  }

  private void closeAccount() {
    if (account != null) {
      account.close();
      account = null;
    }
  }

  @Override
  public MemoryBudget memory() {
    return connection.memory();
  }

  // ---- The request

  @Override
  public String method() {
    return request.method();
  }

  @Override
  public String target() {
    return request.target();
  }

  @Override
  public String scheme() {
    return request.scheme();
  }

  @Override
  public HttpVersion version() {
    return HttpVersion.HTTP_2;
  }

  @Override
  public Headers headers() {
    return request.headers();
  }

  @Override
  public Connection connection() {
    return connection.facts;
  }

  private boolean expectsContinue() {
    return state() == ExchangeState.PENDING && request.headers().hasToken("Expect", "100-continue");
  }

  // ---- The response

  @Override
  protected Sink begin(int status, Headers answer, long contentLength) {
    Http2Headers head = headOf(status, answer);
    if (contentLength >= 0 && !answer.contains("Content-Length")) {
      head.add("content-length", Long.toString(contentLength));
    }
    Http2Body begun = new Http2Body(connection, this, head);
    if (closed) {
      begun.close();
    }
    response = begun;
    return begun;
  }

  /** {@link Headers} has checked the fields, so they are not checked again. */
  private static Http2Headers headOf(int status, Headers answer) {
    Http2Headers head = new DefaultHttp2Headers(false);
    head.status(Integer.toString(status));
    for (Map.Entry<String, String> field : answer) {
      String name = field.getKey().toLowerCase(Locale.ROOT);
      if (!OF_CONNECTION.contains(name)) {
        head.add(name, field.getValue());
      }
    }
    if (!head.contains("date")) {
      head.add("date", HttpDate.now());
    }
    return head;
  }

  /** The handler has ended its response, and wants no more of the request. */
  void bodyEnds() {
    on(ExchangeState.Event.ENDED);
    if (hasBody || closed) {
      body.discard();
    }
  }

  /** The network has taken the end of the response. */
  void endSent() {
    if (!inputEnded && !closed) { // the rest of the request is not needed (RFC 9113 8.1)
      connection.resetSoon(stream);
    }
  }

  @Override
  protected void drop() {
    connection.reset(stream, Http2Error.INTERNAL_ERROR);
  }

  // ---- The upgrade

  @Override
  public @Nullable Upgrade upgrade() {
    return isExtendedConnect() ? this : null;
  }

  @Override
  public boolean isExtendedConnect() {
    return request.protocol() != null;
  }

  @Override
  protected void takeRoom() {
    connection.requireRoomForSocket(client());
  }

  @Override
  protected void giveRoomBack() {
    connection.socketEnded(client());
  }

  @Override
  protected boolean becomeSocket(int status, Headers answer, Duplex.Receiver receiver) {
    if (closed) {
      return false;
    }
    upgraded();
    closeAccount();
    Http2Duplex socket = new Http2Duplex(connection, stream, id, client(), aborted, receiver);
    connection.frames.setEnd(stream, socket);
    connection.sendHead(stream, headOf(status, answer), false, () -> {});
    if (connection.isStopping()) {
      socket.serverStops();
    }
    socket.open();
    ByteBuf held = early;
    if (held != null) {
      early = null;
      socket.receive(held);
      held.release();
    }
    if (inputEnded) {
      socket.peerEnded();
    }
    return true;
  }
}
