package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;
import org.jspecify.annotations.Nullable;

/**
 * The sink of a response. The head leaves with the first bytes of the body; if there are none, it
 * carries the end of the stream.
 */
final class Http2Body extends Http2Sink {
  private final Http2Exchange exchange;

  /** Status and headers, until they are sent. */
  private @Nullable Http2Headers head;

  Http2Body(Http2Connection connection, Http2Exchange exchange, Http2Headers head) {
    super(connection, exchange.stream());
    this.exchange = exchange;
    this.head = head;
  }

  private void sendHead() {
    Http2Headers unsent = head;
    if (unsent != null) {
      head = null;
      connection.sendHead(stream, unsent, false, () -> {});
    }
  }

  @Override
  protected void transmit(ByteBuf bytes, @Nullable Runnable release) {
    sendHead();
    super.transmit(bytes, release);
  }

  @Override
  void waits() {
    connection.timeouts.outputWaits(exchange);
    connection.sends(exchange);
  }

  @Override
  public void flush() {
    if (!isClosed()) {
      sendHead();
    }
    super.flush();
  }

  @Override
  public void end() {
    Http2Headers unsent = head;
    if (unsent != null && pending() == 0 && !isClosed()) {
      head = null;
      endsWithHead();
      connection.sendHead(stream, unsent, true, this::endSent);
    } else {
      flush();
      super.end();
    }
    exchange.bodyEnds();
  }

  @Override
  void endSent() {
    exchange.endSent();
  }

  @Override
  protected void fileFailed(Exception cause) {
    connection.fileFailed(exchange, cause);
  }

  @Override
  public void abort() {
    exchange.abort();
  }
}
