package dev.windhover.hubs;

/** The groups of a hub, as a call of the hub sees them: with the caller. */
public interface HubGroups extends GroupManager {
  /**
   * Adds the caller to a group.
   *
   * @return false if nothing changed: it is a member already, or gone
   * @throws IllegalArgumentException if the name is too long
   */
  boolean add(String name);

  /**
   * Removes the caller from a group.
   *
   * @return false if it is no member
   */
  boolean remove(String name);
}
