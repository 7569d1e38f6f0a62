package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.websocket.WebSocketManager;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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
  private @Nullable User user;
  private List<String> challenges = List.of(); // most requests have none

  HttpContext(
      Application application, Exchange exchange, RequestTarget target, Router.Match<?> match) {
    this.application = application;
    this.exchange = exchange;
    this.request = new HttpRequest(exchange, target, match.parameters());
    this.response = new HttpResponse(exchange);
    this.match = match;
    this.user = exchange.user();
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
    this.connection = Objects.requireNonNull(connection, "connection");
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

  /** Returns the user, if a step of the pipeline has identified one, or null. */
  public @Nullable User user() {
    return user;
  }

  /** Sets the user; null for none. */
  public void user(@Nullable User user) {
    this.user = user;
  }

  /**
   * Says how a client may authenticate, for the answer 401 to a request without a user.
   *
   * @param challenge one challenge of the header {@code WWW-Authenticate} (RFC 9110 11.6.1), such
   *     as {@code Bearer realm="chat"}
   */
  public void challenge(String challenge) {
    List<String> more = new ArrayList<>(challenges);
    more.add(Objects.requireNonNull(challenge, "challenge"));
    challenges = more;
  }

  /** Returns how a client may authenticate; see {@link #challenge}. */
  public List<String> challenges() {
    return List.copyOf(challenges);
  }

  /**
   * Returns the user.
   *
   * @throws HttpException 401 if there is none, with the challenges of the pipeline's steps
   * @throws IllegalStateException if there is none, and no step has said how to authenticate
   */
  public User requireUser() {
    User known = user;
    if (known != null) {
      return known;
    }
    if (challenges.isEmpty()) { // a 401 must have a challenge (RFC 9110 15.5.2)
      throw new IllegalStateException(
          "the request has no user, and no step says how to authenticate: call useAuthentication(…)"
              + " before, or context.challenge(…) in a step of your own");
    }
    Headers headers = new Headers();
    challenges.forEach(challenge -> headers.add("WWW-Authenticate", challenge));
    throw new HttpException(401, "authentication required", headers);
  }

  /**
   * Returns the user, who has at least one of these roles.
   *
   * @throws HttpException 401 if there is no user, as in {@link #requireUser()}; 403 if the user
   *     has none of the roles
   * @throws IllegalArgumentException if no role is given
   */
  public User requireRole(String... anyOf) {
    String[] roles = requireRoles(anyOf);
    User known = requireUser();
    for (String role : roles) {
      if (known.hasRole(role)) {
        return known;
      }
    }
    throw new HttpException(403, "role " + String.join(" or ", roles) + " required");
  }

  static String[] requireRoles(String... anyOf) {
    if (anyOf.length == 0) {
      throw new IllegalArgumentException("requireRole needs a role; for any user, see requireUser");
    }
    return anyOf;
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
