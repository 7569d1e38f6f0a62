package dev.windhover.protocol;

/**
 * Why a connection is closed, by the names of IANA's registry (RFC 6455 7.4 and 11.7).
 *
 * <p>Plain {@code int}s, since applications own 4000–4999 and libraries 3000–3999.
 */
public final class CloseCode {
  /** The purpose for which the connection was opened is fulfilled. */
  public static final int NORMAL_CLOSURE = 1000;

  /** A server goes down, or a browser leaves the page. */
  public static final int GOING_AWAY = 1001;

  /** The peer broke the protocol. */
  public static final int PROTOCOL_ERROR = 1002;

  /** A type of data came that cannot be accepted, as binary at an endpoint for text. */
  public static final int UNSUPPORTED_DATA = 1003;

  /** Never on the wire: the peer's Close carried no code. */
  public static final int NO_STATUS_RECEIVED = 1005;

  /** Never on the wire: the connection ended without a Close. */
  public static final int ABNORMAL_CLOSURE = 1006;

  /** Data that does not fit its type, as text that is not UTF-8. */
  public static final int INVALID_FRAME_PAYLOAD_DATA = 1007;

  /** A message broke a rule that no other code names. */
  public static final int POLICY_VIOLATION = 1008;

  /** A message is larger than the receiver takes. */
  public static final int MESSAGE_TOO_BIG = 1009;

  /** A client misses an extension in the server's answer. */
  public static final int MANDATORY_EXTENSION = 1010;

  /** A condition that kept the sender from fulfilling the request. */
  public static final int INTERNAL_ERROR = 1011;

  /** The server restarts. */
  public static final int SERVICE_RESTART = 1012;

  /** The server is overloaded; the client may try again later. */
  public static final int TRY_AGAIN_LATER = 1013;

  /** A gateway got an invalid answer from the server behind it. */
  public static final int BAD_GATEWAY = 1014;

  /** Never on the wire: the TLS handshake failed. */
  public static final int TLS_HANDSHAKE = 1015;

  private CloseCode() {}

  /**
   * Returns whether {@code code} may stand in a Close frame, sent or received: 1000–1003,
   * 1007–1014, 3000–4999. 1004–1006 and 1015 never do (7.4.1); the others below 3000 are reserved
   * (7.4.2).
   */
  public static boolean isAllowedInFrame(int code) {
    return (code >= 1000 && code <= 1003)
        || (code >= 1007 && code <= 1014)
        || (code >= 3000 && code <= 4999);
  }
}
