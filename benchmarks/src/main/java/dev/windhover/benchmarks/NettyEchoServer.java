package dev.windhover.benchmarks;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;

/**
 * Netty's own WebSocket codec in its default configuration, on every path. It echoes frame by
 * frame: the load generator sends no fragments, so an aggregator would only cost.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a lost reply fails the load generator
final class NettyEchoServer implements EchoServer {
  private static final WebSocketServerProtocolConfig CONFIG =
      WebSocketServerProtocolConfig.newBuilder().websocketPath("/").checkStartsWith(true).build();

  @Override
  public int start(Options options) throws InterruptedException {
    return options
        .transport()
        .bind(
            options,
            () ->
                new ChannelHandler[] {
                  new HttpServerCodec(),
                  new HttpObjectAggregator(64 * 1024), // leaves with the opening handshake
                  new WebSocketServerProtocolHandler(CONFIG),
                  new Echo()
                });
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
