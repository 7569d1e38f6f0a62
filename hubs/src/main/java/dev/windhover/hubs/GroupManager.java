package dev.windhover.hubs;

import java.util.List;

/**
 * The groups of a hub. A group begins with its first member and is gone with the last; its name is
 * compared exactly, and has at most 256 characters ({@link HubOptions#maximumGroupNameLength}). A
 * connection leaves its groups when it ends; a client that connects again has to be added again.
 *
 * <p>Any thread may call it, even an event loop, and nothing waits. What a thread does here is in
 * order with what it sends: a connection gets what is sent after it was added, and what was sent
 * before it was removed.
 *
 * <p>With a {@linkplain Hubs#backplane backplane}, a group has members on several servers. To add
 * one waits until the other servers reach it, and to change a connection of another server waits
 * until that server has confirmed it; both within the backplane's time limit, and an event loop
 * does not wait. What is counted and listed here is what is connected to this server.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface GroupManager {
  /**
   * Adds a connection to a group.
   *
   * @return false if nothing changed: it is a member already, or not connected. For a connection of
   *     another server: whether that server has confirmed it in time
   * @throws IllegalArgumentException if the name is too long
   */
  boolean add(String connectionId, String name);

  /**
   * Removes a connection from a group.
   *
   * @return false if it is no member. For a connection of another server: whether that server has
   *     confirmed it in time
   */
  boolean remove(String connectionId, String name);

  /** Returns how many members a group has. */
  int count(String name);

  /**
   * Returns the ids of a group's members, in no particular order. It looks at every connection of
   * the hub.
   */
  List<String> members(String name);

  /** Returns the names of all groups that have members, as of now. */
  List<String> names();
}
