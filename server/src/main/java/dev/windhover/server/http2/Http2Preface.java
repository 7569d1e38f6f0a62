package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.util.List;

/**
 * Looks at the first bytes of a connection in clear text: the preface of HTTP/2 (RFC 9113 3.4),
 * which a client with prior knowledge sends, or a request of HTTP/1.1. Until they differ it is one
 * of HTTP/1.1 to everybody else, its time limits included.
 */
public final class Http2Preface extends ByteToMessageDecoder {
  private final Runnable onHttp2;

  /**
   * Creates one.
   *
   * @param onHttp2 makes the connection one of HTTP/2; what came is handed on behind it
   */
  public Http2Preface(Runnable onHttp2) {
    this.onHttp2 = onHttp2;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf bytes, List<Object> out) {
    ByteBuf preface = Http2CodecUtil.connectionPrefaceBuf();
    try {
      int n = Math.min(bytes.readableBytes(), preface.readableBytes());
      if (!bytes.slice(bytes.readerIndex(), n).equals(preface.slice(0, n))) {
        ctx.pipeline().remove(this);
      } else if (n == preface.readableBytes()) {
        onHttp2.run();
        ctx.pipeline().remove(this);
      }
    } finally {
      preface.release();
    }
  }
}
