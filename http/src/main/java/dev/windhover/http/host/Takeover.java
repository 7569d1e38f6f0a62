package dev.windhover.http.host;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What became of a request that was upgraded; the pipeline tells it when the handler has ended.
 *
 * <p>Implemented by Windhover's engines; methods may be added.
 */
public interface Takeover {
  /** The handler has returned, or has thrown {@code failure}; called once, from its thread. */
  void handlerEnded(@Nullable Throwable failure);

  /** Returns a future that completes when the connection has ended; never exceptionally. */
  CompletableFuture<Void> ended();
}
