package dev.windhover.server;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.InputStream;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One stream of HTTP/2: a request and its response, or what becomes a socket. */
final class Http2Exchange implements Exchange, Upgrade, StreamEnd {
  /** What says how HTTP/1.1 moves a message, and is malformed here (RFC 9113 8.2.2). */
  private static final Set<String> OF_CONNECTION =
      Set.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

  private final Http2Connection connection;
  private final Http2Stream stream;
  private final RequestId id;
  private final Http2Request request;
  private final boolean hasBody;
  private final RequestBody body;
  private final CompletableFuture<Void> aborted = new CompletableFuture<>();

  // Any thread.
  private volatile boolean responded;
  private volatile boolean reserved;

  // Loop only.
  private @Nullable Http2Body response;
  private boolean running = true; // the handler
  private boolean closed;
  private int widened;
  private boolean inputEnded;
  private @Nullable ByteBuf early; // what came before the upgrade was answered

  Http2Exchange(
      Http2Connection connection,
      Http2Stream stream,
      RequestId id,
      Http2Request request,
      boolean complete) {
    this.connection = connection;
    this.stream = stream;
    this.id = id;
    this.request = request;
    this.inputEnded = complete;
    this.hasBody = !complete && !isExtendedConnect();
    String length = request.headers().get("Content-Length");
    long declared = !hasBody ? 0 : length == null ? -1 : Long.parseLong(length);
    this.body = new RequestBody(id, new Supply(), declared, connection.limits().maxBodySize());
  }

  /** The stream's window. */
  private final class Supply implements RequestBody.Supply {
    @Override
    public void pause() {
      // The client sends no more than it has credit for.
    }

    @Override
    public void resume() {
      // See above.
    }

    @Override
    public void taken(int bytes) {
      connection.loopDo(() -> {
        if (!hasEnded()) { // else it may as well wait
          connection.consumed(stream, bytes);
        }
      });
    }

    @Override
    public void awaited() {
      connection.loopDo(() -> {
        boolean continues = expectsContinue() && body.received() == 0;
        connection.bodyIsAwaited(Http2Exchange.this, continues);
      });
    }

    @Override
    public boolean inLoop() {
      return connection.loop().inLoop();
    }
  }

  // ---- The connection's side, on the loop

  Http2Stream stream() {
    return stream;
  }

  RequestBody requestBody() {
    return body;
  }

  @Override
  public boolean hasEnded() {
    return response != null && response.isEnded();
  }

  /** Returns whether the handler has stopped running with this. */
  boolean stopsRunning() {
    boolean ran = running;
    running = false;
    return ran;
  }

  /** The stream's window is that much larger than others'. */
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
    aborted.complete(null); // first: who fails now because of that, is not at fault
    if (!inputEnded) {
      inputEnded = true;
      body.lose("the client ended the connection");
    }
  }

  void bodyIsSlow() {
    body.fail(new HttpException(408, "the request's body comes too slowly"));
  }

  /** Returns how much of the response the network has taken. */
  long transmitted() {
    return response == null ? 0 : response.transmitted();
  }

  /** Returns whether some of the response is waiting for the client. */
  boolean isWaiting() {
    return response != null && response.inTransit() > 0;
  }

  @Override
  public void closed(String why) {
    closed = true;
    connection.exchangeClosed(this);
    if (early != null) {
      early.release();
      early = null;
    }
    if (!hasEnded()) {
      aborted.complete(null); // first: who fails now because of that, is not at fault
    }
    body.lose("the client ended the request");
    if (hasEnded()) {
      body.discard();
    }
    if (response != null) {
      response.lost();
    }
  }

  // ---- The request

  @Override
  public String id() {
    return id.toString();
  }

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
    return connection.facts();
  }

  @Override
  public InputStream body() {
    return body;
  }

  @Override
  public void maxBodySize(long bytes) {
    body.limit(bytes);
  }

  @Override
  public long maxBodySize() {
    return body.limit();
  }

  @Override
  public Headers trailers() {
    return body.trailers();
  }

  private boolean expectsContinue() {
    return !responded && request.headers().hasToken("Expect", "100-continue");
  }

  // ---- The response

  @Override
  public Sink respond(int status, Headers answer, long contentLength) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    responded = true;
    returnRoom();
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

  /** What comes from {@link Headers} is not looked at again. */
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

  /** The handler has ended its response; nothing more of the request is wanted. */
  void bodyEnds() {
    connection.exchangeEnded(this);
    if (hasBody || closed) {
      body.discard();
    }
  }

  /** The network has the end of the response. */
  void endSent() {
    if (!inputEnded && !closed) { // nobody wants the rest of the request (RFC 9113 8.1)
      connection.resetSoon(stream);
    }
  }

  @Override
  public void abort() {
    connection.loopDo(() -> {
      connection.exchangeEnded(this);
      returnRoom();
      body.discard();
      connection.reset(stream, Http2Error.INTERNAL_ERROR);
    });
  }

  @Override
  public CompletableFuture<Void> aborted() {
    return aborted;
  }

  @Override
  public Loop loop() {
    return connection.loop();
  }

  @Override
  public Thread start(Runnable task) {
    Thread thread = Thread.ofVirtual().name("request-" + id).unstarted(task);
    loop().start(thread);
    return thread;
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
  public void reserve() {
    if (!reserved) {
      connection.requireRoomForSocket();
      reserved = true;
    }
  }

  private void returnRoom() {
    if (reserved) {
      reserved = false;
      connection.socketEnded();
    }
  }

  @Override
  public void accept(int status, Headers answer, Duplex.Receiver receiver) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    reserve();
    responded = true;
    Http2Headers head = headOf(status, answer);
    connection.loopDo(() -> open(head, receiver));
  }

  private void open(Http2Headers head, Duplex.Receiver receiver) {
    connection.exchangeEnded(this);
    if (closed) {
      returnRoom();
      receiver.onLost("the stream was closed before it was upgraded");
      aborted.complete(null);
      return;
    }
    reserved = false; // the socket's from now on
    Http2Duplex socket = new Http2Duplex(connection, stream, id, aborted, receiver);
    connection.becomes(stream, socket);
    connection.sendHead(stream, head, false, () -> {});
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
  }
}
