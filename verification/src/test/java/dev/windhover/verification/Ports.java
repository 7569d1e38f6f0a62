package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;

/** Where an application listens, and where its clients come from. */
final class Ports {
  private static final int ADDRESSES = 250;

  private Ports() {}

  static int of(WebApplication app) {
    return URI.create(app.urls().getFirst()).getPort();
  }

  /** Returns 127.0.0.2 and on: a closed connection keeps its port for a minute. */
  static InetAddress addressOf(int client) throws UnknownHostException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) (2 + client % ADDRESSES)});
  }
}
