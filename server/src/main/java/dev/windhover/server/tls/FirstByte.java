package dev.windhover.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Finds out whether a client of an {@code https} address speaks TLS; first in the pipeline. */
public final class FirstByte extends ChannelInboundHandlerAdapter {
  /** The type of the record that begins every handshake (RFC 8446 5.1). */
  private static final int HANDSHAKE = 22;

  private final Runnable onSomethingElse;

  /**
   * Creates one.
   *
   * @param onSomethingElse run before the first bytes are passed on, unless they are TLS
   */
  public FirstByte(Runnable onSomethingElse) {
    this.onSomethingElse = onSomethingElse;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof ByteBuf bytes && bytes.isReadable()) {
      if (bytes.getByte(bytes.readerIndex()) != HANDSHAKE) {
        onSomethingElse.run();
      }
      ctx.fireChannelRead(message);
      ctx.pipeline().remove(this);
    } else {
      ctx.fireChannelRead(message);
    }
  }
}
