package dev.windhover.http.host;

import dev.windhover.http.Headers;
import java.util.function.Function;

/**
 * The offer of a host to hand a request's connection over: HTTP/1.1's upgrade (RFC 9110 7.8) or
 * HTTP/2's extended CONNECT (RFC 8441).
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Upgrade {
  /** Returns whether this is an extended CONNECT, answered with 2xx rather than 101. */
  boolean isExtendedConnect();

  /**
   * Answers the request with {@code status} and {@code headers}, and delivers everything that
   * follows it on the connection to the receiver that {@code attach} returns, starting with the
   * bytes that are here already. Callable from any thread, once, before the response began; {@code
   * attach} is called at once, on the calling thread. A connection that is gone is told through
   * {@link Duplex.Receiver#onLost}.
   *
   * @param status 101, or with extended CONNECT one of 200–299
   * @throws IllegalStateException if the response has begun
   * @throws dev.windhover.http.HttpException 503 if the host has no room for another one; the
   *     request is still to be answered
   */
  void accept(int status, Headers headers, Function<Duplex, Duplex.Receiver> attach);
}
