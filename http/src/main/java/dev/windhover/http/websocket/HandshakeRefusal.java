package dev.windhover.http.websocket;

/**
 * Why an opening handshake, or a request that was almost one, did not become a socket. The status
 * is that of the library's answer; an application may answer with another one. More may be added.
 */
public enum HandshakeRefusal {
  /** The request is not a valid opening handshake (RFC 6455 4.2.1): 400. */
  NOT_A_HANDSHAKE,

  /** The client requests a version of the protocol other than 13, or none: 426 (HTTP/2: 400). */
  UNSUPPORTED_VERSION,

  /** The page that opens the socket has an origin that is not allowed: 403. */
  ORIGIN_NOT_ALLOWED,

  /** The client and the application do not agree on a subprotocol. */
  SUBPROTOCOL,

  /** No route matches the path: 404. */
  NO_ROUTE,

  /** The application answered the request without accepting the socket. */
  NOT_ACCEPTED,

  /** The host has no room for another socket: 503. */
  NO_ROOM,

  /** The server is stopping: 503. */
  STOPPING
}
