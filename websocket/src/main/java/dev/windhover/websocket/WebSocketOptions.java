package dev.windhover.websocket;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The settings of {@link WebSockets}, by the names of ASP.NET Core's {@code WebSocketOptions}. Each
 * method with an argument sets and returns this. Copied when the middleware is made: later changes
 * have no effect.
 */
public final class WebSocketOptions {
  private Duration keepAliveInterval = Duration.ofMinutes(2); // the reference's default
  private Duration keepAliveTimeout = Duration.ofSeconds(20); // HTTP/2 PING's in Kestrel
  private final List<String> allowedOrigins = new ArrayList<>();
  private boolean sameOrigin;
  private final List<String> allowedHosts = new ArrayList<>();
  private WebSocketLimits limits = new WebSocketLimits();

  /** Creates the defaults. */
  public WebSocketOptions() {}

  WebSocketOptions(WebSocketOptions other) {
    keepAliveInterval = other.keepAliveInterval;
    keepAliveTimeout = other.keepAliveTimeout;
    allowedOrigins.addAll(other.allowedOrigins);
    sameOrigin = other.sameOrigin;
    allowedHosts.addAll(other.allowedHosts);
    limits = new WebSocketLimits(other.limits);
  }

  /**
   * Sends a Ping when nothing has come from the peer for this long; zero switches keep-alive off. 2
   * minutes by default, as in the reference; many proxies cut a connection that is quiet for 60 s:
   * behind one, choose less.
   *
   * @throws IllegalArgumentException if negative
   */
  public WebSocketOptions keepAliveInterval(Duration interval) {
    keepAliveInterval = notNegative("keepAliveInterval", interval);
    return this;
  }

  /** Returns the keep-alive interval. */
  public Duration keepAliveInterval() {
    return keepAliveInterval;
  }

  /**
   * Aborts a socket from which nothing has come for this long after a Ping has left; while output
   * waits before it, {@link WebSocketLimits#writeStallTimeout} watches. 20 s by default; with zero
   * no Pong is waited for: an unsolicited Pong goes out every interval instead of a Ping.
   *
   * @throws IllegalArgumentException if negative
   */
  public WebSocketOptions keepAliveTimeout(Duration timeout) {
    keepAliveTimeout = notNegative("keepAliveTimeout", timeout);
    return this;
  }

  /** Returns the keep-alive time limit. */
  public Duration keepAliveTimeout() {
    return keepAliveTimeout;
  }

  /**
   * Allows only these origins; a browser that comes from another gets 403. Until this or {@link
   * #sameOrigin} is called every origin is allowed, as in the reference. A request without {@code
   * Origin} is not from a browser's page and passes.
   *
   * @param origins {@code https://example.com}, {@code https://example.com:8443}, {@code
   *     https://*.example.com} for all subdomains, or {@code *} for all
   * @throws IllegalArgumentException if one has no scheme, or has a path
   */
  public WebSocketOptions allowedOrigins(String... origins) {
    for (String origin : origins) {
      OriginPolicy.requireWellFormed(origin);
      allowedOrigins.add(origin);
    }
    return this;
  }

  /** Returns the allowed origins; empty if none were set. */
  public List<String> allowedOrigins() {
    return List.copyOf(allowedOrigins);
  }

  /**
   * Allows pages of the same scheme, host and port as the request's. The hosts must be known: a
   * page of an attacker's name that was pointed at this server (DNS rebinding) is of the same
   * origin too. Behind a proxy that ends TLS, the scheme is known by {@link
   * dev.windhover.http.middleware.ForwardedHeaders}.
   *
   * @param hosts the names this server goes by, as {@code example.com} or {@code localhost},
   *     without a port; none if {@link dev.windhover.http.middleware.HostFiltering} stands before
   *     the WebSockets, which are otherwise refused there
   */
  public WebSocketOptions sameOrigin(String... hosts) {
    sameOrigin = true;
    allowedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns whether pages of the same origin are allowed. */
  public boolean isSameOrigin() {
    return sameOrigin;
  }

  /** Returns the hosts for {@link #sameOrigin}; empty if those that are filtered will do. */
  public List<String> allowedHosts() {
    return List.copyOf(allowedHosts);
  }

  /** Changes the limits. */
  public WebSocketOptions limits(Consumer<WebSocketLimits> change) {
    change.accept(limits);
    return this;
  }

  /** Returns the limits. */
  public WebSocketLimits limits() {
    return limits;
  }

  private static Duration notNegative(String name, Duration value) {
    if (value.isNegative()) {
      throw new IllegalArgumentException(name + " " + value + " is negative");
    }
    return value;
  }
}
