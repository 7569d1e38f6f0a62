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
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One HTTP/1.1 request and its response, between Netty's codec and the seam. */
final class Http1Exchange implements Exchange, Upgrade {
  private static final io.netty.handler.codec.http.HttpVersion HTTP_1_1 =
      io.netty.handler.codec.http.HttpVersion.HTTP_1_1;

  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /** Of a body of up to that size, head and body are gathered in one buffer. */
  private static final int MOST_GATHERED = 8 * 1024;

  private final Http1Connection connection;
  private final Channel channel;
  private final RequestId id;
  private final String method;
  private final String target;
  private final HttpVersion version;
  private final Headers headers = new Headers();
  private final boolean hasBody;
  private final RequestBody body;
  private final CompletableFuture<Void> aborted = new CompletableFuture<>();

  // Any thread.
  private volatile boolean responded;
  private volatile boolean reserved;

  // Loop only.
  private boolean keepAlive;
  private boolean endTellsLength;
  private boolean upgraded;

  Http1Exchange(Http1Connection connection, RequestId id, HttpRequest request) {
    this.connection = connection;
    this.channel = connection.channel();
    this.id = id;
    this.method = request.method().name();
    this.target = request.uri();
    for (Map.Entry<String, String> field : request.headers()) {
      headers.add(field.getKey(), field.getValue());
    }
    this.version =
        request.protocolVersion().equals(HTTP_1_1) ? HttpVersion.HTTP_1_1 : HttpVersion.HTTP_1_0;
    long length = bodyLength(headers);
    this.hasBody = length != 0;
    this.keepAlive =
        version == HttpVersion.HTTP_1_1
            ? !headers.hasToken("Connection", "close")
            : headers.hasToken("Connection", "keep-alive");
    this.body = new RequestBody(id, new Supply(), length, connection.limits().maxBodySize());
  }

  /**
   * Returns the length of the body, -1 for one in chunks (RFC 9112 6.3); the decoder has checked.
   */
  private static long bodyLength(Headers headers) {
    if (headers.contains("Transfer-Encoding")) {
      return -1;
    }
    String length = headers.get("Content-Length");
    return length == null ? 0 : Long.parseLong(length.strip());
  }

  /** The connection, which is read or not. */
  private final class Supply implements RequestBody.Supply {
    @Override
    public void pause() {
      channel.config().setAutoRead(false);
    }

    @Override
    public void resume() {
      connection
          .loop()
          .execute(() -> {
            if (body.hasRoom()) {
              channel.config().setAutoRead(true);
            }
          });
    }

    @Override
    public void taken(int bytes) {
      // TCP's own window tells the client.
    }

    @Override
    public void awaited() {
      if (body.received() == 0) {
        connection.loop().execute(Http1Exchange.this::sendContinue);
      }
    }

    @Override
    public boolean inLoop() {
      return channel.eventLoop().inEventLoop();
    }
  }

  // ---- The connection's side, on the loop

  boolean hasBody() {
    return hasBody;
  }

  boolean isPlainConnect() {
    return method.equals("CONNECT");
  }

  /** Returns whether the connection has become its socket. */
  boolean isUpgraded() {
    return upgraded;
  }

  RequestBody requestBody() {
    return body;
  }

  void bodyIsSlow() {
    body.fail(new HttpException(408, "the request's body comes too slowly"));
  }

  void receiveBody(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      body.isMalformed();
      return;
    }
    body.add(content.content());
    if (content instanceof LastHttpContent last) {
      body.end(last.trailingHeaders());
    }
  }

  void clientGone() {
    aborted.complete(null); // first: who fails now because of that, is not at fault
    body.lose("the client ended the connection");
  }

  /** Answers by itself and closes. */
  void refuse(int status, String text) {
    keepAlive = false;
    body.discard();
    refuse(connection, status, text, isHead());
  }

  private boolean isHead() {
    return method.equals("HEAD");
  }

  static void refuse(Http1Connection connection, int status, String text, boolean isHead) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Http1Head.of(status)
        .date()
        .field("Content-Type", "text/plain; charset=utf-8")
        .contentLength(bytes.length)
        .close()
        .writeTo(connection.output(), bytes.length);
    if (!isHead) {
      connection.output().write(ByteBuffer.wrap(bytes));
    }
    connection.closeGently();
  }

  // ---- The request

  @Override
  public String id() {
    return id.toString();
  }

  @Override
  public String method() {
    return method;
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public String scheme() {
    return connection.link().scheme();
  }

  @Override
  public HttpVersion version() {
    return version;
  }

  @Override
  public Headers headers() {
    return headers;
  }

  @Override
  public Connection connection() {
    return connection.connection();
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
    return version == HttpVersion.HTTP_1_1 && headers.hasToken("Expect", "100-continue");
  }

  private void sendContinue() {
    if (expectsContinue() && !responded) {
      connection.output().write(ByteBuffer.wrap(CONTINUE));
      connection.output().flush();
    }
  }

  // ---- The response

  @Override
  public Sink respond(int status, Headers answer, long contentLength) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    responded = true;
    returnRoom();
    Http1Head head = Http1Head.of(status).fields(answer);
    if (!answer.contains("Date")) {
      head.date();
    }
    boolean chunked = false;
    if (status == 205) { // whose body would be empty (RFC 9110 15.3.6)
      head.contentLength(0);
    } else if (status != 204 && contentLength >= 0) {
      head.contentLength(contentLength);
    } else if (status != 204 && status != 304) {
      if (version == HttpVersion.HTTP_1_1) {
        head.chunked();
        chunked = !isHead();
      } else {
        keepAlive = false; // the end of the body is the end of the connection
        endTellsLength = true;
        connection.endIsReset();
      }
    }
    boolean saysClose = answer.hasToken("Connection", "close");
    keepAlive &= !saysClose && isUnderstoodFurther() && !connection.isStopping();
    if (!keepAlive && !saysClose) {
      head.close();
    } else if (keepAlive && version == HttpVersion.HTTP_1_0) {
      head.keepAlive();
    }
    boolean gathered = contentLength > 0 && contentLength <= MOST_GATHERED && !isHead();
    head.writeTo(connection.output(), gathered ? (int) contentLength : 0);
    Body sink = new Body(connection.output());
    return chunked ? new ChunkedSink(sink) : sink;
  }

  /** Returns whether what follows the request can be a request, and is read for its sake. */
  private boolean isUnderstoodFurther() {
    if (upgrade() != null && connection.holdsBytes()) {
      return false; // what follows a refused upgrade may be no HTTP; it is dropped
    }
    if (hasBody && (body.isBroken() || (expectsContinue() && !body.isBegun()))) {
      return false; // the body's end cannot be found, or nobody knows whether it comes
    }
    return body.isBegun() || body.rest() <= Http1Connection.MOST_DISCARDED;
  }

  /** The sink of the response: the connection's, until the end. */
  private final class Body extends SinkAround {
    Body(TcpSink output) {
      super(output);
    }

    @Override
    public void end() {
      Http1Exchange.this.end();
    }

    @Override
    public void abort() {
      Http1Exchange.this.abort();
    }
  }

  private void end() {
    boolean bodyLeft = hasBody && !body.isComplete();
    if (hasBody) {
      body.discard();
    }
    connection.markOutput();
    if (endTellsLength) {
      connection
          .output()
          .whenWritten(hasLeft -> {
            if (hasLeft) {
              connection.endIsNoReset();
            }
          });
    }
    if (keepAlive && bodyLeft && !body.isBroken()) {
      connection.discardBody(this);
    } else {
      connection.completed(this, keepAlive && !bodyLeft);
    }
  }

  @Override
  public void abort() {
    connection
        .loop()
        .execute(() -> {
          returnRoom();
          body.discard();
          connection.abort(this);
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

  /** An upgrade is asked for, in HTTP/1.1, and no body comes with it (RFC 9110 7.8). */
  @Override
  public @Nullable Upgrade upgrade() {
    boolean asked =
        version == HttpVersion.HTTP_1_1
            && !hasBody
            && headers.contains("Upgrade")
            && headers.hasToken("Connection", "Upgrade");
    return asked ? this : null;
  }

  @Override
  public boolean isExtendedConnect() {
    return false;
  }

  @Override
  public void reserve() {
    connection.requireRoomForUpgrade();
    reserved = true;
  }

  private void returnRoom() {
    if (reserved && !upgraded) {
      reserved = false;
      connection.returnRoom();
    }
  }

  @Override
  public void accept(int status, Headers answer, Duplex.Receiver receiver) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    reserve();
    responded = true;
    if (connection.loop().inLoop()) {
      open(status, answer, receiver);
    } else {
      connection.loop().execute(() -> open(status, answer, receiver));
    }
  }

  private void open(int status, Headers answer, Duplex.Receiver receiver) {
    if (channel.isActive()) {
      Http1Head.of(status).fields(answer).writeTo(connection.output(), 0);
      connection.output().flush();
    }
    if (channel.isActive()) {
      upgraded = true;
      connection.upgrade(id, receiver, aborted);
    } else {
      receiver.onLost("the connection was lost before it was upgraded");
      aborted.complete(null);
    }
  }
}
