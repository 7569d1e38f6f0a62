package dev.windhover.server.http2;

import static io.netty.handler.codec.http2.Http2Error.ENHANCE_YOUR_CALM;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Exception.connectionError;
import static io.netty.handler.codec.http2.Http2Exception.streamError;

import dev.windhover.http.Headers;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
import dev.windhover.server.Http2Limits;
import dev.windhover.server.exchange.RequestFault;
import dev.windhover.server.exchange.RequestId;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Handles what comes from an HTTP/2 client, frame by frame: begins requests, feeds them, and tells
 * them when their streams end. Counts what a client may do only so often. Loop only.
 */
final class Http2Frames extends Http2EventAdapter {
  private static final Logger log = Loggers.get(Http2Frames.class);
  private static final int RESETS_SECONDS = 30;
  private static final int CONTROL_FRAMES_SECONDS = 10;

  private final Http2Connection connection;
  private final ExchangeHandler handler;
  private final Http2Request.Rules rules;
  private final Http2Limits limits;
  private final Http2Timeouts timeouts;
  private final io.netty.handler.codec.http2.Http2Connection streams;
  private final io.netty.handler.codec.http2.Http2Connection.PropertyKey endKey;
  private @Nullable EventCount resets;
  private final EventCount controlFrames;
  private long requests;
  private int running;

  /** Why the next stream that closes was closed. */
  private @Nullable String closeReason;

  Http2Frames(
      Http2Connection connection,
      ExchangeHandler handler,
      Http2Request.Rules rules,
      Http2Timeouts timeouts) {
    this.connection = connection;
    this.handler = handler;
    this.rules = rules;
    this.limits = rules.limits().http2();
    this.timeouts = timeouts;
    this.streams = connection.connection();
    this.endKey = streams.newKey();
    this.controlFrames = new EventCount(limits.maxControlFrames(), CONTROL_FRAMES_SECONDS);
  }

  // ---- Frames

  @Override
  public void onHeadersRead(
      ChannelHandlerContext ctx,
      int streamId,
      Http2Headers fields,
      int dependency,
      short weight,
      boolean exclusive,
      int padding,
      boolean end)
      throws Http2Exception {
    onHeadersRead(ctx, streamId, fields, padding, end);
  }

  @Override
  public void onHeadersRead(
      ChannelHandlerContext ctx, int streamId, Http2Headers fields, int padding, boolean end)
      throws Http2Exception {
    Http2Stream stream = streams.stream(streamId);
    StreamEnd ours = endOf(stream);
    if (ours == null) {
      begin(stream, fields, end);
    } else if (end) {
      ours.receiveEnd(trailers(streamId, fields));
    }
  }

  @Override
  public int onDataRead(
      ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean end) {
    StreamEnd ours = endOf(streams.stream(streamId));
    if (ours == null) {
      return data.readableBytes() + padding;
    }
    if (data.isReadable()) {
      ours.receive(data);
    }
    if (end) {
      ours.receiveEnd(List.of());
    }
    return padding; // the rest is returned when it is consumed
  }

  @Override
  public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long code)
      throws Http2Exception {
    Http2Stream stream = streams.stream(streamId);
    StreamEnd ours = endOf(stream);
    if (ours == null) {
      return;
    }
    closeReason = "the client reset the stream with " + nameOf(code);
    if (!ours.hasEnded() && areTooManyResets()) { // CVE-2023-44487
      throw connectionError(ENHANCE_YOUR_CALM, "too many streams were reset");
    }
  }

  @Override
  public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings)
      throws Http2Exception {
    timeouts.settingsCame();
    countControlFrame();
  }

  @Override
  public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
    countControlFrame();
  }

  @Override
  public void onWindowUpdateRead(ChannelHandlerContext ctx, int streamId, int increment) {
    if (endOf(streams.stream(streamId)) instanceof Http2Duplex socket) {
      socket.credited(increment);
    }
  }

  @Override
  public void onPriorityRead(
      ChannelHandlerContext ctx, int streamId, int dependency, short weight, boolean exclusive)
      throws Http2Exception {
    countControlFrame();
  }

  @Override
  public void onUnknownFrame(
      ChannelHandlerContext ctx, byte type, int streamId, Http2Flags flags, ByteBuf payload) {
    try {
      countControlFrame();
    } catch (Http2Exception e) { // which this method may not throw
      connection.onError(ctx, false, e);
    }
  }

  private void countControlFrame() throws Http2Exception {
    if (controlFrames.isTooMany(System.nanoTime())) {
      throw connectionError(ENHANCE_YOUR_CALM, "too many control frames");
    }
  }

  /** Counts a stream that the client reset, or made us reset; returns whether that is abuse. */
  boolean areTooManyResets() {
    if (resets == null) {
      resets = new EventCount(limits.maxResets(), RESETS_SECONDS);
    }
    return resets.isTooMany(System.nanoTime());
  }

  // ---- Streams

  @Override
  public void onStreamAdded(Http2Stream stream) {
    connection.history.begin(stream.id());
  }

  @Override
  public void onStreamClosed(Http2Stream stream) {
    StreamEnd ours = endOf(stream);
    String why = closeReason == null ? "the stream was closed" : closeReason;
    closeReason = null;
    if (ours != null) {
      ours.closed(connection.isActive() ? why : "the connection was lost");
    }
  }

  @Override
  public void onStreamRemoved(Http2Stream stream) {
    if (streams.numActiveStreams() == 0) {
      connection.becameIdle();
    }
  }

  private static String nameOf(long code) {
    Http2Error error = Http2Error.valueOf(code);
    return error == null ? Long.toString(code) : error.name();
  }

  /** Returns our end of a stream; null if there is none. */
  @Nullable StreamEnd endOf(@Nullable Http2Stream stream) {
    return stream == null ? null : stream.getProperty(endKey);
  }

  /** Delivers what comes on a stream to {@code ours} from now on. */
  void setEnd(Http2Stream stream, StreamEnd ours) {
    stream.setProperty(endKey, ours);
  }

  private Iterable<Map.Entry<String, String>> trailers(int stream, Http2Headers fields)
      throws Http2Exception {
    int most = rules.limits().maxHeaders();
    if (Http2Request.size(fields) > most) {
      throw streamError(stream, PROTOCOL_ERROR, "trailers are larger than %d bytes", most);
    }
    Map<String, String> trailers = LinkedHashMap.newLinkedHashMap(fields.size());
    for (Map.Entry<CharSequence, CharSequence> field : fields) {
      Http2Request.requireNoSpaceAfter(stream, field.getValue());
      trailers.merge(
          field.getKey().toString(), field.getValue().toString(), (a, b) -> a + ", " + b);
    }
    return trailers.entrySet();
  }

  private void begin(Http2Stream stream, Http2Headers fields, boolean end) throws Http2Exception {
    if (!connection.place.requestCame()) {
      return; // it has made room for another connection and is being closed
    }
    timeouts.becameBusy();
    Http2Request request = Http2Request.of(stream.id(), fields, rules);
    if (running >= 2 * limits.maxStreamsPerConnection()) { // many of them for streams that are gone
      throw streamError(stream.id(), ENHANCE_YOUR_CALM, "too many handlers are running");
    }
    running++;
    RequestId id = connection.requestId(++requests);
    Http2Exchange exchange = new Http2Exchange(connection, stream, id, request, end);
    setEnd(stream, exchange);
    RequestFault fault = request.fault();
    if (fault == null) {
      handler.handle(exchange);
    } else {
      log.debug("request {} refused with {}: {}", id, fault.status(), fault.text().strip());
      fault.answer(exchange, new Headers());
    }
  }

  /** A handler has nothing more to do with its response. */
  void handlerEnded() {
    running--;
  }
}
