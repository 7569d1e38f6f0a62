package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;

/** A hub that cannot be constructed. */
public final class BrokenHub extends Hub<Void> {
  public BrokenHub() {
    throw new InvalidOperationException("no such hub");
  }

  public String echo(String text) {
    return text;
  }
}
