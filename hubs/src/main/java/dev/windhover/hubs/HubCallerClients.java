package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;

/**
 * Those who are connected to a hub, as a call of the hub sees them: with the caller. It may outlive
 * the call.
 *
 * @param <C> the client interface
 */
public interface HubCallerClients<C> extends HubClients<C> {
  /** Returns the client that has made the call. Methods with a result work on it. */
  C caller();

  /** Returns all but the caller. */
  C others();

  /** Returns the members of a group, but the caller. */
  C othersInGroup(String name);

  @Override
  HubCallerClients<C> whenFull(WhenFull policy);

  @Override
  HubCallerClients<C> latest(Object key);

  @Override
  HubCallerClients<C> resultTimeout(Duration limit);

  @Override
  UntypedCallerClients untyped();
}
