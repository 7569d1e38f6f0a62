package dev.windhover.http.host;

import dev.windhover.http.Headers;

/**
 * The offer of a host to hand a request's connection over: HTTP/1.1's upgrade (RFC 9110 7.8) or
 * HTTP/2's extended CONNECT (RFC 8441).
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Upgrade {
  /** Returns whether this is an extended CONNECT, answered with 2xx rather than 101. */
  boolean isExtendedConnect();

  /** Returns the thread on which the connection lives. */
  Loop loop();

  /**
   * Makes sure that there is room for another upgraded connection: after this, {@link #accept} does
   * not fail for want of it. Returned by itself if the request gets a response, or is aborted. From
   * the handler's thread; {@code accept} does the same if this was not called.
   *
   * @throws dev.windhover.http.HttpException 503 if the host has no room for another one; the
   *     request is still to be answered
   */
  default void reserve() {}

  /**
   * Answers the request with {@code status} and {@code headers}, then opens the {@link Duplex} for
   * {@code receiver}, and delivers everything that follows the request on the connection to it,
   * starting with the bytes that are here already. Nothing can be sent before the answer, since the
   * duplex does not exist before. Callable from any thread, once, before the response began; the
   * receiver is called on the loop, perhaps before this returns if that is the calling thread. A
   * connection that is gone is told through {@link Duplex.Receiver#onLost}.
   *
   * @param status 101, or with extended CONNECT one of 200–299
   * @param headers not to be changed any more
   * @throws IllegalStateException if the response has begun
   * @throws dev.windhover.http.HttpException 503 if the host has no room for another one; the
   *     request is still to be answered
   */
  void accept(int status, Headers headers, Duplex.Receiver receiver);
}
