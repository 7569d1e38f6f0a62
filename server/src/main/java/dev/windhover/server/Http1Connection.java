package dev.windhover.server;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.ExchangeHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The life of one HTTP/1.1 connection: one request after the other, until one takes it over. */
final class Http1Connection extends ChannelInboundHandlerAdapter implements Http1Timeouts.Listener {
  private static final Logger log = LoggerFactory.getLogger(Http1Connection.class);

  /** How long the client may take to end its side after we ended ours. */
  private static final int LINGER_SECONDS = 5;

  /** The same while the server stops, and somebody waits for that. */
  private static final int LINGER_SECONDS_AT_STOP = 1;

  /** As much may wait for the client before the next request is looked at. */
  private static final int MOST_PENDING = 64 * 1024;

  /** As much of a body that nobody wants is read for the sake of the connection. */
  static final int MOST_DISCARDED = 256 * 1024;

  private final Server server;
  private final ExchangeHandler handler;
  private final ReadBuffers buffers;
  private final Http1Decoder decoder;
  private final TcpSink output;
  private final @Nullable NetworkOutput encrypted;
  private final Http1Timeouts timeouts;
  private final ConnectionCount.Place place;
  private final NettyLoop loop;
  private final Connection connection;
  private final Channel channel;
  private final Link link;
  private final Runnable goOn = this::goOn;

  // Loop only.
  private @Nullable Http1Exchange exchange;
  private long requests;
  private boolean discarding;
  private long discarded;
  private @Nullable ScheduledFuture<?> discardingEnds;
  private boolean waitsForOutput;
  private boolean reading;
  private boolean endDue;
  private boolean endKeepsAlive;
  private boolean closing;
  private boolean outputEnded;
  private boolean upgraded;
  private boolean inputEnded;

  Http1Connection(
      Server server,
      ExchangeHandler handler,
      Channel channel,
      Link link,
      ConnectionCount.Place place,
      ReadBuffers buffers,
      @Nullable NetworkOutput encrypted,
      Http1Decoder decoder) {
    this.server = server;
    this.handler = handler;
    this.channel = channel;
    this.link = link;
    this.buffers = buffers;
    this.decoder = decoder;
    this.encrypted = encrypted;
    this.output = new TcpSink(channel, link, encrypted);
    markOutput();
    this.place = place;
    this.timeouts = new Http1Timeouts(channel, server.limits(), output, this);
    this.loop = NettyLoop.of(channel);
    this.connection =
        new ConnectionBuilder(place.id(), channel.remoteAddress(), channel.localAddress())
            .tls(link.tls())
            .version(HttpVersion.HTTP_1_1)
            .build();
  }

  // ---- From Netty

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    opened();
  }

  /** A first request is due from now on. */
  void opened() {
    timeouts.opened();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      if (closing) {
        return;
      }
      reading = true;
      if (message instanceof HttpRequest request) {
        begin(request);
      }
      if (message instanceof HttpContent content && discarding) {
        discard(content);
      } else if (message instanceof HttpContent content && exchange != null) {
        if (exchange.hasBody()) {
          exchange.receiveBody(content);
        } else if (content instanceof LastHttpContent) {
          handler.handle(exchange);
        }
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void begin(HttpRequest request) {
    timeouts.headCame();
    boolean isHead = request.method().equals(HttpMethod.HEAD);
    if (request.decoderResult().isFailure()) {
      refuse(request.decoderResult().cause(), isHead);
      return;
    }
    Http1Rules.Fault fault = Http1Rules.check(request, server.limits());
    if (fault != null) {
      refuse(fault.status(), fault.text(), isHead);
      return;
    }
    Http1Exchange begun;
    try {
      begun = new Http1Exchange(this, place.requestId(++requests), request);
    } catch (IllegalArgumentException e) { // a header that the vocabulary of requests refuses
      refuse(e, isHead);
      return;
    }
    exchange = begun;
    if (inputEnded) {
      begun.clientGone();
    }
    if (begun.isPlainConnect()) {
      begun.refuse(501, "CONNECT is not supported\n");
    } else if (begun.hasBody()) {
      timeouts.bodyBegins(begun.requestBody());
      handler.handle(begun);
    }
  }

  /** Answers what is not HTTP, and closes: what follows cannot be understood either. */
  private void refuse(Throwable fault, boolean isHead) {
    int status = 400;
    String text = "malformed request\n";
    if (fault instanceof TooLongHttpLineException) {
      status = 414;
      text = "request line is longer than " + server.limits().maxRequestLine() + " bytes\n";
    } else if (fault instanceof TooLongHttpHeaderException
        || fault instanceof TooLongFrameException) {
      status = 431;
      text = "headers are larger than " + server.limits().maxHeaders() + " bytes\n";
    }
    refuse(status, text, isHead);
  }

  private void refuse(int status, String text, boolean isHead) {
    log.debug("connection {} refused with {}: {}", connection.id(), status, text.strip());
    Http1Exchange.refuse(this, status, text, isHead);
  }

  // ---- From the timeouts

  @Override
  public void headIsLate() {
    if (exchange == null && !closing) {
      Duration time = server.limits().headersTimeout();
      refuse(408, "no complete request within " + time.toMillis() + " ms\n", false);
    }
  }

  @Override
  public void isIdle() {
    if (exchange == null) {
      log.debug("connection {} closed: no request for long", connection.id());
      closeGently();
    }
  }

  @Override
  public void bodyIsSlow() {
    if (exchange != null) {
      exchange.bodyIsSlow();
    }
  }

  @Override
  public void responseIsSlow() {
    log.debug("connection {} dropped: its client takes the response too slowly", connection.id());
    abort();
  }

  // ---- From Netty, the rest

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    reading = false;
    settle();
    if (exchange == null && decoder.isMidHead()) {
      timeouts.headBegins();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (channel.isWritable()) {
      output.hasShrunk();
    }
  }

  /** No response has a mark of its own. */
  void markOutput() {
    output.mark(MOST_PENDING, goOn);
  }

  /** Goes on with the next request if it has waited for this. */
  private void goOn() {
    if (waitsForOutput) {
      loop.execute(() -> { // not from within a flush
        if (waitsForOutput && takesOutput()) {
          next();
          settle();
        }
      });
    }
  }

  /** A file counts as pending: a client that reads nothing must not hold one for each request. */
  private boolean takesOutput() {
    return channel.isWritable() && output.pending() < MOST_PENDING;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      inputEnded = true;
      if (closing) {
        if (outputEnded) {
          channel.close(); // else when the response is written
        }
      } else if (exchange == null) {
        if (!waitsForOutput) {
          closeGently(); // behind an answer that is still going out
        }
      } else if (discarding) {
        completed(exchange, false);
      } else {
        exchange.clientGone(); // its side is ended; it may still read the response
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    log.debug("connection {} failed: {}", connection.id(), cause.toString());
    abort();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    timeouts.stop();
    endDue = false;
    if (exchange != null) {
      exchange.clientGone();
      exchange = null;
      endDiscarding();
    }
    output.lost();
  }

  // ---- From the exchange, on the loop

  /**
   * The response is complete: goes on with the next request, or closes, as soon as what was read is
   * dealt with. What a batch of reads brings about is flushed once.
   */
  void completed(Http1Exchange done, boolean keepAlive) {
    if (exchange != done) {
      return;
    }
    endDue = true;
    endKeepsAlive = keepAlive;
    if (!reading) {
      settle();
    }
  }

  private void settle() {
    while (endDue) { // the next request may be here, and be answered at once
      endDue = false;
      exchange = null;
      endDiscarding();
      ended(endKeepsAlive);
    }
    output.flush();
  }

  private void ended(boolean keepAlive) {
    if (keepAlive && server.isStopping() && !decoder.isHolding()) {
      stop(); // which came before this, and found a request under way
      return;
    }
    if (!keepAlive || server.isStopping() || (inputEnded && !decoder.isHolding())) {
      closeGently();
      return;
    }
    if (takesOutput()) {
      next();
    } else {
      waitsForOutput = true; // or answers to a client that reads none would pile up
    }
  }

  /** All answers so far are with the client, or nearly: goes on with the next request. */
  private void next() {
    waitsForOutput = false;
    timeouts.awaitRequest();
    reading = true;
    try {
      decoder.release(channel.pipeline().context(decoder));
    } catch (Exception e) {
      exceptionCaught(channel.pipeline().context(decoder), e);
    } finally {
      reading = false;
    }
    if (exchange == null && decoder.isMidHead()) {
      timeouts.headBegins();
    }
    if (inputEnded && exchange == null) {
      closeGently(); // what was held is no whole request, and its rest will not come
    }
  }

  /**
   * The response is complete and the request is not: drops the rest of its body, if that is small
   * and comes soon, so that the connection can go on; else closes.
   */
  void discardBody(Http1Exchange done) {
    if (exchange != done || inputEnded) {
      completed(done, false);
      return;
    }
    discarding = true;
    discarded = 0;
    if (!reading) {
      output.flush(); // else when what was read is dealt with
    }
    channel.config().setAutoRead(true);
    discardingEnds =
        channel
            .eventLoop()
            .schedule(() -> completed(done, false), LINGER_SECONDS, TimeUnit.SECONDS);
  }

  private void endDiscarding() {
    discarding = false;
    if (discardingEnds != null) {
      discardingEnds.cancel(false); // or it holds the request until its time is over
      discardingEnds = null;
    }
  }

  private void discard(HttpContent content) {
    Http1Exchange done = Objects.requireNonNull(exchange);
    discarded += content.content().readableBytes();
    if (content.decoderResult().isFailure() || discarded > MOST_DISCARDED) {
      completed(done, false);
    } else if (content instanceof LastHttpContent) {
      completed(done, true);
    }
  }

  /**
   * Drops the connection with a reset, and what was not sent yet: an end in order would be that of
   * the response, if nothing else tells its length (RFC 9112 8).
   */
  void abort() {
    link.abort(channel);
  }

  /** Drops the connection if it is still at this exchange, or has become its socket. */
  void abort(Http1Exchange aborted) {
    if (exchange == aborted || aborted.isUpgraded()) {
      abort();
    }
  }

  /** Drops the connection, since nobody waits for it any more; a response that is done is left. */
  void drop() {
    if (outputEnded) {
      channel.close();
    } else {
      abort();
    }
  }

  /**
   * From here on any end of the connection is a reset, until {@link #endIsNoReset()}: also one that
   * Netty brings about by itself, when a file turns out to be too short.
   */
  void endIsReset() {
    Link.resetAtClose(channel);
  }

  /** The response was sent to its end. On the loop. */
  void endIsNoReset() {
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, -1);
    }
  }

  /**
   * Makes the connection the receiver's duplex, now that the answer is written; the bytes that were
   * held go to it first.
   */
  void upgrade(RequestId id, Duplex.Receiver receiver, CompletableFuture<Void> clientGone) {
    NettyDuplex duplex = new NettyDuplex(channel, link, encrypted, loop, id, receiver, clientGone);
    exchange = null;
    upgraded = true;
    timeouts.stop();
    channel.config().setAutoRead(true);
    channel.pipeline().replace(this, null, duplex);
    duplex.open();
    channel.pipeline().remove(decoder); // hands over what it held
    if (link.tls() == null) {
      buffers.share(); // TLS holds what it read until a record is complete
    }
    if (inputEnded) {
      duplex.peerEnded();
    }
  }

  /** The connection turns out to be one of HTTP/2. */
  void leave() {
    timeouts.stop();
    channel.pipeline().remove(this);
    channel.pipeline().remove(decoder);
  }

  /**
   * Closes an idle connection at once, and hurries one that waits for its client's end; a request
   * under way closes at its own end.
   */
  void stop() {
    if (discarding) {
      completed(Objects.requireNonNull(exchange), false);
    } else if (outputEnded) {
      closeIn(LINGER_SECONDS_AT_STOP);
    } else if (exchange == null && !closing && !upgraded) {
      waitsForOutput = false;
      closing = true; // and nothing to linger for: all that was asked is answered
      output.whenWritten(written -> channel.close());
    }
  }

  /**
   * Ends our side, and the connection when the client has ended its own: closing at once, with
   * unread bytes from the client, would reset the connection under the response.
   */
  void closeGently() {
    if (closing) {
      return;
    }
    closing = true;
    waitsForOutput = false;
    decoder.drop();
    timeouts.headCame();
    output.whenWritten(written -> {
      if (inputEnded) {
        channel.close();
      } else if (channel.isActive()) {
        outputEnded = true;
        link.endOutput(channel);
        channel.config().setAutoRead(true);
        closeIn(server.isStopping() ? LINGER_SECONDS_AT_STOP : LINGER_SECONDS);
      }
    });
  }

  /**
   * Counts this connection as an upgraded one; from any thread.
   *
   * @throws dev.windhover.http.HttpException 503 if there are too many
   */
  void requireRoomForUpgrade() {
    if (!place.upgrade()) {
      throw ConnectionCount.tooMany(
          server.limits().maxUpgradedConnections(), "upgraded connections");
    }
  }

  /** The room that {@link #requireRoomForUpgrade} made sure of is not needed; from any thread. */
  void returnRoom() {
    place.goBack();
  }

  /** Returns the way out, for one response after the other. */
  TcpSink output() {
    return output;
  }

  Link link() {
    return link;
  }

  ServerLimits limits() {
    return server.limits();
  }

  private void closeIn(int seconds) {
    ScheduledFuture<?> close =
        channel.eventLoop().schedule(() -> channel.close(), seconds, TimeUnit.SECONDS);
    // Or it holds the connection until its time is over, however many come and go meanwhile.
    channel.closeFuture().addListener(closed -> close.cancel(false));
  }

  boolean isStopping() {
    return server.isStopping();
  }

  boolean holdsBytes() {
    return decoder.isHolding();
  }

  Channel channel() {
    return channel;
  }

  NettyLoop loop() {
    return loop;
  }

  Connection connection() {
    return connection;
  }
}
