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
 * One request and everything that belongs to it. Lives until its response, or its socket, has
 * ended; used by one thread at a time, except {@link #aborted()}, {@link #abort()} and {@link
 * #id()}.
 */
public abstract sealed class HttpContext permits HostedContext {
  private final Application application;
  private final Exchange exchange;
  private final HttpRequest request;
  private final HttpResponse response;
  private final Router.Match<?> match;
  private final Map<String, Object> items = new HashMap<>(4);

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

  /** Returns what names this request in logs, unique within the process. */
  public String id() {
    return exchange.id();
  }

  /** Returns the application that answers this request. */
  public Application application() {
    return application;
  }

  /** Returns what the client asked. */
  public HttpRequest request() {
    return request;
  }

  /** Returns the answer. */
  public HttpResponse response() {
    return response;
  }

  /** Returns the connection that the request came on. */
  public Connection connection() {
    return connection == null ? exchange.connection() : connection;
  }

  /** Says what the connection is in truth, as middleware knows it from a proxy. */
  public void connection(Connection connection) {
    this.connection = Objects.requireNonNull(connection);
  }

  /** Returns the path of the route that matched, with its parameters' names; null if none did. */
  public @Nullable String route() {
    return match.route();
  }

  /** Returns what middleware and handlers share during this request. */
  public Map<String, Object> items() {
    return items;
  }

  /** Returns who the client is, as middleware found out, or null. */
  public @Nullable Principal user() {
    return user;
  }

  /** Says who the client is. */
  public void user(@Nullable Principal user) {
    this.user = user;
  }

  /** Returns the WebSocket side of this request. */
  public abstract WebSocketManager webSockets();

  /**
   * Returns a future that completes, on the connection's loop, when the client is gone. It never
   * completes exceptionally; for a request that ends well, never at all.
   */
  public CompletableFuture<Void> aborted() {
    return exchange.aborted();
  }

  /**
   * Interrupts the calling thread, the handler's, when the client is gone while it runs.
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

  /** Drops the connection (or the stream), so that nobody takes the response for complete. */
  public void abort() {
    response.aborted();
    exchange.abort();
  }

  /** Returns whether the request became a socket. */
  public abstract boolean isUpgraded();

  /** Returns the host's time of day; in tests, that of the clock moved by hand. */
  public Instant now() {
    return exchange.loop().now();
  }

  /** Returns the host's time in nanoseconds, of no fixed origin: for durations. */
  public long nanoTime() {
    return exchange.loop().nanoTime();
  }

  /** Runs {@code task} on a thread of its own that may block. */
  void start(Runnable task) {
    exchange.start(task);
  }

  /** Returns the request as its host sees it. */
  Exchange exchange() {
    return exchange;
  }

  /** Returns what answers the request in place of the response, or null. */
  abstract @Nullable Takeover takeover();

  /**
   * Returns the methods that the path has, if a route fits it but none for the request's method.
   */
  Set<String> allowedMethods() {
    return match.allowed();
  }
}
