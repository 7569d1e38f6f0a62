package dev.windhover.hubs;

import org.jspecify.annotations.Nullable;

/**
 * Clients that are called by the names of their methods.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface ClientProxy {
  /**
   * Calls a method of these clients, and waits for none of them.
   *
   * @param method its name, as it is sent; most clients compare it exactly
   * @throws IllegalArgumentException if an argument cannot be written
   */
  void send(String method, @Nullable Object... arguments);
}
