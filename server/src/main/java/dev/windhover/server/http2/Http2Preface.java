package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import java.util.List;

/**
 * Looks for the preface of HTTP/2 (RFC 9113 3.4) in the first bytes of a connection without TLS. A
 * client with prior knowledge sends it. Until it is complete, everything else, including the time
 * limits, takes the connection for HTTP/1.1.
 */
public final class Http2Preface extends ByteToMessageDecoder {
  private final Runnable onHttp2;

  /**
   * Creates one.
   *
   * @param onHttp2 makes this an HTTP/2 connection, before the preface is passed on
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
