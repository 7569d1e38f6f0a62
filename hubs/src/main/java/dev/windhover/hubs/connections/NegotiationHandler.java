package dev.windhover.hubs.connections;

import dev.windhover.http.HttpContext;
import org.jspecify.annotations.Nullable;

/**
 * Answers a negotiation in place of the endpoint, for example to send the client to another server.
 */
@FunctionalInterface
public interface NegotiationHandler {
  /**
   * Returns where the client is to go, or null if it is to stay. Runs on a virtual thread, and may
   * block.
   *
   * @throws dev.windhover.http.HttpException to refuse the client with that status
   */
  @Nullable NegotiationRedirect negotiate(HttpContext context) throws Exception;
}
