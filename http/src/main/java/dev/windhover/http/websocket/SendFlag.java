package dev.windhover.http.websocket;

/** How a message is sent; the same for all pieces of a message. */
public enum SendFlag {
  /**
   * Sends the message as it is even where compression was negotiated: for secrets that share a
   * connection with text an attacker chooses, and for data that is compressed already. Without
   * compression it has no effect.
   */
  DISABLE_COMPRESSION
}
