package dev.windhover.http.websocket;

/** Why an opening handshake, or what was almost one, did not become a socket. More may be added. */
public enum HandshakeRefusal {
  /** The request is not a valid opening handshake. */
  NOT_A_HANDSHAKE,

  /** The client asks for a version of the protocol other than 13, or for none. */
  UNSUPPORTED_VERSION,

  /** The page that opens the socket comes from an origin that is not allowed. */
  ORIGIN_NOT_ALLOWED,

  /** The client and the application do not agree on a subprotocol. */
  SUBPROTOCOL,

  /** The path has no route. */
  NO_ROUTE,

  /** The application answered the request without accepting the socket. */
  NOT_ACCEPTED,

  /** The host has no room for another socket. */
  NO_ROOM,

  /** The server is stopping. */
  STOPPING
}
