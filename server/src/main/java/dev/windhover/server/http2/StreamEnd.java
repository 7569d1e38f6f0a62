package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/**
 * Our end of a stream of HTTP/2: a request's {@link Http2Exchange} until it becomes a socket, whose
 * {@link Http2Duplex} takes its place, so that an idle socket does not hold its request. Loop only.
 */
sealed interface StreamEnd permits Http2Exchange, Http2Duplex {
  /** Takes a piece of DATA; what is not kept has its credit back. */
  void receive(ByteBuf data);

  /** The client has ended its side; {@code trailers} may be empty. */
  void receiveEnd(Iterable<Map.Entry<String, String>> trailers);

  /** The client's side of the connection is ended, and so of the stream. */
  void connectionEnds();

  /** The stream is closed, in order or not. */
  void closed(String why);

  /** Returns whether our side has ended. */
  boolean hasEnded();
}
