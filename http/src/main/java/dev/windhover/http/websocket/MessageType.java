package dev.windhover.http.websocket;

/** The type of a message, or the sign that no more come. */
public enum MessageType {
  /** UTF-8 text; checked before it is delivered. */
  TEXT,
  /** Bytes. */
  BINARY,
  /** The peer closed, or the connection ended: nothing more will be received. */
  CLOSE
}
