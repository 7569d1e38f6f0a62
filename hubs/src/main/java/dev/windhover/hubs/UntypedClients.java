package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;

/** Those who are connected to a hub, called by the names of their methods. */
public interface UntypedClients extends HubClients<ClientProxy> {
  @Override
  SingleClientProxy client(String connectionId);

  @Override
  UntypedClients whenFull(WhenFull policy);

  @Override
  UntypedClients latest(Object key);

  @Override
  UntypedClients resultTimeout(Duration limit);
}
