package dev.windhover.hubs;

/**
 * A class whose public methods clients call.
 *
 * @param <C> what the server calls on clients
 */
public abstract class Hub<C> {
  /** Creates one, for a single call. */
  protected Hub() {}
}
