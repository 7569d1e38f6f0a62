package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/**
 * Those who are connected to a hub, for calling them. A call of {@code all().receiveMessage(…)}
 * sends the message and returns; nobody waits for a client that reads slowly, and ids that are not
 * connected are ignored. Any thread may call it, even an event loop.
 *
 * <p>What one thread sends reaches each client in that order, whether it went to the client itself,
 * to a group, or to all, and together with the answers to its own calls. Between threads there is
 * no order. A client in two of several {@link #groups} gets the message twice; ids that are given
 * twice count once.
 *
 * <p>With a {@linkplain Hubs#backplane backplane}, these are the clients of all servers, and the
 * backplane says which order they see. A policy ({@link #whenFull}, {@link #latest}) is for the
 * clients of this server; others have that of the hub.
 *
 * <p>A message is written once for each protocol that a receiver speaks, by the calling thread. If
 * an argument cannot be written, the call fails with an {@link IllegalArgumentException}, and
 * nobody gets it.
 *
 * <p>Implemented by Windhover; methods may be added.
 *
 * @param <C> the client interface
 */
public interface HubClients<C> {
  /** Returns all connected clients. */
  C all();

  /** Returns all but some connections. */
  C allExcept(Collection<String> connectionIds);

  /** Returns all but some connections. */
  default C allExcept(String... connectionIds) {
    return allExcept(List.of(connectionIds));
  }

  /**
   * Returns one connection. Methods with a result work on it.
   *
   * @param connectionId see {@link HubCallerContext#connectionId}
   */
  C client(String connectionId);

  /** Returns some connections. */
  C clients(Collection<String> connectionIds);

  /** Returns some connections. */
  default C clients(String... connectionIds) {
    return clients(List.of(connectionIds));
  }

  /** Returns the members of a group; nobody, if there is none. */
  C group(String name);

  /** Returns the members of a group, but some connections. */
  C groupExcept(String name, Collection<String> connectionIds);

  /** Returns the members of a group, but some connections. */
  default C groupExcept(String name, String... connectionIds) {
    return groupExcept(name, List.of(connectionIds));
  }

  /** Returns the members of several groups. */
  C groups(Collection<String> names);

  /** Returns the members of several groups. */
  default C groups(String... names) {
    return groups(List.of(names));
  }

  /**
   * Returns all connections of a user.
   *
   * @param userId see {@link HubOptions#userIdentifier}; compared exactly
   */
  C user(String userId);

  /** Returns all connections of several users. */
  C users(Collection<String> userIds);

  /** Returns all connections of several users. */
  default C users(String... userIds) {
    return users(List.of(userIds));
  }

  // ---- How they are called

  /**
   * Returns the same clients, called with another policy for those who have no room for a message.
   * Without it, that of the hub is used ({@link HubOptions#whenFull}). It changes nothing for
   * methods with a result: their calls are never dropped.
   *
   * @param policy {@link WhenFull#KEEP_LATEST} lets a call replace an earlier one of the same
   *     method that has not begun to leave
   * @throws IllegalArgumentException for {@link WhenFull#WAIT}
   */
  HubClients<C> whenFull(WhenFull policy);

  /**
   * Returns the same clients, called with the latest state of something: a call replaces an earlier
   * one of the same method and key that has not begun to leave ({@link WhenFull#KEEP_LATEST}). A
   * client that reads as fast as it is called gets every call; another skips some, and what it
   * reads is recent.
   *
   * @param key names what this is the state of, for example a symbol; compared by {@code equals}
   *     within the hub
   */
  HubClients<C> latest(Object key);

  /**
   * Returns the same clients, with another time limit for results than that of the hub ({@link
   * HubOptions#clientResultTimeout}).
   *
   * @throws IllegalArgumentException if not positive
   */
  HubClients<C> resultTimeout(Duration limit);

  /** Returns the same clients, called by the names of their methods. */
  UntypedClients untyped();
}
