package dev.windhover.hubs.connections;

/**
 * A negotiation whose client has not come yet.
 *
 * @param id the connection's id
 * @param stateful whether the client may come back to the connection
 * @param due when the client must have come, in the loops' nanoseconds
 */
record Negotiated(String token, String id, boolean stateful, long due) implements KnownToken {
  /** Leaves the token out, which is a secret. */
  @Override
  public String toString() {
    return "negotiated connection " + id;
  }
}
