package dev.windhover.hubs.connections;

import org.jspecify.annotations.Nullable;

/**
 * Why a connection has ended.
 *
 * @param status for metrics, and for people
 * @param error what failed: the transport, or what {@link ConnectionContext#close(Throwable)} was
 *     given; null if either side has closed it, or the client has just gone
 */
public record ConnectionEnding(Status status, @Nullable Throwable error) {
  /** How it ended, as the reference's metrics name it ({@code signalr.connection.status}). */
  public enum Status {
    /** Closed by either side, or the client is gone. */
    NORMAL_CLOSURE,

    /** The client did not poll, or did not come back, in time. */
    TIMEOUT,

    /** The server stopped. */
    APP_SHUTDOWN
  }
}
