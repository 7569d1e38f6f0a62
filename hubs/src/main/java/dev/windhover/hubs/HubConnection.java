package dev.windhover.hubs;

import dev.windhover.http.host.Recipient;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import org.jspecify.annotations.Nullable;

/** A client's connection as hubs see it. */
abstract class HubConnection {
  /** Returns the id by which others may address it. */
  abstract String id();

  /** Returns whose connection it is, as of the handshake; null for nobody. */
  abstract @Nullable String userIdentifier();

  /** Returns the protocol, as of the handshake. */
  abstract HubProtocol protocol();

  /** Returns the connection below. */
  abstract ConnectionContext connection();

  /** Returns it as groups see it. */
  abstract Recipient recipient();

  /** Returns the settings of its hub, at its path. */
  abstract HubOptions options();

  /** Returns all connections of the hub. */
  abstract <C> HubConnections<C> connections();

  /**
   * Sends a message, after what the same thread has sent before. Any thread; never blocks. If the
   * message cannot be written, the connection is closed.
   */
  abstract void send(HubMessage message);

  /** Returns what is cancelled when the connection ends. */
  abstract Cancellation aborted();

  /** Returns whether the hub's {@code onConnected} has not returned. Any thread. */
  abstract boolean isInOnConnected();

  /** Ends it after what was sent; the client may not reconnect by itself. Any thread. */
  abstract void abort();
}
