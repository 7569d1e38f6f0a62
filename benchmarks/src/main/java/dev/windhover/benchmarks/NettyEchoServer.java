package dev.windhover.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.extensions.WebSocketServerExtensionHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.PerMessageDeflateServerExtensionHandshaker;
import io.netty.util.ReferenceCountUtil;

/**
 * Netty's own WebSocket codec in its default configuration, on every path. It echoes frame by
 * frame: the load generator sends no fragments, so an aggregator would only cost time. Plain
 * requests are answered right after the HTTP codec, with nothing in between.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a lost reply fails the load generator
final class NettyEchoServer implements EchoServer {
  private static final WebSocketServerProtocolConfig CONFIG =
      WebSocketServerProtocolConfig.newBuilder().websocketPath("/").checkStartsWith(true).build();
  private static final WebSocketServerProtocolConfig COMPRESSED =
      CONFIG.toBuilder().allowExtensions(true).maxFramePayloadLength(MAX_MESSAGE).build();

  @Override
  public boolean agreesTo(Compression compression) {
    return true;
  }

  @Override
  public int start(Options options) throws InterruptedException {
    return options
        .transport()
        .bind(
            options,
            options.compression().on()
                ? () -> compressed(options.compression())
                : () ->
                    new ChannelHandler[] {
                      new HttpServerCodec(),
                      new Answer(),
                      new HttpObjectAggregator(64 * 1024), // removed by the opening handshake
                      new WebSocketServerProtocolHandler(CONFIG),
                      new Echo()
                    });
  }

  /**
   * Takeover and windows are as the client requests. For windows of fewer than 15 bits it
   * compresses with JZlib, in Java; it always decompresses with a window of 15 bits.
   */
  private static ChannelHandler[] compressed(Compression compression) {
    var handshaker =
        new PerMessageDeflateServerExtensionHandshaker(
            Compression.LEVEL,
            true,
            compression.windowBits(),
            true,
            true,
            PerMessageDeflateServerExtensionHandshaker.MAX_WINDOW_SIZE,
            Compression.MEMORY_LEVEL,
            MAX_MESSAGE);
    return new ChannelHandler[] {
      new HttpServerCodec(),
      new HttpObjectAggregator(64 * 1024),
      new WebSocketServerExtensionHandler(handshaker),
      new WebSocketServerProtocolHandler(COMPRESSED),
      new Echo()
    };
  }

  /** Answers {@link #ANSWER_PATH} with as little code as possible; other requests go on. */
  private static final class Answer extends ChannelInboundHandlerAdapter {
    private static final ByteBuf BODY =
        Unpooled.unreleasableBuffer(Unpooled.directBuffer().writeBytes(ANSWER)).asReadOnly();

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (!(message instanceof HttpRequest request)) {
        ReferenceCountUtil.release(message); // the end of an answered request
      } else if (request.uri().equals(ANSWER_PATH)) {
        var body = BODY.duplicate();
        var response =
            new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, body);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN);
        response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
        context.write(response);
      } else {
        context.fireChannelRead(message);
        context.pipeline().remove(this); // so that it does not slow down sockets
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }
  }

  /** Echoes frames; one flush per read batch. */
  private static final class Echo extends SimpleChannelInboundHandler<WebSocketFrame> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
      context.write(frame.retain());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }
  }
}
