package dev.windhover.http;

/**
 * A bound of a socket that was reached, as {@link Events#limitReached} reports it. More may be
 * added.
 */
public enum Limit {
  /** A message was larger than is accepted: the socket fails. */
  MESSAGE_SIZE("message size"),

  /** The application takes nothing and the inbound bytes are full: the peer is not read. */
  INBOUND_BYTES("inbound bytes"),

  /**
   * The send queue reached its high mark: senders wait or are refused. Reported once until the
   * queue is below its low mark again.
   */
  SEND_QUEUE("send queue"),

  /** The peer sent more control frames than are allowed: the socket fails. */
  CONTROL_FRAMES("control frames"),

  /**
   * The application did not reach the peer's Close, or fault, within 5 s: it is answered without
   * the application.
   */
  UNREAD_END("unread end"),

  /** The peer showed no sign of life after a Ping: it is dropped. */
  KEEP_ALIVE("keep-alive"),

  /** The peer did not finish the closing handshake in time: it is dropped. */
  CLOSING_HANDSHAKE("closing handshake"),

  /** The peer took no data for too long: it is dropped. */
  STALLED_WRITE("stalled write"),

  /**
   * Compression contexts have used up their memory: a new socket compresses less, or not at all.
   */
  COMPRESSION_MEMORY("compression memory");

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
