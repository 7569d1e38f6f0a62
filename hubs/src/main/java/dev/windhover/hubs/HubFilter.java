package dev.windhover.hubs;

import org.jspecify.annotations.Nullable;

/**
 * A step around the calls of a hub, and around the beginning and end of its connections: for all
 * hubs ({@link Hubs#options}) or one ({@link Hubs#map}). Filters run in the order in which they
 * were added, those for all hubs first; the first is the outermost.
 *
 * <pre>{@code
 * hubs.options(options -> options.filter(new HubFilter() {
 *   @Override
 *   public Object invokeMethod(HubInvocationContext call, Invocation next) throws Exception {
 *     if (call.arguments().contains("secret")) {
 *       throw new HubException("not here");
 *     }
 *     return next.invoke(call);
 *   }
 * }));
 * }</pre>
 *
 * <p>A filter sees calls that are about to run: not those of methods that do not exist, whose
 * arguments do not fit, or that the user may not call. Each method must call {@code next} to go on,
 * and may throw instead, catch what is thrown, or replace the result.
 */
public interface HubFilter {
  /** What follows a filter in a call. */
  @FunctionalInterface
  interface Invocation {
    /**
     * Goes on: to the next filter, or to the method.
     *
     * @return the method's result: a value, null for nothing, or its stream; what a {@link
     *     java.util.concurrent.CompletionStage} was completed with, unless the method is {@link
     *     NonBlocking}
     */
    @Nullable Object invoke(HubInvocationContext call) throws Exception;
  }

  /** What follows a filter when a client has connected. */
  @FunctionalInterface
  interface Connected {
    /** Goes on: to the next filter, or to {@link Hub#onConnected}. */
    void invoke(HubLifetimeContext connection) throws Exception;
  }

  /** What follows a filter when a client is gone. */
  @FunctionalInterface
  interface Disconnected {
    /** Goes on: to the next filter, or to {@link Hub#onDisconnected}. */
    void invoke(HubLifetimeContext connection, @Nullable Throwable error) throws Exception;
  }

  /** Around a call. Returns its result. */
  default @Nullable Object invokeMethod(HubInvocationContext call, Invocation next)
      throws Exception {
    return next.invoke(call);
  }

  /** Around {@link Hub#onConnected}. */
  default void onConnected(HubLifetimeContext connection, Connected next) throws Exception {
    next.invoke(connection);
  }

  /** Around {@link Hub#onDisconnected}. */
  default void onDisconnected(
      HubLifetimeContext connection, @Nullable Throwable error, Disconnected next)
      throws Exception {
    next.invoke(connection, error);
  }

  /**
   * Returns whether {@link #invokeMethod} never blocks. If one filter of a hub may block, all its
   * methods run on virtual threads, even those that are {@link NonBlocking}.
   */
  default boolean isNonBlocking() {
    return false;
  }
}
