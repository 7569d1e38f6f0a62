package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.host.Upgrade;
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
public final class HttpContext {
  private final Application application;
  private final Exchange exchange;
  private final HttpRequest request;
  private final HttpResponse response;
  private final Router.Match<?> match;
  private final Map<String, Object> items = new HashMap<>(4);

  private @Nullable Connection connection;
  private @Nullable Principal user;
  private @Nullable WebSocketManager webSockets;
  private @Nullable Takeover takeover;

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
  public WebSocketManager webSockets() {
    WebSocketManager manager = webSockets;
    if (manager == null) {
      manager = new NoWebSockets(request);
      webSockets = manager;
    }
    return manager;
  }

  /** Puts a WebSocket implementation under this request, as the middleware does. */
  public void webSockets(WebSocketManager manager) {
    this.webSockets = Objects.requireNonNull(manager);
  }

  /** Returns whether a WebSocket implementation is there already. */
  public boolean hasWebSockets() {
    return webSockets != null && !(webSockets instanceof NoWebSockets);
  }

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

  /** Returns the host's offer to take the connection over, or null if the request makes none. */
  public @Nullable Upgrade upgrade() {
    return exchange.upgrade();
  }

  /**
   * Says that {@code takeover} answers this request through {@link #upgrade()}: from here on the
   * response cannot be changed. Runs what waits on {@link HttpResponse#onStarting}.
   *
   * @throws IllegalStateException if the response has started, or a body was written for it
   */
  public void takeOver(Takeover takeover) {
    response.upgraded(upgradeStatus());
    this.takeover = takeover;
  }

  /**
   * Returns the status that accepts the request's upgrade: 101, or for an extended CONNECT 200
   * unless another of 200–299 was set (RFC 8441 5).
   *
   * @throws IllegalStateException if the status that was set is another
   */
  public int upgradeStatus() {
    Upgrade upgrade = exchange.upgrade();
    return upgrade != null && upgrade.isExtendedConnect() ? response.connectStatus() : 101;
  }

  /** Returns whether the request became a socket. */
  public boolean isUpgraded() {
    return takeover != null;
  }

  /**
   * Returns whether a route matched, and nobody answered: no status, body, upgrade. Headers alone
   * are no answer, since middleware sets some on every response.
   */
  public boolean isUnanswered() {
    return route() != null && takeover == null && response.isUntouched();
  }

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

  @Nullable Takeover takeover() {
    return takeover;
  }

  /**
   * Returns the methods that the path has, if a route fits it but none for the request's method.
   */
  Set<String> allowedMethods() {
    return match.allowed();
  }
}
