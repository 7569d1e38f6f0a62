package dev.windhover.hubs;

import java.util.List;

/**
 * The connections of a hub: who is here, and who has to go. Any thread may call it, even an event
 * loop. A connection is here from before {@link Hub#onConnected} until it has ended. With a
 * {@linkplain Hubs#backplane backplane}, these are the connections of this server alone.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface ConnectionManager {
  /** Returns how many connections there are. */
  int count();

  /** Returns the ids of all connections, as of now. */
  List<String> ids();

  /** Returns whether a connection is here. */
  boolean contains(String connectionId);

  /** Returns all users who have a connection here, as of now. */
  List<String> users();

  /** Returns how many connections a user has. */
  int countOfUser(String userId);

  /**
   * Ends a connection after what was sent to it. Its client may not reconnect by itself.
   *
   * @return false if it is not here
   */
  boolean abort(String connectionId);

  /**
   * Ends all connections of a user, as {@link #abort} does.
   *
   * @return how many they were
   */
  int abortUser(String userId);
}
