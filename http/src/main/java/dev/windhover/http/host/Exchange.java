package dev.windhover.http.host;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.Limit;
import dev.windhover.http.User;
import java.io.InputStream;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request and the means to answer it, as a host provides them.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Exchange {
  /** Returns the request's name in logs, which is unique within the process. */
  String id();

  /** Returns the request's method, as it was sent. */
  String method();

  /** Returns the request's target, as it was sent: path and query, or {@code *}. */
  String target();

  /** Returns {@code http} or {@code https}. */
  String scheme();

  /** Returns the HTTP version of the request. */
  HttpVersion version();

  /** Returns the request's headers. */
  Headers headers();

  /** Returns the connection on which the request arrived. */
  Connection connection();

  /**
   * A known proxy says that this is a request of {@code client}: it counts for that client in
   * limits per address, until it ends, and so does the socket that it may become. A host without
   * such limits ignores this.
   *
   * @throws dev.windhover.http.HttpException 503 if that client has too many requests
   */
  default void onBehalfOf(InetAddress client) {}

  /** Returns the user, if the host itself knows who has sent the request, or null. */
  default @Nullable User user() {
    return null;
  }

  /** Returns the request's body. Reading blocks, so it must not happen on the loop. */
  InputStream body();

  /**
   * Limits how many bytes of the body may be read; reading more fails with {@link
   * dev.windhover.http.HttpException} 413. A host without such a limit ignores this.
   *
   * @throws IllegalStateException if reading has begun
   */
  default void maxBodySize(long bytes) {}

  /** Returns how many bytes of the body may be read at most. */
  default long maxBodySize() {
    return Long.MAX_VALUE;
  }

  /** Returns the trailer fields after the body; empty until the body was read to its end. */
  default Headers trailers() {
    return new Headers();
  }

  /** Returns the offer to take the connection over, or null if the request makes no such offer. */
  @Nullable Upgrade upgrade();

  /**
   * Begins the response and returns the sink of its body. Called once, on the loop. {@link
   * Sink#end()} ends the response and with it the exchange. The response to HEAD, which may have a
   * length all the same, and responses with status 204, 205 and 304 have no body (RFC 9110 6.4.1):
   * their sink may only be ended.
   *
   * <p>If the client is gone, the sink is not open and drops what it is given. If the client goes
   * away later, the sink's {@linkplain Sink#mark mark} runs once more, so that nothing waits for
   * room any longer.
   *
   * @param headers all headers but {@code Content-Length}; the host does not use this object after
   *     this method has returned
   * @param contentLength the length of the body in bytes, for {@code Content-Length}; -1 if it is
   *     not known, or must not be sent (204, 304, HEAD)
   */
  Sink respond(int status, Headers headers, long contentLength);

  /**
   * Drops the connection (over HTTP/2, the stream), so that no client takes the response for
   * complete, whether or not it has begun. From any thread.
   */
  void abort();

  /** Returns a future that completes when the client is gone, and never exceptionally. */
  CompletableFuture<Void> aborted();

  /**
   * Sets who is told, on the loop, if the host ends this request because a limit of all requests
   * together is reached. A host without such a limit ignores this.
   */
  default void onLimit(Consumer<Limit> listener) {}

  /**
   * Returns why nothing more can be sent to the client, for the exceptions of those who try. From
   * any thread; it has a meaning once the client is gone.
   */
  default String whyAborted() {
    return "the client ended the connection";
  }

  /** Returns the loop on which this exchange's connection lives. */
  Loop loop();

  /** Returns the host's memory budget, in which whatever outlives the request is to be counted. */
  default MemoryBudget memory() {
    return MemoryBudget.unlimited();
  }

  /** Runs {@code task} on a new virtual thread, which may block. */
  Thread start(Runnable task);
}
