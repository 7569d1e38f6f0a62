package dev.windhover.protocol;

/** Which end of the connection an engine is. The only difference is who masks (RFC 6455 5.1). */
public enum Role {
  /** Masks every frame it sends and refuses masked ones. */
  CLIENT,
  /** Never masks, and refuses frames that are not masked. */
  SERVER;

  /** Returns whether frames that this end sends carry a masking key. */
  public boolean masks() {
    return this == CLIENT;
  }
}
