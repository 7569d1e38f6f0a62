package dev.windhover.samples.hub.server;

/** An application's exception, named as the reference's hubs have it: clients see its name. */
final class InvalidOperationException extends RuntimeException {
  private static final long serialVersionUID = 1;

  InvalidOperationException(String message) {
    super(message);
  }
}
