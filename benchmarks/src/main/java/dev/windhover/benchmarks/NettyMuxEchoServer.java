package dev.windhover.benchmarks;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.util.ReferenceCountUtil;

/** The same as {@link NettyDataEchoServer}, with a channel for each stream. */
@SuppressWarnings("FutureReturnValueIgnored") // a lost reply fails the load generator
final class NettyMuxEchoServer implements EchoServer {
  @Override
  public boolean agreesTo(Compression compression) {
    return !compression.on();
  }

  @Override
  public int start(Options options) throws InterruptedException {
    var streams =
        new ChannelInitializer<Channel>() {
          @Override
          protected void initChannel(Channel stream) {
            stream.pipeline().addLast(new Echo());
          }
        };
    return options
        .transport()
        .bind(
            options,
            () ->
                new ChannelHandler[] {
                  Http2FrameCodecBuilder.forServer()
                      .validateHeaders(false)
                      .initialSettings(Http2Settings.defaultSettings().connectProtocolEnabled(true))
                      .build(),
                  new Http2MultiplexHandler(streams)
                });
  }

  private static final class Echo extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object frame) {
      switch (frame) {
        case Http2HeadersFrame _ ->
            context.write(
                new DefaultHttp2HeadersFrame(new DefaultHttp2Headers(false).status("200")));
        case Http2DataFrame data -> context.write(new DefaultHttp2DataFrame(data.content()));
        default -> ReferenceCountUtil.release(frame);
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }
  }
}
