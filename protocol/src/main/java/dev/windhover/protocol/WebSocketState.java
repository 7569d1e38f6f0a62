package dev.windhover.protocol;

/**
 * The states of a connection, and every transition between them: {@link #on} is the whole table.
 * The diagram in {@code ARCHITECTURE.md} is generated from it.
 */
public enum WebSocketState {
  /** The opening handshake is not finished. */
  CONNECTING,
  /** Messages flow in both directions. */
  OPEN,
  /** We have sent a Close and wait for the peer's; its messages may still come. */
  CLOSE_SENT,
  /** The peer has sent a Close and waits for ours; we may still send messages. */
  CLOSE_RECEIVED,
  /** Both Closes have been exchanged: the closing handshake is complete (RFC 6455 7.1.4). */
  CLOSED,
  /** The connection ended without a complete closing handshake. */
  ABORTED;

  /** What can happen to a connection. */
  public enum Event {
    /** The opening handshake succeeded. */
    OPENED,
    /** Our Close was sent. */
    SENT_CLOSE,
    /** The peer's Close was read and has taken effect. */
    RECEIVED_CLOSE,
    /** The transport ended or was lost, or we dropped it. */
    CONNECTION_ENDED
  }

  /**
   * Returns the state after {@code event}. An event that has no meaning in this state changes
   * nothing.
   */
  public WebSocketState on(Event event) {
    return switch (this) {
      case CONNECTING ->
          switch (event) {
            case OPENED -> OPEN;
            case SENT_CLOSE, RECEIVED_CLOSE -> CONNECTING;
            case CONNECTION_ENDED -> ABORTED;
          };
      case OPEN ->
          switch (event) {
            case OPENED -> OPEN;
            case SENT_CLOSE -> CLOSE_SENT;
            case RECEIVED_CLOSE -> CLOSE_RECEIVED;
            case CONNECTION_ENDED -> ABORTED;
          };
      case CLOSE_SENT ->
          switch (event) {
            case OPENED, SENT_CLOSE -> CLOSE_SENT;
            case RECEIVED_CLOSE -> CLOSED;
            case CONNECTION_ENDED -> ABORTED;
          };
      case CLOSE_RECEIVED ->
          switch (event) {
            case OPENED, RECEIVED_CLOSE -> CLOSE_RECEIVED;
            case SENT_CLOSE -> CLOSED;
            case CONNECTION_ENDED -> ABORTED;
          };
      case CLOSED ->
          switch (event) {
            case OPENED, SENT_CLOSE, RECEIVED_CLOSE, CONNECTION_ENDED -> CLOSED;
          };
      case ABORTED ->
          switch (event) {
            case OPENED, SENT_CLOSE, RECEIVED_CLOSE, CONNECTION_ENDED -> ABORTED;
          };
    };
  }

  /** Returns whether messages may be sent: we have not sent a Close (5.5.1). */
  public boolean canSend() {
    return this == OPEN || this == CLOSE_RECEIVED;
  }

  /** Returns whether messages may still come: no Close of the peer has taken effect. */
  public boolean canReceive() {
    return this == OPEN || this == CLOSE_SENT;
  }

  /** Returns whether nothing more can happen. */
  public boolean isTerminal() {
    return this == CLOSED || this == ABORTED;
  }
}
