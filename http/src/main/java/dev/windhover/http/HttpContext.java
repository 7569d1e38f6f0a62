package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.websocket.WebSocketManager;
import java.security.Principal;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One request and everything that belongs to it. It lives until its response or its socket has
 * ended. Only one thread may use it at a time, except for {@link #aborted()}, {@link #abort()} and
 * {@link #id()}, which any thread may call.
 */
public abstract sealed class HttpContext permits HostedContext {
  private final Application application;
  private final Exchange exchange;
  private final HttpRequest request;
  private final HttpResponse response;
  private final Router.Match<?> match;
  private final Map<String, Object> items = new HashMap<>(4);

  private volatile @Nullable CompletableFuture<Void> aborted;
  private @Nullable Connection connection;
  private @Nullable Principal user;

  HttpContext(
      Application application, Exchange exchange, RequestTarget target, Router.Match<?> match) {
    this.application = application;
    this.exchange = exchange;
    this.request = new HttpRequest(exchange, target, match.parameters());
    this.response = new HttpResponse(exchange);
    this.match = match;
  }

  /** Returns the request's name in logs, which is unique within the process. */
  public String id() {
    return exchange.id();
  }

  /** Returns the application that answers this request. */
  public Application application() {
    return application;
  }

  /** Returns the client's request. */
  public HttpRequest request() {
    return request;
  }

  /** Returns the response. */
  public HttpResponse response() {
    return response;
  }

  /** Returns the connection on which the request arrived. */
  public Connection connection() {
    return connection == null ? exchange.connection() : connection;
  }

  /** Replaces the connection, when middleware knows the real client from a proxy. */
  public void connection(Connection connection) {
    this.connection = Objects.requireNonNull(connection);
  }

  /**
   * Returns the path of the route that matched, as it was mapped, for example {@code /chat/{room}};
   * null if no route matched.
   */
  public @Nullable String route() {
    return match.route();
  }

  /** Returns a map for values that middleware and handlers share during this request. */
  public Map<String, Object> items() {
    return items;
  }

  /** Returns the user, if middleware has identified one, or null. */
  public @Nullable Principal user() {
    return user;
  }

  /** Sets the user; null for none. */
  public void user(@Nullable Principal user) {
    this.user = user;
  }

  /** Returns the WebSocket side of this request. */
  public abstract WebSocketManager webSockets();

  /**
   * Returns a future that completes, on the connection's loop, when the client is gone. It never
   * completes exceptionally, and if the request ends normally, it never completes at all. Only the
   * host completes it: its own methods for that throw {@link UnsupportedOperationException}.
   */
  public CompletableFuture<Void> aborted() {
    CompletableFuture<Void> known = aborted;
    if (known == null) { // two threads may make one each
      known = ReadOnlyFuture.of(exchange.aborted());
      aborted = known;
    }
    return known;
  }

  /**
   * Interrupts the calling thread, which must be the handler's, if the client goes away while the
   * handler runs.
   *
   * @throws IllegalStateException on the connection's loop
   */
  public void interruptWhenAborted() {
    if (exchange.loop().inLoop()) {
      throw new IllegalStateException("a non-blocking handler cannot be interrupted");
    }
    Thread handler = Thread.currentThread();
    CompletableFuture<Void> interrupt = exchange.aborted().thenRun(handler::interrupt);
    response.onCompleted(() -> interrupt.cancel(false));
  }

  /**
   * Drops the connection (over HTTP/2, the stream), so that no client takes the response for
   * complete.
   */
  public void abort() {
    response.aborted();
    exchange.abort();
  }

  /** Returns whether the request became a socket. */
  public abstract boolean isUpgraded();

  /** Returns the host's time of day; in tests, the time of the clock that the test moves. */
  public Instant now() {
    return exchange.loop().now();
  }

  /** Returns the host's time in nanoseconds since an arbitrary origin, to measure durations. */
  public long nanoTime() {
    return exchange.loop().nanoTime();
  }

  /** Runs {@code task} on a new thread, which may block. */
  void start(Runnable task) {
    exchange.start(task);
  }

  /** Returns the request as its host sees it. */
  Exchange exchange() {
    return exchange;
  }

  /** Returns what continues the request in place of its response, or null. */
  abstract @Nullable Takeover takeover();

  /** Returns the path's methods if none of them is the request's; otherwise empty. */
  Set<String> allowedMethods() {
    return match.allowed();
  }
}
