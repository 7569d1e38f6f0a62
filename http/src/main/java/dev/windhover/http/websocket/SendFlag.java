package dev.windhover.http.websocket;

/** How a message is sent; the same for all pieces of a message. */
public enum SendFlag {
  /**
   * Sends the message uncompressed even if compression was negotiated. Use it for secrets that
   * share a connection with text chosen by an attacker, and for data that is already compressed.
   * Has no effect on connections without compression.
   */
  DISABLE_COMPRESSION
}
