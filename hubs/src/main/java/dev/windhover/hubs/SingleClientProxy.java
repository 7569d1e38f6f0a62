package dev.windhover.hubs;

import java.lang.reflect.Type;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A client that is called by the names of its methods, and may be asked for results.
 *
 * <p>A result is awaited for a limited time ({@link HubClients#resultTimeout}), and a connection
 * owes a limited number of them ({@link HubOptions#maximumClientResultsPerClient}). It can fail:
 *
 * <ul>
 *   <li>{@link HubException}: the client answers with an error, which is the message, or with
 *       something else than a result of the type;
 *   <li>{@link java.io.IOException}: there is no such connection, or it ends before the answer; a
 *       {@link java.net.SocketTimeoutException} if there is no answer in time. A blocking call
 *       wraps it into an {@link java.io.UncheckedIOException} with the same message;
 *   <li>{@link IllegalStateException}: on an event loop, if the call would block; in {@link
 *       Hub#onConnected}, because the client's answer is not read before that has returned; if the
 *       client owes too many results.
 * </ul>
 */
public interface SingleClientProxy extends ClientProxy {
  /**
   * Calls a method of the client, and waits for its result. While a hub method waits, other calls
   * of its client may begin. An interrupt does not end the wait.
   */
  <T> @Nullable T invoke(Class<T> type, String method, @Nullable Object... arguments);

  /** As {@link #invoke(Class, String, Object...)}, for results of generic types. */
  @Nullable Object invoke(Type type, String method, @Nullable Object... arguments);

  /**
   * As {@link #invoke(Class, String, Object...)}, but does not wait: the result completes the
   * returned stage on a virtual thread. If it is cancelled, nobody waits for the result any more.
   */
  <T> CompletionStage<@Nullable T> invokeAsync(
      Class<T> type, String method, @Nullable Object... arguments);
}
