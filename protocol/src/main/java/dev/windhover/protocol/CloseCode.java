package dev.windhover.protocol;

/**
 * The reasons for closing a connection, under the names of IANA's registry (RFC 6455 7.4 and 11.7).
 *
 * <p>These are plain {@code int}s, because applications define their own codes in 4000–4999 and
 * libraries in 3000–3999.
 */
public final class CloseCode {
  /** The connection has fulfilled its purpose. */
  public static final int NORMAL_CLOSURE = 1000;

  /** The server is going down, or the browser is leaving the page. */
  public static final int GOING_AWAY = 1001;

  /** The peer broke the protocol. */
  public static final int PROTOCOL_ERROR = 1002;

  /** The endpoint cannot accept this type of data, for example binary where it expects text. */
  public static final int UNSUPPORTED_DATA = 1003;

  /** Never on the wire: the peer's Close carried no code. */
  public static final int NO_STATUS_RECEIVED = 1005;

  /** Never on the wire: the connection ended without a Close. */
  public static final int ABNORMAL_CLOSURE = 1006;

  /** The data does not match its type, for example text that is not UTF-8. */
  public static final int INVALID_FRAME_PAYLOAD_DATA = 1007;

  /** A message broke a rule for which no other code exists. */
  public static final int POLICY_VIOLATION = 1008;

  /** A message is larger than the receiver accepts. */
  public static final int MESSAGE_TOO_BIG = 1009;

  /** The client requires an extension that the server's answer lacks. */
  public static final int MANDATORY_EXTENSION = 1010;

  /** An unexpected condition kept the sender from fulfilling the request. */
  public static final int INTERNAL_ERROR = 1011;

  /** The server is restarting. */
  public static final int SERVICE_RESTART = 1012;

  /** The server is overloaded; the client may try again later. */
  public static final int TRY_AGAIN_LATER = 1013;

  /** A gateway received an invalid response from its upstream server. */
  public static final int BAD_GATEWAY = 1014;

  /** Never on the wire: the TLS handshake failed. */
  public static final int TLS_HANDSHAKE = 1015;

  private CloseCode() {}

  /**
   * Returns whether {@code code} may appear in a Close frame, sent or received: 1000–1003,
   * 1007–1014, 3000–4999. 1004–1006 and 1015 never appear (7.4.1); the other codes below 3000 are
   * reserved (7.4.2).
   */
  public static boolean isAllowedInFrame(int code) {
    return (code >= 1000 && code <= 1003)
        || (code >= 1007 && code <= 1014)
        || (code >= 3000 && code <= 4999);
  }
}
