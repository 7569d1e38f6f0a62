package dev.windhover.server.exchange;

/**
 * The states of a request's answer, over any version of HTTP, and every transition between them:
 * {@link #on} is the whole table. The diagram in {@code ARCHITECTURE.md} is generated from it.
 *
 * <p>The loss of the client is not part of it: a handler that does not know of it yet still
 * answers, and what it writes is dropped.
 */
public enum ExchangeState {
  /** The request is not answered yet. */
  PENDING,
  /** The response has begun. */
  RESPONDING,
  /** The response is complete; some of it may still be leaving. */
  COMPLETE,
  /** The upgrade was accepted, and its answer is not written yet. */
  UPGRADING,
  /** The connection, or the stream, is a socket. */
  UPGRADED,
  /** The connection, or the stream, was dropped before there was a complete answer. */
  ABORTED;

  /** What can happen to an answer. */
  public enum Event {
    /** The handler began a response. */
    RESPONDED,
    /** The handler ended the response. */
    ENDED,
    /** The handler accepted the upgrade. */
    ACCEPTED,
    /** The answer to the upgrade was written, and the socket opened. */
    UPGRADED,
    /** The handler dropped the request, or the client was gone before the upgrade. */
    ABORTED
  }

  /**
   * Returns the state after {@code event}. What a handler does with a request that was dropped, or
   * drops after its end, changes nothing.
   *
   * @throws IllegalStateException if the event cannot happen in this state
   */
  public ExchangeState on(Event event) {
    return switch (this) {
      case PENDING ->
          switch (event) {
            case RESPONDED -> RESPONDING;
            case ACCEPTED -> UPGRADING;
            case ABORTED -> ABORTED;
            case ENDED, UPGRADED -> throw impossible(event);
          };
      case RESPONDING ->
          switch (event) {
            case ENDED -> COMPLETE;
            case ABORTED -> ABORTED;
            case RESPONDED, ACCEPTED -> throw started();
            case UPGRADED -> throw impossible(event);
          };
      case COMPLETE ->
          switch (event) {
            case ENDED, ABORTED -> COMPLETE;
            case RESPONDED, ACCEPTED -> throw started();
            case UPGRADED -> throw impossible(event);
          };
      case UPGRADING ->
          switch (event) {
            case UPGRADED -> UPGRADED;
            case ABORTED -> ABORTED;
            case RESPONDED, ACCEPTED -> throw started();
            case ENDED -> throw impossible(event);
          };
      case UPGRADED ->
          switch (event) {
            case ABORTED -> UPGRADED;
            case RESPONDED, ACCEPTED -> throw started();
            case ENDED, UPGRADED -> throw impossible(event);
          };
      case ABORTED ->
          switch (event) {
            case RESPONDED, ENDED, ACCEPTED, ABORTED -> ABORTED;
            case UPGRADED -> throw impossible(event);
          };
    };
  }

  private static IllegalStateException started() {
    return new IllegalStateException("the response has started");
  }

  private IllegalStateException impossible(Event event) {
    return new IllegalStateException(event + " in state " + this);
  }

  /** Returns whether the handler has nothing more to do with the answer. */
  public boolean isTerminal() {
    return this == COMPLETE || this == UPGRADED || this == ABORTED;
  }
}
