package dev.windhover.http.host;

/** What a host calls for each request: an {@link dev.windhover.http.Application}, once built. */
@FunctionalInterface
public interface ExchangeHandler {
  /** Takes a request; called on its loop, must not block, never throws. */
  void handle(Exchange exchange);
}
