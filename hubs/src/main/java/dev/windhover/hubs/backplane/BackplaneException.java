package dev.windhover.hubs.backplane;

/** Other servers cannot be reached now. */
public final class BackplaneException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Creates one that says what could not be done. */
  public BackplaneException(String message) {
    super(message);
  }
}
