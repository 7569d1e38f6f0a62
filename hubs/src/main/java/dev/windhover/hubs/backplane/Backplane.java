package dev.windhover.hubs.backplane;

import org.jspecify.annotations.Nullable;

/**
 * Connects the servers of a hub, so that a client is reached wherever it is connected. Without one,
 * a hub knows only the clients of its own process, and pays nothing for what might be elsewhere.
 *
 * <p>It belongs to whoever has created it: hubs use it, and never close it.
 */
public interface Backplane {
  /**
   * Lets a hub of this process take part. Called once for each hub, when it is set up.
   *
   * @param hub the hub's class
   * @param here what the backplane may ask of the hub and tell it, from any thread
   * @return what the hub may ask of the backplane
   */
  HubLink join(Class<?> hub, LocalHub here);

  /**
   * Returns what the ids of this process's connections begin with, so that one subscription serves
   * all of them: up to 16 letters, digits, {@code -} and {@code _}; null for nothing.
   */
  @Nullable String connectionIdPrefix();
}
