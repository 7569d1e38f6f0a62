package dev.windhover.hubs.connections;

/** What an endpoint does with its connections. */
@FunctionalInterface
public interface ConnectionHandler {
  /**
   * A connection is open: its first transport is there. Called on its loop, before anything that
   * the client has sent is delivered, so it must not block.
   *
   * @return what receives what comes
   * @throws Exception the connection is then closed, as {@link ConnectionContext#close(Throwable)}
   *     says
   */
  ConnectionListener onConnected(ConnectionContext connection) throws Exception;
}
