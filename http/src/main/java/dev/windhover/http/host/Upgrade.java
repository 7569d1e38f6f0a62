package dev.windhover.http.host;

import dev.windhover.http.Headers;

/**
 * A host's offer to hand over a request's connection: HTTP/1.1's upgrade (RFC 9110 7.8) or HTTP/2's
 * extended CONNECT (RFC 8441).
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Upgrade {
  /** Returns whether this is an extended CONNECT, which is accepted with 2xx rather than 101. */
  boolean isExtendedConnect();

  /** Returns the loop on which the connection lives. */
  Loop loop();

  /**
   * Reserves room for another upgraded connection, so that {@link #accept} cannot fail for lack of
   * it. The room is given back if the request gets a response or is aborted. Call this on the
   * handler's thread. {@code accept} does the same if this was not called.
   *
   * @throws dev.windhover.http.HttpException 503 if the host has no room for another upgraded
   *     connection; the request must still be answered
   */
  default void reserve() {}

  /**
   * Answers the request with {@code status} and {@code headers} and then opens the {@link Duplex}
   * for {@code receiver}. The receiver gets everything that follows the request on the connection,
   * starting with the bytes that have already arrived. Nothing can be sent before the answer,
   * because the duplex does not exist before.
   *
   * <p>Any thread may call this, once, before the response has begun. The receiver is called on the
   * loop; if the calling thread is the loop, perhaps before this returns. If the connection is
   * gone, the receiver's {@link Duplex.Receiver#onLost} is called.
   *
   * @param status 101, or for an extended CONNECT 200–299
   * @param headers must not be changed any more
   * @throws IllegalStateException if the response has begun
   * @throws dev.windhover.http.HttpException 503 if the host has no room for another upgraded
   *     connection; the request must still be answered
   */
  void accept(int status, Headers headers, Duplex.Receiver receiver);
}
