package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/**
 * Our end of a stream of HTTP/2: the {@link Http2Exchange} of a request. If it becomes a socket, an
 * {@link Http2Duplex} takes its place, so that an idle socket does not hold its request. Loop only.
 */
sealed interface StreamEnd permits Http2Exchange, Http2Duplex {
  /** Takes a piece of DATA, and returns the credit for bytes that it does not keep. */
  void receive(ByteBuf data);

  /** The client has ended its side; {@code trailers} may be empty. */
  void receiveEnd(Iterable<Map.Entry<String, String>> trailers);

  /** The client has ended its side of the connection, and so of the stream. */
  void connectionEnds();

  /** The server stops: waits for the client no longer than it must. */
  default void serverStops() {}

  /** The stream was closed, in order or not. */
  void closed(String why);

  /** Returns whether our side has ended. */
  boolean hasEnded();
}
