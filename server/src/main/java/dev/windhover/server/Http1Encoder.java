package dev.windhover.server;

import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;

/** Netty's encoder, told when the request was a HEAD: then no body follows, whatever its length. */
final class Http1Encoder extends HttpResponseEncoder {
  private boolean head;

  void head(boolean isHead) {
    head = isHead;
  }

  @Override
  protected boolean isContentAlwaysEmpty(HttpResponse response) {
    return head || super.isContentAlwaysEmpty(response);
  }
}
