package dev.windhover.hubs;

import dev.windhover.http.host.Recipients;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import java.util.HashMap;
import java.util.Map;

/** A message for many, written once for each protocol that one of them speaks. For one thread. */
final class EncodedCall implements Recipients.Forms {
  private final HubMessage message;
  private final Map<HubProtocol, PreparedMessage> forms = new HashMap<>(2);

  EncodedCall(HubMessage message) {
    this.message = message;
  }

  @Override
  public PreparedMessage in(Object form) {
    return in((HubProtocol) form);
  }

  PreparedMessage in(HubProtocol protocol) {
    return forms.computeIfAbsent(protocol, this::written);
  }

  private PreparedMessage written(HubProtocol protocol) {
    boolean isText = protocol.transferFormat() == TransferFormat.TEXT;
    return PreparedMessage.of(
        protocol.write(message), isText ? MessageType.TEXT : MessageType.BINARY);
  }
}
