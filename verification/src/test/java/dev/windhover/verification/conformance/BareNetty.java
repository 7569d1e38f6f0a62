package dev.windhover.verification.conformance;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Frame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2FrameStreamException;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2Settings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/** Netty's unmodified HTTP/2 codec, with the same responses as our server under attack. */
final class BareNetty implements AutoCloseable {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel channel;

  BareNetty(int mostStreams) {
    Http2Settings settings = Http2Settings.defaultSettings().maxConcurrentStreams(mostStreams);
    channel =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel child) {
                    ChannelPipeline pipeline = child.pipeline();
                    pipeline.addLast(
                        Http2FrameCodecBuilder.forServer().initialSettings(settings).build());
                    pipeline.addLast(new Answers());
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), 0)
            .syncUninterruptibly()
            .channel();
  }

  int port() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  @Override
  public void close() {
    channel.close().syncUninterruptibly();
    group.shutdownGracefully().syncUninterruptibly();
  }

  private static final class Answers extends SimpleChannelInboundHandler<Http2Frame> {
    private final Set<Http2FrameStream> gated = new HashSet<>();
    private final Set<Http2FrameStream> heads = new HashSet<>();

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, Http2Frame frame) {
      if (frame instanceof Http2HeadersFrame headers) {
        if ("/gate".contentEquals(String.valueOf(headers.headers().path()))) {
          gated.add(headers.stream());
        }
        if ("HEAD".contentEquals(String.valueOf(headers.headers().method()))) {
          heads.add(headers.stream());
        }
        answerIf(headers.isEndStream(), ctx, headers.stream());
      } else if (frame instanceof Http2DataFrame data) {
        ctx.write(
            new DefaultHttp2WindowUpdateFrame(data.initialFlowControlledBytes())
                .stream(data.stream()));
        answerIf(data.isEndStream(), ctx, data.stream());
      }
    }

    private void answerIf(boolean end, ChannelHandlerContext ctx, Http2FrameStream stream) {
      if (end && !gated.contains(stream)) {
        boolean head = heads.contains(stream);
        DefaultHttp2Headers status = new DefaultHttp2Headers();
        status.status("200");
        ctx.write(new DefaultHttp2HeadersFrame(status, head).stream(stream));
        if (!head) {
          var hello = Unpooled.copiedBuffer("hello", StandardCharsets.UTF_8);
          ctx.write(new DefaultHttp2DataFrame(hello, true).stream(stream));
        }
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      ctx.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      if (cause instanceof Http2FrameStreamException fault) { // all else the codec answers
        ctx.writeAndFlush(new DefaultHttp2ResetFrame(fault.error()).stream(fault.stream()));
      }
    }
  }
}
