package dev.windhover.http.host;

/** What a host calls for each request: an {@link dev.windhover.http.Application}, once built. */
@FunctionalInterface
public interface ExchangeHandler {
  /** Handles a request. It is called on the request's loop, must not block, and never throws. */
  void handle(Exchange exchange);
}
