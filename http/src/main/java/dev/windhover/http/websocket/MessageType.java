package dev.windhover.http.websocket;

/** The type of a message, or the sign that no more messages will come. */
public enum MessageType {
  /** UTF-8 text, validated before it is delivered. */
  TEXT,
  /** Bytes. */
  BINARY,
  /** The peer has closed, or the connection has ended: nothing more will be received. */
  CLOSE
}
