package dev.windhover.server.http2;

import static io.netty.handler.codec.http2.Http2Error.ENHANCE_YOUR_CALM;
import static io.netty.handler.codec.http2.Http2Error.NO_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.SETTINGS_TIMEOUT;
import static io.netty.handler.codec.http2.Http2Error.STREAM_CLOSED;
import static io.netty.handler.codec.http2.Http2Exception.connectionError;
import static io.netty.handler.codec.http2.Http2Exception.streamError;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.server.Http2Limits;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.exchange.ConnectionCount;
import dev.windhover.server.exchange.NewConnection;
import dev.windhover.server.exchange.RateMeter;
import dev.windhover.server.exchange.RequestId;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.NettyLoop;
import dev.windhover.server.net.NetworkOutput;
import dev.windhover.server.net.Stoppable;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Exception.StreamException;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * An HTTP/2 connection: its streams, and their limits. Netty's handler does the frames and the
 * windows. It is used without a channel for each stream, which would cost memory and half the speed
 * ({@code netty-mux} in the benchmarks). Loop only, unless a method says otherwise.
 */
public final class Http2Connection extends Http2ConnectionHandler implements Stoppable {
  private static final Logger log = Loggers.get(Http2Connection.class);

  private static final int LINGER_SECONDS = 1;

  /** The same for a client that does not even take our last frames. */
  private static final int MOST_LINGER_SECONDS = 5;

  private static final long PING = 0x77696E64686F7665L;

  // For the exchanges and sockets, too.
  final NettyLoop loop;
  final Connection facts;
  final ServerLimits serverLimits;
  final Http2Timeouts timeouts;
  final StreamHistory history;
  final Http2Frames frames;
  final ConnectionCount.Place place;

  private final Http2Limits limits;
  private final Channel channel;
  private final Link link;
  private final NetworkOutput output;

  /** The number of WebSockets on this connection; from any thread. */
  private final AtomicInteger sockets = new AtomicInteger();

  private final List<Http2Duplex> batch = new ArrayList<>(1);

  /** Requests whose responses had something to send since the last flush. */
  private final List<Http2Exchange> sending = new ArrayList<>(1);

  private @Nullable ChannelHandlerContext context;
  private int bodyWindows;
  private boolean reading;
  private boolean flushDue;
  private boolean stopping;
  private boolean inputEnded;
  private boolean closing;

  /** Everything that comes is ignored, because the connection has failed. */
  private boolean failed;

  private Http2Connection(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      StreamHistory history,
      NewConnection taken,
      NetworkOutput output,
      Http2Request.Rules rules,
      ExchangeHandler handler) {
    super(decoder, encoder, settings, true);
    this.channel = taken.channel();
    this.link = taken.link();
    this.place = taken.place();
    this.output = output;
    this.facts = taken.facts(HttpVersion.HTTP_2);
    this.serverLimits = rules.limits();
    this.limits = serverLimits.http2();
    this.history = history;
    this.loop = NettyLoop.of(channel);
    this.timeouts = new Http2Timeouts(this, channel.eventLoop(), rules.limits(), output);
    this.frames = new Http2Frames(this, handler, rules, timeouts);
    connection().addListener(frames);
    decoder.frameListener(frames);
  }

  /** Makes a connection speak HTTP/2; on its loop. */
  public static Http2Connection begin(
      NewConnection taken, Http2Request.Rules rules, ExchangeHandler handler) {
    NetworkOutput output = new NetworkOutput(taken.channel());
    taken.channel().pipeline().addFirst(output);
    StreamHistory history = new StreamHistory();
    Http2ConnectionBuilder builder =
        new Http2ConnectionBuilder(
            rules,
            history,
            (decoder, encoder, settings) ->
                new Http2Connection(
                    decoder, encoder, settings, history, taken, output, rules, handler));
    Http2Connection begun = builder.build();
    taken.channel().pipeline().addLast(begun);
    return begun;
  }

  // ---- From Netty: the connection

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
    context = ctx;
    super.handlerAdded(ctx); // sends our SETTINGS
    var whole = connection().connectionStream();
    int more = limits.initialConnectionWindowSize() - decoder().flowController().windowSize(whole);
    decoder().flowController().incrementWindowSize(whole, more);
    ctx.flush();
    timeouts.opened();
  }

  private ChannelHandlerContext context() {
    if (context == null) {
      throw new IllegalStateException("not in a pipeline");
    }
    return context;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    loop.step();
    if (failed) {
      ReferenceCountUtil.release(message);
      return;
    }
    reading = true;
    timeouts.came((ByteBuf) message);
    super.channelRead(ctx, message);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
    endBatch();
    reading = false;
    flushDue = false;
    super.channelReadComplete(ctx); // flushes
    flushed();
  }

  /** What the client takes at once need not be counted. */
  private void flushed() {
    if (!sending.isEmpty()) {
      sending.forEach(Http2Exchange::stateMemory);
      sending.clear();
    }
  }

  /** A response has something to send. */
  void sends(Http2Exchange exchange) {
    sending.add(exchange);
  }

  private void endBatch() {
    for (int i = 0; i < batch.size(); i++) { // one may add another
      batch.get(i).batchEnd();
    }
    batch.clear(); // no receiver's failure comes here
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      inputEnds();
    }
    super.userEventTriggered(ctx, event);
  }

  /** The client has ended its side of all streams; it may still read our responses. */
  private void inputEnds() throws Http2Exception {
    if (failed || closing) {
      channel.close();
      return;
    }
    stopping = true;
    inputEnded = true;
    for (Http2Stream stream : openStreams()) {
      StreamEnd end = frames.endOf(stream);
      if (end != null) {
        end.connectionEnds();
      }
      closeStreamRemote(stream, context().newSucceededFuture());
    }
    flush(context());
    dropWhatCannotLeave();
    closeIfDone();
  }

  private List<Http2Stream> openStreams() throws Http2Exception {
    List<Http2Stream> open = new ArrayList<>();
    connection().forEachActiveStream(open::add);
    return open;
  }

  /** No window will grow any more, so what waits for one will never leave. */
  private void dropWhatCannotLeave() throws Http2Exception {
    if (inputEnded && channel.isWritable()) {
      for (Http2Stream stream : openStreams()) {
        if (encoder().flowController().hasFlowControlled(stream)) {
          reset(stream, Http2Error.CANCEL);
        }
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    timeouts.stop();
    super.channelInactive(ctx);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
    if (cause instanceof Http2Exception || cause.getCause() instanceof Http2Exception) {
      super.exceptionCaught(ctx, cause);
    } else {
      log.debug("connection {} failed: {}", facts.id(), cause.toString());
      link.abort(channel);
    }
  }

  @Override
  protected void onConnectionError(
      ChannelHandlerContext ctx,
      boolean outbound,
      Throwable cause,
      @Nullable Http2Exception fault) {
    if (failed) {
      return;
    }
    failed = true;
    Http2Error error = fault == null ? Http2Error.INTERNAL_ERROR : fault.error();
    log.debug("connection {} ended with {}: {}", facts.id(), error, cause.getMessage());
    int last = connection().remote().lastStreamCreated();
    ByteBuf why = ByteBufUtil.writeUtf8(ctx.alloc(), String.valueOf(cause.getMessage()));
    encoder().frameWriter().writeGoAway(ctx, last, error.code(), why, ctx.newPromise());
    connection().close(ctx.newPromise());
    closeGently();
  }

  @Override
  protected void onStreamError(
      ChannelHandlerContext ctx, boolean outbound, Throwable cause, StreamException fault) {
    int stream = fault.streamId();
    Http2Stream open = connection().stream(stream);
    if (open == null || open.state() == Http2Stream.State.CLOSED) {
      if (outbound || history.wasReset(stream)) {
        return; // it was sent before that side knew of the reset (RFC 9113 5.4.2)
      }
      if (!StreamHistory.isClients(stream) || history.wasSkipped(stream)) { // RFC 9113 5.1.1
        onError(ctx, false, connectionError(PROTOCOL_ERROR, "unexpected stream %d", stream));
        return;
      }
    }
    if (isHeadAfterEnd(open, fault)) {
      fault = (StreamException) streamError(stream, STREAM_CLOSED, "HEADERS after END_STREAM");
    }
    boolean hasRequest =
        open == null ? !history.beginWithFault(stream) : frames.endOf(open) != null;
    history.addReset(stream);
    log.debug(
        "stream {} of {} reset with {}: {}", stream, facts.id(), fault.error(), fault.getMessage());
    boolean counts = hasRequest || fault.error() == ENHANCE_YOUR_CALM;
    if (counts && frames.areTooManyResets()) { // the client makes us reset: CVE-2025-8671
      onError(ctx, outbound, connectionError(ENHANCE_YOUR_CALM, "too many streams with faults"));
      return;
    }
    super.onStreamError(ctx, outbound, cause, fault);
    closeNow(stream);
  }

  /** RFC 9113 5.1; Netty takes the head for trailers that are repeated. */
  private boolean isHeadAfterEnd(@Nullable Http2Stream open, StreamException fault) {
    return open != null
        && open.state() == Http2Stream.State.HALF_CLOSED_REMOTE
        && frames.endOf(open) != null
        && fault.error() == PROTOCOL_ERROR
        && history.hasHeadAgain(open.id());
  }

  /** Drops what waits for the window of a stream that was reset (RFC 9113 5.1). */
  private void closeNow(int stream) {
    Http2Stream reset = connection().stream(stream);
    if (reset != null) {
      reset.close();
    }
  }

  // ---- From the exchanges

  /** Sends a response's head; {@code onSent} runs when the network has it. */
  void sendHead(Http2Stream stream, Http2Headers head, boolean last, Runnable onSent) {
    ChannelFuture sent =
        encoder().writeHeaders(context(), stream.id(), head, 0, last, context().newPromise());
    if (last) {
      sent.addListener(done -> {
        if (done.isSuccess()) {
          onSent.run();
        }
      });
    }
    flushSoon();
  }

  /** Sends a stream's bytes as its window allows. */
  void send(Http2Data data) {
    if (data.stream().state().localSideOpen()) {
      encoder().flowController().addFlowControlled(data.stream(), data);
      flushSoon();
    } else {
      data.drop();
    }
  }

  /** Bytes could not be sent: their stream is closed, or the connection is lost. */
  void sendFailed(Throwable cause) {
    onError(context(), true, cause);
  }

  /** Gives credit back for bytes of a stream. */
  void consumed(Http2Stream stream, int bytes) {
    try {
      if (decoder().flowController().consumeBytes(stream, bytes)) {
        flushSoon();
      }
    } catch (Http2Exception e) {
      onError(context(), true, e);
    }
  }

  /**
   * Soon drops a stream whose response is complete and whose request is not. A client may miss a
   * response that comes together with the reset.
   */
  void resetSoon(Http2Stream stream) {
    channel.eventLoop().schedule(() -> reset(stream, NO_ERROR), LINGER_SECONDS, TimeUnit.SECONDS);
  }

  /** Drops a stream, unless it is closed already. */
  void reset(Http2Stream stream, Http2Error why) {
    if (connection().stream(stream.id()) != null) {
      history.addReset(stream.id());
      resetStream(context(), stream.id(), why.code(), context().newPromise());
      closeNow(stream.id());
      flushSoon();
    }
  }

  /** The file of a response could not be read to its end. */
  void fileFailed(Http2Exchange exchange, Exception cause) {
    log.error("request {} cut short: {}", exchange.id(), cause.getMessage());
    reset(exchange.stream(), Http2Error.INTERNAL_ERROR);
  }

  // ---- From the sinks

  /** Returns how many bytes were written to the network in total. */
  long written() {
    return output.written();
  }

  /** Returns how many of those the peer's side has acknowledged. A system call. */
  long acknowledged() {
    return output.acknowledged();
  }

  /** Returns whether the windows let more of a stream pass. */
  boolean hasWindow(Http2Stream stream) {
    var windows = encoder().flowController();
    return windows.windowSize(stream) > 0
        && windows.windowSize(connection().connectionStream()) > 0;
  }

  ByteBuf allocate(int bytes) {
    return channel.alloc().directBuffer(bytes);
  }

  /** Tells {@code duplex} when everything that was read has been delivered. */
  void endsWithBatch(Http2Duplex duplex) {
    batch.add(duplex);
    if (!reading) {
      loop.execute(() -> {
        endBatch();
        flushSoon();
      });
    }
  }

  /** Flushes once for everything written within a batch of reads, or a turn of the loop. */
  private void flushSoon() {
    if (!flushDue) {
      flushDue = true;
      if (!reading) {
        loop.execute(this::flushIfDue);
      }
    }
  }

  private void flushIfDue() {
    if (flushDue && !reading) {
      flushDue = false;
      flush(context());
      flushed();
      try {
        dropWhatCannotLeave();
      } catch (Http2Exception e) {
        onError(context(), true, e);
      }
    }
  }

  /** The handler begins to read a body: enlarges the window, and sends 100 if it is expected. */
  void bodyIsAwaited(Http2Exchange exchange, boolean continues) {
    Http2Stream stream = exchange.stream();
    if (continues) {
      sendHead(stream, new DefaultHttp2Headers(false).status("100"), false, () -> {});
    }
    timeouts.bodyIsAwaited(exchange);
    int more = limits.bodyWindowSize() - limits.initialStreamWindowSize();
    if (more > 0 && more <= limits.bodyWindowBudget() - bodyWindows && isOpen(stream)) {
      bodyWindows += more;
      exchange.widened(more);
      try {
        decoder().flowController().incrementWindowSize(stream, more);
        flushSoon();
      } catch (Http2Exception e) {
        onError(context(), true, e);
      }
    }
  }

  /** The body is complete, and its window does not count as enlarged any more. */
  void narrowed(Http2Exchange exchange) {
    bodyWindows -= exchange.widened();
    exchange.widened(0);
  }

  private static boolean isOpen(Http2Stream stream) {
    return stream.state().remoteSideOpen();
  }

  /** The stream of a request is closed. */
  void exchangeClosed(Http2Exchange exchange) {
    timeouts.forget(exchange);
    narrowed(exchange);
  }

  /** Returns the memory budget of all connections; from any thread. */
  MemoryBudget memory() {
    return place.memory();
  }

  /**
   * Counts one more WebSocket of {@code client}; from any thread.
   *
   * @throws dev.windhover.http.HttpException 503 if there are too many: here, of that client, or in
   *     total
   */
  void requireRoomForSocket(long client) {
    int most = limits.maxWebSocketsPerConnection();
    if (sockets.getAndUpdate(n -> n < most ? n + 1 : n) >= most) {
      throw ConnectionCount.tooMany(most, "WebSockets on this connection");
    }
    try {
      place.addSocket(client);
    } catch (HttpException tooMany) {
      sockets.decrementAndGet();
      throw tooMany;
    }
  }

  /** A WebSocket that was counted has ended, or was not opened; from any thread. */
  void socketEnded(long client) {
    sockets.decrementAndGet();
    place.removeSocket(client);
  }

  // ---- From the timeouts and the server

  /** Sends a PING of ours. */
  void ping() {
    encoder().writePing(context(), false, PING, context().newPromise());
    flushSoon();
  }

  /** Ends the connection because of a fault of the client that is not in a frame. */
  void fail(Http2Error error, String why) {
    onError(context(), false, connectionError(error, "%s", why));
  }

  void responseIsSlow(Http2Exchange exchange) {
    log.debug("request {} dropped: its client takes the response too slowly", exchange.id());
    exchange.cut(RateMeter.tooSlow(serverLimits.minResponseRate()));
    reset(exchange.stream(), Http2Error.CANCEL);
  }

  void connectionIsSlow() {
    log.debug("connection {} dropped: its client reads too slowly", facts.id());
    cut(RateMeter.tooSlow(serverLimits.minResponseRate()));
    link.abort(channel);
  }

  /** The handlers of all requests hear why the connection is dropped. */
  private void cut(String why) {
    try {
      for (Http2Stream stream : openStreams()) {
        if (frames.endOf(stream) instanceof Http2Exchange exchange) {
          exchange.cut(why);
        }
      }
    } catch (Http2Exception e) {
      onError(context(), true, e);
    }
  }

  void settingsAreLate(Duration limit) {
    fail(SETTINGS_TIMEOUT, "no SETTINGS within " + Durations.millis(limit) + " ms");
  }

  /**
   * Accepts no further request, and ends the connection when all requests and sockets have ended
   * (RFC 9113 6.8).
   */
  @Override
  public void stop() {
    if (!stopping && channel.isActive()) {
      stopping = true;
      int last = connection().remote().lastStreamCreated();
      goAway(context(), last, NO_ERROR.code(), Unpooled.EMPTY_BUFFER, context().newPromise());
      flushSoon();
      tellStreams();
      closeIfDone();
    }
  }

  private void tellStreams() {
    try {
      for (Http2Stream stream : openStreams()) {
        StreamEnd end = frames.endOf(stream);
        if (end != null) {
          end.serverStops();
        }
      }
    } catch (Http2Exception e) {
      onError(context(), true, e);
    }
  }

  /** The last stream was closed. */
  void becameIdle() {
    timeouts.becameIdle();
    closeIfDone();
  }

  private void closeIfDone() {
    if (stopping && connection().numActiveStreams() == 0) {
      closeGently();
    }
  }

  /**
   * Ends our side, and soon the connection. If it were closed at once, with unread bytes from the
   * client, the reset could overtake our last frames.
   */
  private void closeGently() {
    if (closing) {
      return;
    }
    closing = true;
    ScheduledFuture<?> last =
        channel
            .eventLoop()
            .schedule(() -> link.abort(channel), MOST_LINGER_SECONDS, TimeUnit.SECONDS);
    channel.closeFuture().addListener(closed -> last.cancel(false));
    context()
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(written -> {
          if (channel instanceof DuplexChannel duplex && duplex.isInputShutdown()) {
            channel.close();
          } else if (channel.isActive()) {
            link.endOutput(channel);
            linger(acknowledged());
          }
        });
  }

  /**
   * Closes in a while, but not while a slow client still takes what the system holds for it: the
   * credit that it sends meanwhile would make the close a reset.
   */
  private void linger(long taken) {
    channel
        .eventLoop()
        .schedule(
            () -> {
              long now = acknowledged();
              if (channel.isActive() && taken < now && now < written()) {
                linger(now);
              } else {
                channel.close();
              }
            },
            LINGER_SECONDS,
            TimeUnit.SECONDS);
  }

  /** Drops the connection with a reset, because the stop of the server waits no longer. */
  @Override
  public void drop() {
    cut("the connection was cut off: the server stops");
    link.abort(channel);
  }

  // ---- What others ask

  boolean isActive() {
    return channel.isActive();
  }

  boolean isStopping() {
    return stopping;
  }

  /** Returns the name in logs of the request with that number. */
  RequestId requestId(long number) {
    return place.requestId(number);
  }
}
