package dev.windhover.hubs;

import dev.windhover.hubs.connections.TransportType;
import dev.windhover.hubs.protocol.Handshake;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import java.nio.ByteBuffer;

/** What a client's handshake leads to. */
sealed interface HandshakeOutcome {
  /**
   * Both sides speak a protocol.
   *
   * @param version the version that the client speaks
   */
  record Agreed(HubProtocol protocol, int version) implements HandshakeOutcome {}

  /**
   * They do not.
   *
   * @param error what the client is told
   */
  record Refused(String error) implements HandshakeOutcome {}

  /** Reads the client's first record, and decides. */
  static HandshakeOutcome of(ByteBuffer record, HubEndpoint endpoint, TransportType transport) {
    Handshake.Request request;
    try {
      request = Handshake.read(record);
    } catch (InvalidDataException e) {
      return new Refused(endpoint.explained(Errors.HANDSHAKE, e));
    }
    HubProtocol protocol = endpoint.protocol(request.protocol());
    if (protocol == null) {
      return new Refused("The protocol '" + request.protocol() + "' is not supported.");
    }
    if (request.version() > protocol.version()) {
      return new Refused(
          "The server does not support version %d of the '%s' protocol."
              .formatted(request.version(), request.protocol()));
    }
    if (!transport.carries(protocol.transferFormat())) {
      return new Refused(
          ("Cannot use the '%s' protocol on the current transport. The transport does not support"
                  + " '%s' transfer format.")
              .formatted(request.protocol(), protocol.transferFormat().wireName()));
    }
    return new Agreed(protocol, request.version());
  }
}
