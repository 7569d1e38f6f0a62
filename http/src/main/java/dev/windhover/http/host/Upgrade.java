package dev.windhover.http.host;

import dev.windhover.http.Headers;
import java.util.function.Supplier;

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
   * Answers the request with {@code status} and {@code headers}, then opens the {@link Duplex} for
   * {@code receiver}, and delivers everything that follows the request on the connection to it,
   * starting with the bytes that are here already. Nothing can be sent before the answer, since the
   * duplex does not exist before. Callable from any thread, once, before the response began; the
   * receiver is called on the loop, perhaps before this returns if that is the calling thread. A
   * connection that is gone is told through {@link Duplex.Receiver#onLost}.
   *
   * @param status 101, or with extended CONNECT one of 200–299
   * @param headers asked for at once, on the calling thread, if there is room for the connection;
   *     what it throws, this throws, and the request is still to be answered
   * @throws IllegalStateException if the response has begun
   * @throws dev.windhover.http.HttpException 503 if the host has no room for another one; the
   *     request is still to be answered
   */
  void accept(int status, Supplier<Headers> headers, Duplex.Receiver receiver);
}
