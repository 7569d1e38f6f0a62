package dev.windhover.protocol;

/**
 * The end of the connection that an engine represents. The only difference is which end masks its
 * frames (RFC 6455 5.1).
 */
public enum Role {
  /** Masks every frame it sends and refuses masked ones. */
  CLIENT,
  /** Never masks its frames, and refuses frames that are not masked. */
  SERVER;

  /** Returns whether frames that this end sends carry a masking key. */
  public boolean masks() {
    return this == CLIENT;
  }
}
