package dev.windhover.http.host;

import dev.windhover.http.Limit;
import java.net.SocketAddress;

/** What a host calls for each request: an {@link dev.windhover.http.Application}, once built. */
@FunctionalInterface
public interface ExchangeHandler {
  /** Handles a request. It is called on the request's loop, must not block, and never throws. */
  void handle(Exchange exchange);

  /**
   * A limit has ended a connection outside of a request. Called on any thread; it must not block,
   * and never throws.
   */
  default void connectionDropped(SocketAddress remote, Limit limit) {}
}
