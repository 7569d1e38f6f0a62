package dev.windhover.hubs.connections;

/** What carries a connection, in the order in which clients are told to try them. */
public enum TransportType {
  /** One WebSocket. */
  WEB_SOCKETS("WebSockets", true),

  /** An event stream for what the server sends, and a POST for each message of the client. */
  SERVER_SENT_EVENTS("ServerSentEvents", false),

  /** Requests that wait for what the server sends, and a POST for each message of the client. */
  LONG_POLLING("LongPolling", true);

  private final String wireName;
  private final boolean carriesBinary;

  TransportType(String wireName, boolean carriesBinary) {
    this.wireName = wireName;
    this.carriesBinary = carriesBinary;
  }

  /** Returns the name in a negotiation's answer. */
  public String wireName() {
    return wireName;
  }

  /** Returns whether it carries {@code format}. */
  public boolean carries(TransferFormat format) {
    return carriesBinary || format == TransferFormat.TEXT;
  }
}
