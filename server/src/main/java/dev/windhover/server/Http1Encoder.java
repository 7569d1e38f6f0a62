package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;

/**
 * Netty's encoder, told when the request was a HEAD: then no body follows, whatever its length. A
 * whole response becomes one buffer.
 */
final class Http1Encoder extends HttpResponseEncoder {
  /** As much as the head of a usual response takes, or more. */
  private static final int HEAD_BYTES = 512;

  private boolean head;

  void head(boolean isHead) {
    head = isHead;
  }

  @Override
  protected boolean isContentAlwaysEmpty(HttpResponse response) {
    return head || super.isContentAlwaysEmpty(response);
  }

  @Override
  protected void encodeInitialLine(ByteBuf buffer, HttpResponse response) throws Exception {
    if (response instanceof FullHttpResponse whole && whole.content().isReadable()) {
      // Netty puts the content behind the head where there is room.
      buffer.ensureWritable(HEAD_BYTES + whole.content().readableBytes());
    }
    super.encodeInitialLine(buffer, response);
  }
}
