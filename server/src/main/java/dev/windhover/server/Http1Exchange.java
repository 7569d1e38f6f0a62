package dev.windhover.server;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Upgrade;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AsciiString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One HTTP/1.1 request and its response, between Netty's codec and the seam. */
final class Http1Exchange implements Exchange, Upgrade {
  private static final io.netty.handler.codec.http.HttpVersion HTTP_1_1 =
      io.netty.handler.codec.http.HttpVersion.HTTP_1_1;

  // Netty asks for the hash of every name, and these keep theirs.
  private static final AsciiString DATE = AsciiString.cached("Date");
  private static final AsciiString CONTENT_LENGTH = AsciiString.cached("Content-Length");

  /** What comes from {@link Headers} is not looked at again. */
  private static final HttpHeadersFactory CHECKED_ALREADY =
      DefaultHttpHeadersFactory.headersFactory().withValidation(false);

  /** A large body is copied piece by piece, as the client takes it. */
  private static final int PIECE_BYTES = 64 * 1024;

  /** The largest body that waits for its end. */
  private static final int MOST_HELD = 8 * 1024;

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

  /** Guards the wait of a writer for a slow client. */
  private final Object writable = new Object();

  private boolean keepAlive;
  private boolean responded;
  private boolean endTellsLength;
  private @Nullable FilePart lastPart;
  private boolean upgraded; // loop only

  /**
   * Status and headers, then a first piece of body: held, so that a short answer goes out whole.
   */
  private @Nullable HttpResponse heldHead;

  private ByteBuf heldBody = Unpooled.EMPTY_BUFFER;

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
      channel.config().setAutoRead(true);
    }

    @Override
    public void taken(int bytes) {
      // TCP's own window tells the client.
    }

    @Override
    public void awaited() {
      if (body.received() == 0) {
        sendContinue();
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
    writabilityChanged();
  }

  void writabilityChanged() {
    synchronized (writable) {
      writable.notifyAll();
    }
  }

  /** Answers by itself and closes. */
  void refuse(int status, String text) {
    keepAlive = false;
    body.discard();
    refuse(connection, status, text);
  }

  static void refuse(Http1Connection connection, int status, String text) {
    ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    FullHttpResponse response =
        new DefaultFullHttpResponse(HTTP_1_1, HttpResponseStatus.valueOf(status), bytes);
    response
        .headers()
        .set("Date", HttpDate.now())
        .set("Content-Type", "text/plain; charset=utf-8")
        .set("Content-Length", bytes.readableBytes())
        .set("Connection", "close");
    connection.channel().write(response);
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
      channel.writeAndFlush(
          new DefaultFullHttpResponse(
              HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
    }
  }

  // ---- The response

  @Override
  public void respond(int status, Headers answer, long contentLength) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    responded = true;
    HttpResponse response = responseOf(HttpResponseStatus.valueOf(status), answer);
    HttpHeaders fields = response.headers();
    if (!answer.contains("Date")) {
      fields.add(DATE, HttpDate.now());
    }
    boolean bodiless = status == 204 || status == 304;
    if (!bodiless && !answer.contains("Content-Length")) {
      if (contentLength >= 0) {
        fields.add(CONTENT_LENGTH, Long.toString(contentLength));
      } else if (version == HttpVersion.HTTP_1_1) {
        fields.add("Transfer-Encoding", "chunked");
      } else {
        keepAlive = false; // the end of the body is the end of the connection
        endTellsLength = true;
        connection.endIsReset();
      }
    }
    if (upgrade() != null && connection.holdsBytes()) {
      keepAlive = false; // what follows a refused upgrade may be no HTTP; it is dropped
    }
    if (hasBody && (body.isBroken() || (expectsContinue() && !body.isBegun()))) {
      keepAlive = false; // the body's end cannot be found, or nobody knows whether it comes
    }
    if (!body.isBegun() && body.rest() > Http1Connection.MOST_DISCARDED) {
      keepAlive = false; // more than is read for the sake of the connection
    }
    keepAlive &= !connection.isStopping();
    if (answer.hasToken("Connection", "close")) {
      keepAlive = false;
    } else if (!keepAlive) {
      fields.add("Connection", "close");
    } else if (version == HttpVersion.HTTP_1_0) {
      fields.add("Connection", "keep-alive");
    }
    heldHead = response;
  }

  private static HttpResponse responseOf(HttpResponseStatus status, Headers answer) {
    HttpResponse response = new DefaultHttpResponse(HTTP_1_1, status, CHECKED_ALREADY);
    for (Map.Entry<String, String> field : answer) {
      response.headers().add(field.getKey(), field.getValue());
    }
    return response;
  }

  /** Writes what was held, since more is to come before the end. */
  private void writeHeld() {
    HttpResponse head = heldHead;
    if (head != null) {
      heldHead = null;
      channel.write(head);
      if (heldBody.isReadable()) {
        channel.write(new DefaultHttpContent(heldBody));
      }
    }
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException, InterruptedException {
    if (heldHead != null && !heldBody.isReadable() && bytes.remaining() <= MOST_HELD) {
      requireActive();
      heldBody = Unpooled.copiedBuffer(bytes);
      bytes.position(bytes.limit());
      return;
    }
    writeHeld();
    while (bytes.hasRemaining()) {
      awaitWritable();
      ByteBuffer piece = bytes.slice(bytes.position(), Math.min(bytes.remaining(), PIECE_BYTES));
      channel.write(new DefaultHttpContent(Unpooled.copiedBuffer(piece)));
      bytes.position(bytes.position() + piece.limit());
      if (!channel.isWritable()) {
        channel.flush();
      }
    }
  }

  private void awaitWritable() throws IOException, InterruptedException {
    if (channel.eventLoop().inEventLoop() || channel.isWritable()) {
      requireActive();
      return;
    }
    channel.flush();
    synchronized (writable) {
      while (!channel.isWritable() && channel.isActive()) {
        writable.wait();
      }
    }
    requireActive();
  }

  private void requireActive() throws IOException {
    if (!channel.isActive()) {
      throw new IOException("the client ended the connection");
    }
  }

  @Override
  public void writeFile(Path file, long position, long count) throws IOException {
    requireActive();
    writeHeld();
    if (count > 0 && !method.equals("HEAD")) {
      // Opened now and not when its turn comes, or a file that takes its place meanwhile is sent.
      FilePart part = FilePart.of(file, position, count, lastPart);
      lastPart = part;
      channel.write(part);
    }
  }

  @Override
  public void flush() {
    writeHeld();
    channel.flush();
  }

  @Override
  public void end() {
    connection.loop().execute(() -> endOnLoop());
  }

  private void endOnLoop() {
    boolean bodyLeft = hasBody && !body.isComplete();
    if (hasBody) {
      body.discard();
    }
    HttpResponse head = heldHead;
    ChannelFuture written =
        channel.writeAndFlush(
            head == null
                ? LastHttpContent.EMPTY_LAST_CONTENT
                : new DefaultFullHttpResponse(
                    HTTP_1_1, head.status(), heldBody, head.headers(), EmptyHttpHeaders.INSTANCE),
            endTellsLength || lastPart != null ? channel.newPromise() : channel.voidPromise());
    if (endTellsLength) {
      written.addListener(sent -> {
        if (sent.isSuccess()) {
          connection.endIsNoReset();
        }
      });
    }
    if (lastPart != null) {
      connection.endsWithFile(written);
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
    return Thread.ofVirtual().name("request-" + id).start(task);
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
  public void accept(int status, Supplier<Headers> headers, Duplex.Receiver receiver) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    connection.requireRoomForUpgrade();
    Headers answer;
    try {
      answer = headers.get();
    } catch (RuntimeException e) {
      connection.upgradeFailed();
      throw e;
    }
    responded = true;
    HttpResponse response = responseOf(HttpResponseStatus.valueOf(status), answer);
    if (connection.loop().inLoop()) {
      open(response, receiver);
    } else {
      connection.loop().execute(() -> open(response, receiver));
    }
  }

  private void open(HttpResponse response, Duplex.Receiver receiver) {
    channel.writeAndFlush(response);
    if (channel.isActive()) {
      upgraded = true;
      connection.upgrade(id, receiver, aborted);
    } else {
      receiver.onLost("the connection was lost before it was upgraded");
      aborted.complete(null);
    }
  }
}
