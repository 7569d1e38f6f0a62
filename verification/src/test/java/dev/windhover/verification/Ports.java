package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import java.net.URI;

/** Where an application listens. */
final class Ports {
  private Ports() {}

  static int of(WebApplication app) {
    return URI.create(app.urls().getFirst()).getPort();
  }
}
