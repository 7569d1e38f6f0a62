package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.List;

/**
 * Netty's decoder, one request at a time: bytes behind a request are held unparsed until that is
 * answered. So they are still there, as they came, when the request turns out to be an upgrade; and
 * a client cannot make the server parse ahead.
 */
final class Http1Decoder extends HttpRequestDecoder {
  /** As much is read ahead, to see a client's end in time; then the connection is not read. */
  private static final int MOST_HELD = 64 * 1024;

  private boolean holding;
  private int held;

  Http1Decoder(ServerLimits limits) {
    super(
        new HttpDecoderConfig()
            .setMaxInitialLineLength(limits.maxRequestLine())
            .setMaxHeaderSize(limits.maxHeaders())
            .setValidateHeaders(true));
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out)
      throws Exception {
    if (holding) {
      held = bytes.readableBytes();
      if (held > MOST_HELD) {
        ctx.channel().config().setAutoRead(false);
      }
      return;
    }
    int before = out.size();
    super.decode(ctx, bytes, out);
    for (int i = before; i < out.size(); i++) {
      if (out.get(i) instanceof LastHttpContent) {
        holding = true;
        held = bytes.readableBytes();
      }
    }
  }

  /**
   * Does not ask for more while it holds: the decoder's own habit, to read on until something comes
   * out of it, would read without an end here.
   */
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
    if (holding) {
      ctx.fireChannelReadComplete();
    } else {
      super.channelReadComplete(ctx);
    }
  }

  /** Keeps what it holds when the client ends its side: it was sent before that. */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (holding) {
      ctx.fireUserEventTriggered(event);
    } else {
      super.userEventTriggered(ctx, event);
    }
  }

  /** Returns whether bytes have come behind the request at hand. */
  boolean isHolding() {
    return held > 0;
  }

  /** Goes on with the next request. */
  void release(ChannelHandlerContext own) throws Exception {
    holding = false;
    held = 0;
    own.channel().config().setAutoRead(true);
    channelRead(own, Unpooled.EMPTY_BUFFER);
  }
}
