package dev.windhover.server.http1;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.CookieLines;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import dev.windhover.server.exchange.ExchangeState;
import dev.windhover.server.exchange.RequestId;
import dev.windhover.server.exchange.ServerExchange;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** One HTTP/1.1 request and its response, between Netty's codec and the seam. */
final class Http1Exchange extends ServerExchange {
  private static final io.netty.handler.codec.http.HttpVersion HTTP_1_1 =
      io.netty.handler.codec.http.HttpVersion.HTTP_1_1;

  private static final byte[] CONTINUE =
      "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /** The head and a body of up to this size are gathered in one buffer. */
  private static final int MOST_GATHERED = 8 * 1024;

  private final Http1Connection connection;
  private final Channel channel;
  private final String method;
  private final String target;
  private final HttpVersion version;
  private final Headers headers = new Headers();
  private final boolean hasBody;

  // Loop only: what the heads of request and response have decided.
  private boolean keepAlive;
  private boolean endTellsLength;

  Http1Exchange(Http1Connection connection, RequestId id, HttpRequest request) {
    long length = bodyLength(request.headers());
    super(id, connection.loop, connection.place, length, connection.limits.maxBodySize());
    this.connection = connection;
    this.channel = connection.channel;
    this.hasBody = length != 0;
    this.method = request.method().name();
    this.target = request.uri();
    request
        .headers()
        .iteratorCharSequence()
        .forEachRemaining(
            field -> headers.add(FieldNames.text(field.getKey()), field.getValue().toString()));
    CookieLines.join(headers);
    this.version =
        request.protocolVersion().equals(HTTP_1_1) ? HttpVersion.HTTP_1_1 : HttpVersion.HTTP_1_0;
    this.keepAlive =
        version == HttpVersion.HTTP_1_1
            ? !headers.hasToken("Connection", "close")
            : headers.hasToken("Connection", "keep-alive");
  }

  /** Returns the length of the body, which the decoder has checked; -1 in chunks (RFC 9112 6.3). */
  private static long bodyLength(HttpHeaders headers) {
    if (headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
      return -1;
    }
    String length = headers.get(HttpHeaderNames.CONTENT_LENGTH);
    return length == null ? 0 : Long.parseLong(length.strip());
  }

  // ---- The body's supply: the connection, which is read or not

  @Override
  public void pauseBody() {
    channel.config().setAutoRead(false);
  }

  @Override
  public void resumeBody() {
    loop.execute(() -> {
      if (body.hasRoom()) {
        channel.config().setAutoRead(true);
      }
    });
  }

  @Override
  public void bodyConsumed(int bytes) {
    // TCP's own window tells the client.
  }

  @Override
  public void bodyAwaited() {
    if (body.received() == 0) {
      loop.execute(this::sendContinue);
    }
  }

  // ---- The connection's side, on the loop

  boolean hasBody() {
    return hasBody;
  }

  void receiveBody(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      body.malformed();
      return;
    }
    body.add(content.content());
    if (content instanceof LastHttpContent last) {
      body.end(last.trailingHeaders());
    }
  }

  void clientGone() {
    lost("the client ended the connection");
  }

  private boolean isHead() {
    return method.equals("HEAD");
  }

  // ---- The request

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
    return connection.link.scheme();
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
    return connection.facts;
  }

  private boolean expectsContinue() {
    return version == HttpVersion.HTTP_1_1 && headers.hasToken("Expect", "100-continue");
  }

  private void sendContinue() {
    if (expectsContinue() && state() == ExchangeState.PENDING) {
      writeContinue();
      connection.output.flush();
    }
  }

  private void writeContinue() {
    connection.output.write(ByteBuffer.wrap(CONTINUE));
  }

  // ---- The response

  @Override
  protected Sink begin(int status, Headers answer, long contentLength) {
    Http1Head head = Http1Head.of(status).fields(answer);
    if (!answer.contains("Date")) {
      head.date();
    }
    boolean chunked = false;
    if (status == 205) { // has no body (RFC 9110 15.3.6)
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
    keepAlive &= !saysClose && canBeFollowed() && !connection.isStopping();
    if (!keepAlive && !saysClose) {
      head.close();
    } else if (keepAlive && version == HttpVersion.HTTP_1_0) {
      head.keepAlive();
    }
    boolean gathered = contentLength > 0 && contentLength <= MOST_GATHERED && !isHead();
    head.writeTo(connection.output, gathered ? (int) contentLength : 0);
    return chunked
        ? new ChunkedBody(this, connection.output)
        : new Http1Body(this, connection.output);
  }

  /** Returns whether another request can follow: the end of this one can be found, and soon. */
  private boolean canBeFollowed() {
    if (upgrade() != null && connection.holdsBytes()) {
      return false; // bytes after a refused upgrade may not be HTTP
    }
    if (hasBody && (body.isBroken() || (expectsContinue() && !body.isBegun()))) {
      return false; // the body's end cannot be found, or the client may not send the body
    }
    return body.isBegun() || body.rest() <= Http1Connection.MOST_DISCARDED;
  }

  /** The handler has ended the response. */
  void end() {
    if (on(ExchangeState.Event.ENDED) != ExchangeState.RESPONDING) {
      return;
    }
    boolean bodyLeft = hasBody && !body.isComplete();
    if (hasBody) {
      body.discard();
    }
    connection.markOutput();
    if (endTellsLength) {
      connection.output.whenWritten(hasLeft -> {
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
  protected void drop() {
    loop.execute(() -> connection.abort(this)); // not from within a read or a flush
  }

  // ---- The upgrade

  /** The offer exists if HTTP/1.1 asks for an upgrade, without a body (RFC 9110 7.8). */
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
  public MemoryBudget memory() {
    return connection.place.memory();
  }

  @Override
  protected void takeRoom() {
    connection.place.upgrade(client());
  }

  @Override
  protected void giveRoomBack() {
    connection.place.downgrade();
  }

  @Override
  protected boolean becomeSocket(int status, Headers answer, Duplex.Receiver receiver) {
    if (channel.isActive()) {
      if (expectsContinue()) {
        writeContinue(); // RFC 9110 7.8: before the 101, although no body follows
      }
      Http1Head.of(status).fields(answer).writeTo(connection.output, 0);
      connection.output.flush();
    }
    if (!channel.isActive()) { // the flush may have found out
      return false;
    }
    upgraded();
    connection.upgrade(id, receiver, aborted);
    return true;
  }
}
