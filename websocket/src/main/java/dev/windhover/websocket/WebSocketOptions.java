package dev.windhover.websocket;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The settings of {@link WebSockets}, with the names of ASP.NET Core's {@code WebSocketOptions}. A
 * method with an argument sets a value and returns this. The middleware copies its options, so
 * later changes have no effect.
 */
public final class WebSocketOptions {
  private Duration keepAliveInterval = Duration.ofMinutes(2); // as in ASP.NET Core
  private Duration keepAliveTimeout = Duration.ofSeconds(20); // as for Kestrel's HTTP/2 PING
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
   * minutes by default, as in ASP.NET Core. Many proxies cut connections that are quiet for 60 s,
   * so choose a shorter interval behind a proxy.
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
   * Aborts a socket if there was no sign of life for this long after a Ping has arrived: after the
   * peer's side has acknowledged it, with everything that was queued before it. Signs of life are
   * bytes that come, and bytes of ours that are acknowledged. Until the Ping has arrived, {@link
   * WebSocketLimits#writeStallTimeout} applies instead. Whether it has is looked at four times
   * within this limit, so a socket may live up to a quarter longer. 20 s by default. With zero, the
   * server does not wait for Pongs: at every interval it sends an unsolicited Pong instead of a
   * Ping.
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
   * Allows only these origins; a handshake from a page of another origin is answered with 403.
   * Until this or {@link #sameOrigin} is called, every origin is allowed, as in ASP.NET Core. A
   * request without {@code Origin} does not come from a page in a browser and is allowed.
   *
   * @param origins {@code https://example.com}, {@code https://example.com:8443}, {@code
   *     https://*.example.com} for all subdomains, or {@code *} for all
   * @throws IllegalArgumentException if one has no scheme, or has a path
   */
  public WebSocketOptions allowedOrigins(String... origins) {
    for (String origin : Objects.requireNonNull(origins, "origins")) {
      OriginPolicy.requireWellFormed(origin);
      allowedOrigins.add(origin);
    }
    return this;
  }

  /**
   * Forgets the origins of {@link #allowedOrigins} and {@link #sameOrigin}: every origin is allowed
   * until one of them is called again.
   */
  public WebSocketOptions resetOrigins() {
    allowedOrigins.clear();
    sameOrigin = false;
    allowedHosts.clear();
    return this;
  }

  /** Returns the allowed origins; empty if none were set. */
  public List<String> allowedOrigins() {
    return List.copyOf(allowedOrigins);
  }

  /**
   * Allows pages with the same scheme, host and port as the request. The allowed hosts must be
   * known, because a page under an attacker's name that points at this server (DNS rebinding) has
   * the same origin too. Behind a proxy that terminates TLS, {@link
   * dev.windhover.http.middleware.ForwardedHeaders} sets the scheme.
   *
   * @param hosts the names of this server, such as {@code example.com} or {@code localhost},
   *     without a port. May be empty if {@link dev.windhover.http.middleware.HostFiltering} comes
   *     before the WebSocket middleware; otherwise adding the middleware fails with {@link
   *     IllegalStateException}
   */
  public WebSocketOptions sameOrigin(String... hosts) {
    allowedHosts.addAll(List.of(Objects.requireNonNull(hosts, "hosts")));
    sameOrigin = true;
    return this;
  }

  /** Returns whether pages of the same origin are allowed. */
  public boolean isSameOrigin() {
    return sameOrigin;
  }

  /** Returns the hosts for {@link #sameOrigin}; empty if host filtering decides. */
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
