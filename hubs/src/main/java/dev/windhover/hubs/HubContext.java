package dev.windhover.hubs;

/**
 * A hub from outside its calls: {@link Hubs#context}. Any thread may use it.
 *
 * <p>Implemented by Windhover; methods may be added.
 *
 * @param <C> the client interface
 */
public interface HubContext<C> {
  /** Returns those who are connected. */
  HubClients<C> clients();

  /** Returns the groups. */
  GroupManager groups();

  /** Returns who is here. */
  ConnectionManager connections();
}
