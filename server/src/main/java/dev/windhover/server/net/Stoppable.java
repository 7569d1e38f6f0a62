package dev.windhover.server.net;

/**
 * The last handler of a connection's pipeline, which knows how the connection can end. Loop only.
 */
public interface Stoppable {
  /** The server stops: closes when there is nothing under way any more, at once if that is now. */
  void stop();

  /** The server does not wait any longer: drops what is under way, with a reset. */
  void drop();
}
