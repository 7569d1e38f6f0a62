package dev.windhover.hubs;

import dev.windhover.http.host.Recipients;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
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

  /** Returns the message in each of these protocols; in the first one of each name. */
  List<Form> forms(Collection<HubProtocol> protocols) {
    Map<String, Form> byName = LinkedHashMap.newLinkedHashMap(protocols.size());
    for (HubProtocol protocol : protocols) {
      byName.putIfAbsent(protocol.name(), new Form(protocol.name(), in(protocol).payload()));
    }
    return List.copyOf(byName.values());
  }

  private PreparedMessage written(HubProtocol protocol) {
    return prepared(protocol.write(message), protocol);
  }

  /** Returns a record of {@code protocol} as it is sent. */
  static PreparedMessage prepared(ByteBuffer record, HubProtocol protocol) {
    boolean isText = protocol.transferFormat() == TransferFormat.TEXT;
    return PreparedMessage.of(record, isText ? MessageType.TEXT : MessageType.BINARY);
  }
}
