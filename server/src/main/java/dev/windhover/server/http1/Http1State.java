package dev.windhover.server.http1;

/**
 * The states of an HTTP/1.1 connection, and every transition between them: {@link #on} is the whole
 * table. The diagram in {@code ARCHITECTURE.md} is generated from it.
 *
 * <p>Whether the client has ended its side is not part of it, because a client may do so at any
 * time and still read the response.
 */
public enum Http1State {
  /** A request is due: the first one, or the one after the last exchange. */
  AWAITING_REQUEST,
  /** A request is being answered. */
  EXCHANGE,
  /** The response is complete, and the rest of the request's body is read and dropped. */
  DISCARDING,
  /** The exchange is over. The next one begins when everything that was read has been handled. */
  ANSWERED,
  /** The exchange is over. The connection closes when everything that was read was handled. */
  LAST_ANSWERED,
  /** The next request waits until the client has taken more of the responses before it. */
  AWAITING_ROOM,
  /** No request is accepted any more; what was written is still leaving. */
  CLOSING,
  /** We have ended our side and wait for the client to end its own (RFC 9112 9.6). */
  LINGERING,
  /** A socket, or HTTP/2, has taken the connection over. */
  UPGRADED,
  /** The connection has ended. */
  CLOSED;

  /** What can happen to a connection. */
  public enum Event {
    /** The head of a request was read. */
    REQUESTED,
    /** The response is complete, but the request's body is not. */
    LEFT_BODY,
    /** Request and response are complete, and another request may follow. */
    COMPLETED,
    /** The exchange is over, and no other may follow. */
    COMPLETED_LAST,
    /** The client has to take responses before its next request is looked at. */
    BLOCKED,
    /** The next request may begin. */
    CONTINUED,
    /** The connection was handed over. */
    UPGRADED,
    /** We close: after a refusal or the last response, or because no request came. */
    CLOSE_BEGAN,
    /** Everything that was written has left, and so has the end of our side. */
    OUTPUT_ENDED,
    /** The connection ended, in order or not. */
    CONNECTION_ENDED
  }

  /**
   * Returns the state after {@code event}.
   *
   * @throws IllegalStateException if the event cannot happen in this state
   */
  public Http1State on(Event event) {
    return switch (this) {
      case AWAITING_REQUEST ->
          switch (event) {
            case REQUESTED -> EXCHANGE;
            case UPGRADED -> UPGRADED;
            case CLOSE_BEGAN -> CLOSING;
            case CONNECTION_ENDED -> CLOSED;
            case LEFT_BODY, COMPLETED, COMPLETED_LAST, BLOCKED -> throw impossible(event);
            case CONTINUED, OUTPUT_ENDED -> throw impossible(event);
          };
      case EXCHANGE ->
          switch (event) {
            case LEFT_BODY -> DISCARDING;
            case COMPLETED -> ANSWERED;
            case COMPLETED_LAST -> LAST_ANSWERED;
            case UPGRADED -> UPGRADED;
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, BLOCKED, CONTINUED, CLOSE_BEGAN -> throw impossible(event);
            case OUTPUT_ENDED -> throw impossible(event);
          };
      case DISCARDING ->
          switch (event) {
            case COMPLETED -> ANSWERED;
            case COMPLETED_LAST -> LAST_ANSWERED;
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, LEFT_BODY, BLOCKED, CONTINUED, UPGRADED -> throw impossible(event);
            case CLOSE_BEGAN, OUTPUT_ENDED -> throw impossible(event);
          };
      case ANSWERED ->
          switch (event) {
            case BLOCKED -> AWAITING_ROOM;
            case CONTINUED -> AWAITING_REQUEST;
            case CLOSE_BEGAN -> CLOSING;
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, LEFT_BODY, COMPLETED, COMPLETED_LAST -> throw impossible(event);
            case UPGRADED, OUTPUT_ENDED -> throw impossible(event);
          };
      case LAST_ANSWERED ->
          switch (event) {
            case CLOSE_BEGAN -> CLOSING;
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, LEFT_BODY, COMPLETED, COMPLETED_LAST -> throw impossible(event);
            case BLOCKED, CONTINUED, UPGRADED, OUTPUT_ENDED -> throw impossible(event);
          };
      case AWAITING_ROOM ->
          switch (event) {
            case CONTINUED -> AWAITING_REQUEST;
            case CLOSE_BEGAN -> CLOSING;
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, LEFT_BODY, COMPLETED, COMPLETED_LAST -> throw impossible(event);
            case BLOCKED, UPGRADED, OUTPUT_ENDED -> throw impossible(event);
          };
      case CLOSING ->
          switch (event) {
            case OUTPUT_ENDED -> LINGERING;
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, LEFT_BODY, COMPLETED, COMPLETED_LAST -> throw impossible(event);
            case BLOCKED, CONTINUED, UPGRADED, CLOSE_BEGAN -> throw impossible(event);
          };
      case LINGERING ->
          switch (event) {
            case CONNECTION_ENDED -> CLOSED;
            case REQUESTED, LEFT_BODY, COMPLETED, COMPLETED_LAST -> throw impossible(event);
            case BLOCKED, CONTINUED, UPGRADED, CLOSE_BEGAN, OUTPUT_ENDED -> throw impossible(event);
          };
      case UPGRADED, CLOSED -> throw impossible(event);
    };
  }

  private IllegalStateException impossible(Event event) {
    return new IllegalStateException(event + " in state " + this);
  }

  /** Returns whether nothing that the client still sends is looked at. */
  boolean isClosing() {
    return this == CLOSING || this == LINGERING || this == CLOSED;
  }

  /** Returns whether nothing more can happen. */
  public boolean isTerminal() {
    return this == UPGRADED || this == CLOSED;
  }
}
