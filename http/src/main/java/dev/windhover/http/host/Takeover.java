package dev.windhover.http.host;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What continues a request after its handler: the socket of an upgrade, or a response stream. The
 * pipeline reports to it when the handler has ended.
 *
 * <p>Implemented by Windhover's engines; methods may be added.
 */
public interface Takeover {
  /** The handler has returned, or has thrown {@code failure}. Called once, on its thread. */
  void handlerEnded(@Nullable Throwable failure);

  /** Returns a future that completes when the socket or stream has ended, never exceptionally. */
  CompletableFuture<Void> ended();
}
