package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;

/** A hub that wants no connections. */
public final class RefusingHub extends Hub<Void> {
  @Override
  public void onConnected() {
    throw new InvalidOperationException("not today");
  }

  public String echo(String text) {
    return text;
  }
}
