package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;

/** A hub that speaks JSON alone. */
public final class JsonHub extends Hub<Void> {
  public String echo(String text) {
    return text;
  }
}
