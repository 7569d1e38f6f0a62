package dev.windhover.server.http1;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.Limit;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.ConnectionCount;
import dev.windhover.server.exchange.ExchangeState;
import dev.windhover.server.exchange.NewConnection;
import dev.windhover.server.exchange.RateMeter;
import dev.windhover.server.exchange.RequestFault;
import dev.windhover.server.exchange.RequestId;
import dev.windhover.server.http1.Http1State.Event;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.NettyLoop;
import dev.windhover.server.net.NetworkOutput;
import dev.windhover.server.net.ReadBuffers;
import dev.windhover.server.net.Stoppable;
import dev.windhover.server.net.TcpSink;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The life of one HTTP/1.1 connection: one request after the other, until one of them takes the
 * connection over. {@link Http1State} is the table of its states.
 */
public final class Http1Connection extends ChannelInboundHandlerAdapter
    implements Stoppable, MemoryBudget.Holder {
  private static final Logger log = Loggers.get(Http1Connection.class);

  /** How long the client may take to end its side after we ended ours. */
  private static final int LINGER_SECONDS = 5;

  /** The same while the server stops, because somebody waits for that. */
  private static final int LINGER_SECONDS_AT_STOP = 1;

  /** This much may wait for the client before the next request is looked at. */
  private static final int MOST_PENDING = 64 * 1024;

  /** The most of an unwanted body that is read so that the connection can be used again. */
  static final int MOST_DISCARDED = 256 * 1024;

  // For the exchanges, too.
  final Channel channel;
  final Link link;
  final NettyLoop loop;
  final Connection facts;
  final ServerLimits limits;
  final ConnectionCount.Place place;

  /** The output, which one response after the other uses. */
  final TcpSink output;

  private final ExchangeHandler handler;
  private final ReadBuffers buffers;
  private final Http1Decoder decoder;
  private final @Nullable NetworkOutput encrypted;
  private final Http1Timeouts timeouts;
  private final Runnable hasRoom = this::hasRoom;

  // Loop only.
  private Http1State state = Http1State.AWAITING_REQUEST;

  /** The request in the states from EXCHANGE to LAST_ANSWERED. */
  private @Nullable Http1Exchange exchange;

  /** Opened when the connection holds something for the first time. */
  private MemoryBudget.@Nullable Account account;

  private long requests;
  private long discarded;
  private @Nullable ScheduledFuture<?> discardingEnds;

  // Not states, because each of them can be true in almost every state.

  /** Within a batch of reads, whose output is flushed once at its end. */
  private boolean reading;

  /** The client has ended its side; it may still read ours. */
  private boolean inputEnded;

  /** The server stops: no further request begins. */
  private boolean stopping;

  private Http1Connection(NewConnection taken, ServerLimits limits, ExchangeHandler handler) {
    this.handler = handler;
    this.limits = limits;
    this.channel = taken.channel();
    this.link = taken.link();
    this.place = taken.place();
    this.facts = taken.facts(HttpVersion.HTTP_1_1);
    this.buffers = taken.buffers();
    this.decoder = new Http1Decoder(limits);
    this.encrypted = link.tls() == null ? null : new NetworkOutput(channel);
    this.output = new TcpSink(channel, link, encrypted);
    markOutput();
    this.timeouts = new Http1Timeouts(this, channel.eventLoop(), limits, output);
    this.loop = NettyLoop.of(channel);
  }

  /** Makes a connection speak HTTP/1.1; on its loop. */
  public static Http1Connection begin(
      NewConnection taken, ServerLimits limits, ExchangeHandler handler) {
    Http1Connection begun = new Http1Connection(taken, limits, handler);
    if (begun.encrypted != null) {
      begun.channel.pipeline().addFirst(begun.encrypted);
    }
    begun.channel.pipeline().addLast(begun.decoder, begun);
    return begun;
  }

  private void on(Http1State.Event event) {
    state = state.on(event);
  }

  // ---- From Netty

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    opened();
  }

  /** A first request is due from now on. */
  public void opened() {
    timeouts.opened();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    loop.step();
    try {
      if (state.isClosing()) {
        return;
      }
      reading = true;
      if (message instanceof HttpRequest request) {
        begin(request);
      }
      if (message instanceof HttpContent content) {
        receive(content);
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void begin(HttpRequest request) {
    if (!place.requestCame()) {
      return; // it has made room for another connection and is being closed
    }
    timeouts.headCame();
    boolean isHead = request.method().equals(HttpMethod.HEAD);
    RequestFault fault = Http1Rules.check(request, limits);
    if (fault != null) {
      refuse(fault, isHead);
      return;
    }
    Http1Exchange begun;
    try {
      begun = new Http1Exchange(this, place.requestId(++requests), request);
    } catch (IllegalArgumentException e) { // a header that the vocabulary of requests refuses
      refuse(Http1Rules.MALFORMED, isHead);
      return;
    }
    on(Event.REQUESTED);
    exchange = begun;
    if (inputEnded) {
      begun.clientGone();
    }
    if (begun.hasBody()) {
      timeouts.bodyBegins(begun.requestBody());
      handler.handle(begun);
    } // otherwise at its end, which follows at once
  }

  private void receive(HttpContent content) {
    switch (state) {
      case EXCHANGE -> {
        Http1Exchange current = current();
        if (current.hasBody()) {
          current.receiveBody(content);
        } else if (content instanceof LastHttpContent) {
          handler.handle(current);
        }
      }
      case DISCARDING -> discard(content);
      case AWAITING_REQUEST,
          ANSWERED,
          LAST_ANSWERED,
          AWAITING_ROOM,
          CLOSING,
          LINGERING,
          UPGRADED,
          CLOSED -> {} // of a request that was refused, or that nobody reads any more
    }
  }

  private Http1Exchange current() {
    return Objects.requireNonNull(exchange);
  }

  /** Answers without a handler, and closes: it may be unclear where the next request begins. */
  private void refuse(RequestFault fault, boolean isHead) {
    log.debug(
        "connection {} refused with {}: {}", facts.id(), fault.status(), fault.text().strip());
    byte[] text = fault.text().getBytes(StandardCharsets.UTF_8);
    Http1Head.of(fault.status())
        .date()
        .field("Content-Type", "text/plain; charset=utf-8")
        .contentLength(text.length)
        .close()
        .writeTo(output, text.length);
    if (!isHead) {
      output.write(ByteBuffer.wrap(text));
    }
    closeGently();
  }

  // ---- From the timeouts

  /** The head of a request has not come in time. */
  void headIsLate() {
    if (state == Http1State.AWAITING_REQUEST) {
      long millis = Durations.millis(limits.headersTimeout());
      refuse(new RequestFault(408, "no complete request within " + millis + " ms\n"), false);
    }
  }

  /** No request has come within the idle timeout. */
  void noRequestCame() {
    if (state == Http1State.AWAITING_REQUEST) {
      long millis = Durations.millis(limits.idleTimeout());
      log.debug("connection {} closed: no request within {} ms", facts.id(), millis);
      closeGently();
    }
  }

  /** The body comes too slowly while the handler waits for it. */
  void bodyIsSlow() {
    if (state == Http1State.EXCHANGE) {
      current().bodyIsSlow();
    }
  }

  /** The client takes the response too slowly. */
  void responseIsSlow() {
    log.debug("connection {} dropped: its client takes the response too slowly", facts.id());
    cut(RateMeter.tooSlow(limits.minResponseRate()));
    abort();
  }

  /** The handler of the current request hears why the connection is dropped. */
  private void cut(String why) {
    if (exchange != null) {
      exchange.cut(why);
    }
  }

  // ---- From Netty, the rest

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    reading = false;
    settle();
    if (state == Http1State.AWAITING_REQUEST && decoder.isMidHead()) {
      timeouts.headBegins();
    }
    stateMemory();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (channel.isWritable()) {
      output.checkMark();
    }
  }

  /** Sets our mark, after a response that may have set its own. */
  void markOutput() {
    output.mark(MOST_PENDING, hasRoom);
  }

  /** Continues with the next request if it has waited for this. */
  private void hasRoom() {
    if (state == Http1State.AWAITING_ROOM) {
      loop.execute(() -> { // not from within a flush
        if (state == Http1State.AWAITING_ROOM && takesOutput()) {
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
    if (event != ChannelInputShutdownEvent.INSTANCE) {
      return;
    }
    inputEnded = true;
    switch (state) {
      case AWAITING_REQUEST -> closeGently();
      case EXCHANGE -> current().clientGone();
      case DISCARDING -> completed(current(), false);
      case LINGERING -> channel.close();
      case ANSWERED,
          LAST_ANSWERED,
          AWAITING_ROOM,
          CLOSING,
          UPGRADED,
          CLOSED -> {} // it matters later, or not at all
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    log.debug("connection {} failed: {}", facts.id(), cause.toString());
    abort();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    timeouts.stop();
    closeAccount();
    on(Event.CONNECTION_ENDED);
    Http1Exchange ended = exchange;
    endExchange();
    if (ended != null) {
      ended.clientGone();
    }
    output.lost();
  }

  // ---- The memory budget

  /** Called after each batch of reads, and when output waits for the client. */
  @Override
  public void stateMemory() {
    Http1Exchange current = exchange;
    long heap = current == null ? 0 : current.requestBody().kept();
    long direct = output.buffered();
    MemoryBudget.Account known = account;
    if (known == null && heap + direct > 0 && channel.isActive()) {
      known = place.memory().open(loop, this);
      account = known;
    }
    if (known != null) {
      known.holds(heap, direct);
    }
  }

  @Override
  public long moved() {
    Http1Exchange current = exchange;
    return output.transmitted() + (current == null ? 0 : current.requestBody().received());
  }

  @Override
  public void evict() {
    Http1Exchange current = exchange;
    account = null;
    if (current != null && output.buffered() == 0) {
      current.evict();
    } else {
      log.debug("connection {} is dropped: no memory left", facts.id());
      place.dropped(Limit.MEMORY);
      abort();
    }
  }

  private void closeAccount() {
    if (account != null) {
      account.close();
      account = null;
    }
  }

  // ---- From the exchange, on the loop

  /**
   * The exchange is over: continues with the next request, or closes, when everything that was read
   * has been handled. The output of a batch of reads is flushed once.
   */
  void completed(Http1Exchange done, boolean keepAlive) {
    if (exchange != done) {
      return;
    }
    on(keepAlive ? Event.COMPLETED : Event.COMPLETED_LAST);
    if (!reading) {
      settle();
    }
  }

  private void settle() {
    while (state == Http1State.ANSWERED || state == Http1State.LAST_ANSWERED) {
      endExchange();
      if (state == Http1State.LAST_ANSWERED) {
        closeGently();
      } else {
        continueOrClose(); // the next request may be here, and be answered at once
      }
    }
    output.flush();
  }

  private void endExchange() {
    exchange = null;
    if (discardingEnds != null) {
      discardingEnds.cancel(false); // otherwise it would hold the request
      discardingEnds = null;
    }
  }

  private void continueOrClose() {
    boolean holding = decoder.isHolding();
    if (stopping && !holding) {
      closeAtOnce();
    } else if (stopping || (inputEnded && !holding)) {
      closeGently();
    } else if (takesOutput()) {
      next();
    } else {
      on(Event.BLOCKED); // otherwise answers to a client that reads none would pile up
    }
  }

  /** The client has taken all answers so far, or nearly: continues with the next request. */
  private void next() {
    on(Event.CONTINUED);
    timeouts.awaitRequest();
    reading = true;
    try {
      decoder.release(channel.pipeline().context(decoder));
    } catch (Exception e) {
      exceptionCaught(channel.pipeline().context(decoder), e);
    } finally {
      reading = false;
    }
    if (state != Http1State.AWAITING_REQUEST) {
      return;
    }
    if (decoder.isMidHead()) {
      timeouts.headBegins();
    }
    if (inputEnded) {
      closeGently(); // what was held is no whole request, and its rest will not come
    }
  }

  /**
   * The response is complete and the request is not: drops the rest of its body, if that is small
   * and comes soon, so that the connection can be used again; otherwise closes.
   */
  void discardBody(Http1Exchange done) {
    if (exchange != done || inputEnded) {
      completed(done, false);
      return;
    }
    on(Event.LEFT_BODY);
    discarded = 0;
    if (!reading) {
      output.flush(); // otherwise at the end of the batch
    }
    channel.config().setAutoRead(true);
    discardingEnds =
        channel.eventLoop().schedule(this::stopDiscarding, LINGER_SECONDS, TimeUnit.SECONDS);
  }

  private void stopDiscarding() {
    if (state == Http1State.DISCARDING) {
      completed(current(), false);
    }
  }

  private void discard(HttpContent content) {
    Http1Exchange done = current();
    discarded += content.content().readableBytes();
    if (content.decoderResult().isFailure() || discarded > MOST_DISCARDED) {
      completed(done, false);
    } else if (content instanceof LastHttpContent) {
      completed(done, true);
    }
  }

  /**
   * Drops the connection with a reset, and everything that was not sent yet. An orderly end would
   * look like the end of a response that has no other length (RFC 9112 8).
   */
  void abort() {
    link.abort(channel);
  }

  /** Drops the connection if this is still its exchange, or has become its socket. */
  void abort(Http1Exchange aborted) {
    if (exchange == aborted || aborted.state() == ExchangeState.UPGRADED) {
      abort();
    }
  }

  /**
   * Drops the connection, because the stop of the server waits no longer; after a complete response
   * without a reset.
   */
  @Override
  public void drop() {
    if (state == Http1State.LINGERING) {
      channel.close();
    } else {
      cut("the connection was cut off: the server stops");
      abort();
    }
  }

  /**
   * Makes every end of the connection a reset until {@link #endIsNoReset()}, including the one that
   * Netty brings about when a file turns out to be too short.
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
   * Makes the connection the receiver's duplex, after the answer was written. The receiver gets the
   * bytes that were held first.
   */
  void upgrade(RequestId id, Duplex.Receiver receiver, CompletableFuture<Void> clientGone) {
    NettyDuplex duplex = new NettyDuplex(channel, link, encrypted, loop, id, receiver, clientGone);
    on(Event.UPGRADED);
    exchange = null;
    timeouts.stop();
    closeAccount();
    channel.config().setAutoRead(true);
    channel.pipeline().replace(this, null, duplex);
    if (stopping) {
      duplex.stop();
    }
    duplex.open();
    channel.pipeline().remove(decoder); // hands over what it held
    if (link.tls() == null) {
      buffers.share(); // TLS holds what it read until a record is complete
    }
    if (inputEnded) {
      duplex.peerEnded();
    }
  }

  /**
   * Leaves the connection, because its client speaks HTTP/2.
   *
   * @return false if the connection is already closing
   */
  public boolean leave() {
    if (state != Http1State.AWAITING_REQUEST) {
      return false;
    }
    on(Event.UPGRADED);
    timeouts.stop();
    closeAccount();
    channel.pipeline().remove(this);
    channel.pipeline().remove(decoder);
    return true;
  }

  /**
   * Closes an idle connection at once, and shortens the wait for the client's end of a closing one.
   * Any other connection closes after its current request.
   */
  @Override
  public void stop() {
    stopping = true;
    switch (state) {
      case AWAITING_REQUEST, AWAITING_ROOM -> closeAtOnce();
      case DISCARDING -> completed(current(), false);
      case LINGERING -> closeIn(LINGER_SECONDS_AT_STOP);
      case EXCHANGE, ANSWERED, LAST_ANSWERED, CLOSING, UPGRADED, CLOSED -> {}
    }
  }

  /** Closes when what was written has left: all requests are answered, so no reset can do harm. */
  private void closeAtOnce() {
    on(Event.CLOSE_BEGAN);
    output.whenWritten(written -> channel.close());
  }

  /**
   * Ends our side, and the connection after the client has ended its own. If it were closed at
   * once, with unread bytes from the client, the reset could destroy the response.
   */
  private void closeGently() {
    on(Event.CLOSE_BEGAN);
    decoder.drop();
    timeouts.headCame();
    output.whenWritten(written -> {
      if (inputEnded) {
        channel.close();
      } else if (channel.isActive()) {
        on(Event.OUTPUT_ENDED);
        link.endOutput(channel);
        channel.config().setAutoRead(true);
        closeIn(stopping ? LINGER_SECONDS_AT_STOP : LINGER_SECONDS);
      }
    });
  }

  private void closeIn(int seconds) {
    ScheduledFuture<?> close =
        channel.eventLoop().schedule(() -> channel.close(), seconds, TimeUnit.SECONDS);
    // Otherwise the timer would hold the connection until its time is over.
    channel.closeFuture().addListener(closed -> close.cancel(false));
  }

  boolean isStopping() {
    return stopping;
  }

  boolean holdsBytes() {
    return decoder.isHolding();
  }
}
