package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;

/**
 * Those who are connected to a hub, as a call of the hub sees them, called by the names of their
 * methods.
 */
public interface UntypedCallerClients extends UntypedClients, HubCallerClients<ClientProxy> {
  @Override
  SingleClientProxy caller();

  @Override
  UntypedCallerClients whenFull(WhenFull policy);

  @Override
  UntypedCallerClients latest(Object key);

  @Override
  UntypedCallerClients resultTimeout(Duration limit);

  @Override
  UntypedCallerClients untyped();
}
