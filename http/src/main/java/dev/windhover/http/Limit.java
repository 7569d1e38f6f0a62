package dev.windhover.http;

/**
 * A limit of a socket or a request, as reported by {@link Events#limitReached}, or of the host's
 * connections, as reported by {@link Events#connectionDropped}. More may be added.
 */
public enum Limit {
  /** A message was larger than the accepted maximum: the socket fails with 1009. */
  MESSAGE_SIZE("message size"),

  /** The application does not receive, and the inbound limit is reached: the peer is not read. */
  INBOUND_BYTES("inbound bytes"),

  /**
   * The send queue has reached its high mark: senders wait or are refused. Reported again only
   * after the queue has fallen below its low mark.
   */
  SEND_QUEUE("send queue"),

  /** An unfinished message came too slowly while it was held: the socket fails with 1008. */
  MESSAGE_RATE("message rate"),

  /**
   * The sender of a message in pieces kept others waiting for too long, or its thread has ended:
   * the socket fails with 1011.
   */
  UNFINISHED_SEND("unfinished send"),

  /** The peer sent more control frames than are allowed: the socket fails with 1008. */
  CONTROL_FRAMES("control frames"),

  /**
   * The application did not reach the peer's Close or violation within 5 s, so Windhover answers
   * without it.
   */
  UNREAD_END("unread end"),

  /** The peer showed no sign of life after a Ping: the connection is dropped. */
  KEEP_ALIVE("keep-alive"),

  /** The peer did not finish the closing handshake in time: the connection is dropped. */
  CLOSING_HANDSHAKE("closing handshake"),

  /** The peer took no data for too long: the connection is dropped. */
  STALLED_WRITE("stalled write"),

  /**
   * The server's memory budget is used up, and this socket or request held the most and moved the
   * least. A socket fails with 1013 if a Close can still leave; a request is answered with 503 if
   * its handler still waits for the body. Otherwise the connection is dropped.
   */
  MEMORY("memory"),

  /**
   * The memory for compression contexts is used up: a new socket compresses less, or not at all.
   */
  COMPRESSION_MEMORY("compression memory"),

  /**
   * There are as many connections as are allowed: the oldest one that has not sent a request is
   * closed, or else the new one.
   */
  CONNECTIONS("connections"),

  /**
   * An address has as many connections as are allowed: the new one is closed. If a known proxy has
   * passed on as many requests of it, {@link Events#limitReached} reports the limit, and the
   * request is answered with 503.
   */
  CONNECTIONS_PER_ADDRESS("connections per address");

  private final String text;

  Limit(String text) {
    this.text = text;
  }

  /** Returns the limit's name in words, for logs and metrics. */
  @Override
  public String toString() {
    return text;
  }
}
