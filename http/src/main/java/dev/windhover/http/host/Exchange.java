package dev.windhover.http.host;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One request and the way to answer it, as a host sees them.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Exchange {
  /** Returns what names this request in logs, unique within the process. */
  String id();

  /** Returns the request's method, as it came. */
  String method();

  /** Returns the request's target, as it came: path and query, or {@code *}. */
  String target();

  /** Returns {@code http} or {@code https}. */
  String scheme();

  /** Returns the version that the request came in. */
  HttpVersion version();

  /** Returns the request's headers. */
  Headers headers();

  /** Returns the connection that the request came on. */
  Connection connection();

  /** Returns the request's body; reading blocks, and so must not happen on the loop. */
  InputStream body();

  /**
   * Sets the most bytes that may be read of the body; reading more fails with {@link
   * dev.windhover.http.HttpException} 413. A host without such a limit ignores it.
   *
   * @throws IllegalStateException if reading has begun
   */
  default void maxBodySize(long bytes) {}

  /** Returns the most bytes that may be read of the body. */
  default long maxBodySize() {
    return Long.MAX_VALUE;
  }

  /** Returns the fields that came behind the body; empty before its end was read. */
  default Headers trailers() {
    return new Headers();
  }

  /** Returns the offer to take the connection over, or null if the request makes none. */
  @Nullable Upgrade upgrade();

  /**
   * Begins the response, once, and returns the sink of its body, whose {@link Sink#end()} ends the
   * response and with it the exchange. On the loop. No body follows where HTTP has none: the answer
   * to HEAD, which has the length all the same, and status 204, 205 and 304; then nothing but the
   * end is for the sink.
   *
   * <p>If the client has gone, the sink is not open, and drops what it is given. If it goes later,
   * the sink's {@linkplain Sink#mark mark} runs once more: whoever waits for room need not wait any
   * longer.
   *
   * @param headers all but {@code Content-Length}; must have been used when this returns
   * @param contentLength the length of the body, to be said in {@code Content-Length}; -1 if it is
   *     not known, or not to be said (204, 304, HEAD)
   */
  Sink respond(int status, Headers headers, long contentLength);

  /**
   * Drops the connection (or the stream), so that nobody takes the response for complete, whether
   * it has begun or not; from any thread.
   */
  void abort();

  /** Returns a future that completes when the client is gone; never exceptionally. */
  CompletableFuture<Void> aborted();

  /** Returns the thread on which this exchange's connection lives. */
  Loop loop();

  /** Runs {@code task} on a thread of its own that may block: a virtual one. */
  Thread start(Runnable task);
}
