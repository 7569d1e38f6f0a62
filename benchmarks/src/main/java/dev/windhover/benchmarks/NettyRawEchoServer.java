package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The limit of what a server on Netty can reach: after the opening handshake it writes back the
 * bytes that it reads, without looking at them. The frames come back masked, which a real server
 * must not do.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a lost reply fails the load generator
final class NettyRawEchoServer implements EchoServer {
  @Override
  public boolean agreesTo(Compression compression) {
    return !compression.on();
  }

  @Override
  public int start(Options options) throws InterruptedException {
    return options
        .transport()
        .bind(
            options,
            () ->
                new ChannelHandler[] {
                  handshake(channel -> channel.pipeline().addLast("echo", new Echo()))
                });
  }

  /** Returns what answers the opening handshake, and then passes the connection on. */
  static ChannelHandler handshake(Consumer<Channel> opened) {
    return new OpeningHandshake(opened);
  }

  /** Answers an upgrade request that arrives in one read, as the load generator's does. */
  private static final class OpeningHandshake extends ChannelInboundHandlerAdapter {
    private static final Pattern KEY = Pattern.compile("(?i)\r\nSec-WebSocket-Key: *(\\S+)");

    private final Consumer<Channel> opened;

    OpeningHandshake(Consumer<Channel> opened) {
      this.opened = opened;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
      var bytes = (ByteBuf) message;
      String request = bytes.toString(US_ASCII);
      bytes.release();
      Matcher key = KEY.matcher(request);
      if (!key.find() || !request.endsWith("\r\n\r\n")) {
        context.close();
        return;
      }
      String accept = key.group(1) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
      byte[] hash = MessageDigest.getInstance("SHA-1").digest(accept.getBytes(US_ASCII));
      String response =
          "HTTP/1.1 101 Switching Protocols\r\n"
              + "Upgrade: websocket\r\n"
              + "Connection: Upgrade\r\n"
              + "Sec-WebSocket-Accept: "
              + Base64.getEncoder().encodeToString(hash)
              + "\r\n\r\n";
      context.writeAndFlush(Unpooled.copiedBuffer(response, US_ASCII));
      context.pipeline().remove(this);
      opened.accept(context.channel());
    }
  }

  /** Echoes bytes; one flush per read batch. */
  private static final class Echo extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      context.write(message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
    }
  }
}
