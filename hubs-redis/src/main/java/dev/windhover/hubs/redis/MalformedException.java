package dev.windhover.hubs.redis;

/** What another server has published cannot be read. It is ordinary: so it has no stack trace. */
final class MalformedException extends Exception {
  private static final long serialVersionUID = 1;

  MalformedException(String message) {
    super(message, null, false, false);
  }
}
