package dev.windhover.hubs.connections;

import dev.windhover.http.websocket.WebSocketAcceptContext;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How an endpoint treats its connections. A method with an argument sets a value and returns this;
 * the method without an argument returns the value. An endpoint takes a copy. Names and defaults
 * are those of ASP.NET Core's {@code HttpConnectionDispatcherOptions}, where it has them.
 */
public final class ConnectionOptions {
  private static final int BUFFER_BYTES = 64 * 1024;

  private Set<TransportType> transports = EnumSet.allOf(TransportType.class);
  private int applicationMaxBufferSize = BUFFER_BYTES;
  private int transportMaxBufferSize = BUFFER_BYTES;
  private Duration pollTimeout = Duration.ofSeconds(90);
  private Duration disconnectTimeout = Duration.ofSeconds(15);
  private Duration transportSendTimeout = Duration.ofSeconds(10);
  private Duration drainTime = Duration.ofSeconds(5);
  private int minimumProtocolVersion;
  private boolean closeOnAuthenticationExpiration;
  private boolean allowStatefulReconnects;
  private int maxUnfinishedNegotiations = 1_000;
  private boolean requiresUser;
  private String[] roles = {};
  private String connectionIdPrefix = "";
  private @Nullable NegotiationHandler onNegotiate;
  private final WebSocketAcceptContext webSockets;

  /** Creates options with the defaults. */
  public ConnectionOptions() {
    // A Python client takes a Ping's payload for a message; a hub's own pings keep it alive.
    webSockets =
        new WebSocketAcceptContext()
            .keepAliveInterval(Duration.ZERO)
            .keepAliveTimeout(Duration.ZERO)
            .closeTimeout(Duration.ofSeconds(5));
  }

  ConnectionOptions(ConnectionOptions other) {
    transports = other.transports;
    applicationMaxBufferSize = other.applicationMaxBufferSize;
    transportMaxBufferSize = other.transportMaxBufferSize;
    pollTimeout = other.pollTimeout;
    disconnectTimeout = other.disconnectTimeout;
    transportSendTimeout = other.transportSendTimeout;
    drainTime = other.drainTime;
    minimumProtocolVersion = other.minimumProtocolVersion;
    closeOnAuthenticationExpiration = other.closeOnAuthenticationExpiration;
    allowStatefulReconnects = other.allowStatefulReconnects;
    maxUnfinishedNegotiations = other.maxUnfinishedNegotiations;
    connectionIdPrefix = other.connectionIdPrefix;
    onNegotiate = other.onNegotiate;
    roles = other.roles;
    requiresUser = other.requiresUser;
    webSockets = new WebSocketAcceptContext(other.webSockets);
  }

  /**
   * Sets which transports clients may use; all by default. WebSockets are offered only where the
   * application uses them.
   *
   * @throws IllegalArgumentException if there is none
   */
  public ConnectionOptions transports(Set<TransportType> transports) {
    if (transports.isEmpty()) {
      throw new IllegalArgumentException("an endpoint needs a transport");
    }
    this.transports = EnumSet.copyOf(transports);
    return this;
  }

  /** Returns the transports that clients may use. */
  public Set<TransportType> transports() {
    return EnumSet.copyOf(transports);
  }

  /**
   * Sets how much of what a client has posted may wait for the listener. The answer to a POST waits
   * while there is more, until half of it is left. Over a WebSocket nothing waits: a client is not
   * read ahead of its listener.
   *
   * @param bytes 64 KiB by default; 0 for no limit, with which a client can fill the memory
   * @throws IllegalArgumentException if negative
   */
  public ConnectionOptions applicationMaxBufferSize(int bytes) {
    this.applicationMaxBufferSize = notNegative("applicationMaxBufferSize", bytes);
    return this;
  }

  /** Returns the bound in bytes; 0 for none. */
  public int applicationMaxBufferSize() {
    return applicationMaxBufferSize;
  }

  /**
   * Sets how much may wait for a client before {@link ConnectionContext#send} says so; it says that
   * there is room again when half of it is left. What is sent nevertheless waits too, up to the
   * send queue of sockets (1 MiB by default); a client for which more waits is disconnected.
   *
   * @param bytes 64 KiB by default; 0 to be told nothing before that queue is full
   * @throws IllegalArgumentException if negative
   */
  public ConnectionOptions transportMaxBufferSize(int bytes) {
    this.transportMaxBufferSize = notNegative("transportMaxBufferSize", bytes);
    return this;
  }

  /** Returns the bound in bytes; 0 for none. */
  public int transportMaxBufferSize() {
    return transportMaxBufferSize;
  }

  /**
   * Sets how long a poll waits for something to send before it is answered with nothing, and the
   * client polls again. Clients give up after 100 s.
   *
   * @param timeout 90 s by default
   * @throws IllegalArgumentException if not positive
   */
  public ConnectionOptions pollTimeout(Duration timeout) {
    this.pollTimeout = positive("pollTimeout", timeout);
    return this;
  }

  /** Returns how long a poll waits. */
  public Duration pollTimeout() {
    return pollTimeout;
  }

  /**
   * Sets how long a connection without a transport lives: after the negotiation, between polls, and
   * after a loss from which the client may come back. It is looked at once a second.
   *
   * @param timeout 15 s by default
   * @throws IllegalArgumentException if not positive
   */
  public ConnectionOptions disconnectTimeout(Duration timeout) {
    this.disconnectTimeout = positive("disconnectTimeout", timeout);
    return this;
  }

  /** Returns how long a connection without a transport lives. */
  public Duration disconnectTimeout() {
    return disconnectTimeout;
  }

  /**
   * Sets for how long a client may take nothing of what is sent to it, over a WebSocket or an event
   * stream, before it is dropped. What counts is what its side has acknowledged. A client that does
   * not take the answer to its poll does not poll again: {@link #disconnectTimeout} drops it.
   *
   * @param timeout 10 s by default
   * @throws IllegalArgumentException if not positive
   */
  public ConnectionOptions transportSendTimeout(Duration timeout) {
    this.transportSendTimeout = positive("transportSendTimeout", timeout);
    return this;
  }

  /** Returns for how long a client may take nothing. */
  public Duration transportSendTimeout() {
    return transportSendTimeout;
  }

  /**
   * Sets over how long a stop of the application spreads the ends of connections, so that clients
   * do not come back all at once. The host's stop drops what has not ended when its own time limit
   * ({@code stopTimeout}) is reached.
   *
   * @param time 5 s by default; zero for all at once
   * @throws IllegalArgumentException if negative
   */
  public ConnectionOptions drainTime(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("drainTime " + time + " is negative");
    }
    this.drainTime = time;
    return this;
  }

  /** Returns over how long a stop spreads the ends of connections. */
  public Duration drainTime() {
    return drainTime;
  }

  /**
   * Sets the lowest version of the negotiation that clients must ask for.
   *
   * @param version 0 (the default) or 1. In version 0 the id that others may know is the token
   * @throws IllegalArgumentException if it is neither
   */
  public ConnectionOptions minimumProtocolVersion(int version) {
    if (version < 0 || version > 1) {
      throw new IllegalArgumentException("minimumProtocolVersion " + version + " is not 0 or 1");
    }
    this.minimumProtocolVersion = version;
    return this;
  }

  /** Returns the lowest version of the negotiation. */
  public int minimumProtocolVersion() {
    return minimumProtocolVersion;
  }

  /**
   * Closes a connection when its user's authentication {@linkplain
   * dev.windhover.http.User#expiresAt expires}, at most a second later; off by default.
   */
  public ConnectionOptions closeOnAuthenticationExpiration(boolean close) {
    this.closeOnAuthenticationExpiration = close;
    return this;
  }

  /** Returns whether a connection is closed when its user's authentication expires. */
  public boolean closeOnAuthenticationExpiration() {
    return closeOnAuthenticationExpiration;
  }

  /**
   * Lets clients that ask for it come back to their connection after their WebSocket was lost; off
   * by default. What is kept for them meanwhile is the listener's choice.
   */
  public ConnectionOptions allowStatefulReconnects(boolean allow) {
    this.allowStatefulReconnects = allow;
    return this;
  }

  /** Returns whether clients may come back. */
  public boolean allowStatefulReconnects() {
    return allowStatefulReconnects;
  }

  /**
   * Sets how many negotiations may wait for their first transport; a further one is answered with
   * 429 and {@code Retry-After}.
   *
   * @param most 1,000 by default
   * @throws IllegalArgumentException if not positive
   */
  public ConnectionOptions maxUnfinishedNegotiations(int most) {
    if (most <= 0) {
      throw new IllegalArgumentException("maxUnfinishedNegotiations " + most + " is not positive");
    }
    this.maxUnfinishedNegotiations = most;
    return this;
  }

  /** Returns how many negotiations may wait for their first transport. */
  public int maxUnfinishedNegotiations() {
    return maxUnfinishedNegotiations;
  }

  /**
   * Refuses every request without a user, with 401. Unlike that of a {@code RouteGroup}, the answer
   * has no body: clients show its reason phrase.
   */
  public ConnectionOptions requireUser() {
    this.requiresUser = true;
    return this;
  }

  /**
   * As {@link #requireUser()}, and refuses users without any of these roles with 403.
   *
   * @throws IllegalArgumentException if no role is given
   */
  public ConnectionOptions requireRole(String... anyOf) {
    if (anyOf.length == 0) {
      throw new IllegalArgumentException("requireRole needs a role; for any user, see requireUser");
    }
    this.roles = anyOf.clone();
    return requireUser();
  }

  boolean requiresUser() {
    return requiresUser;
  }

  /** Returns the roles of which a user needs one; empty if any user may connect. */
  String[] roles() {
    return roles.clone();
  }

  /** Sets who may answer a negotiation in place of this endpoint; nobody by default. */
  public ConnectionOptions onNegotiate(NegotiationHandler handler) {
    this.onNegotiate = Objects.requireNonNull(handler, "handler");
    return this;
  }

  /** Returns who may answer a negotiation in place of this endpoint, or null. */
  public @Nullable NegotiationHandler onNegotiate() {
    return onNegotiate;
  }

  /**
   * Changes the settings of this endpoint's WebSockets, for example their {@code closeTimeout} (5
   * s) and {@code subprotocolSelector}. Unlike others, they send no Pings and compress nothing,
   * whatever the middleware's options say, and they have no limit on the size of a message: it is
   * delivered in parts.
   */
  public ConnectionOptions webSockets(Consumer<WebSocketAcceptContext> change) {
    change.accept(webSockets);
    return this;
  }

  WebSocketAcceptContext webSockets() {
    return webSockets;
  }

  /**
   * Lets the ids of connections begin with {@code prefix}, so that other servers can tell whose
   * they are. An id stays as hard to guess as without it. That of a client of version 0, which is
   * its secret token as well, does not begin with it. Empty by default.
   *
   * @throws IllegalArgumentException if it has more than 16 characters, or others than letters,
   *     digits, {@code -} and {@code _}
   */
  public ConnectionOptions connectionIdPrefix(String prefix) {
    if (!prefix.matches("[A-Za-z0-9_-]{0,16}")) {
      throw new IllegalArgumentException(
          "connectionIdPrefix '%s' is not up to 16 letters, digits, - and _".formatted(prefix));
    }
    connectionIdPrefix = prefix;
    return this;
  }

  /** Returns what the ids of connections begin with. */
  public String connectionIdPrefix() {
    return connectionIdPrefix;
  }

  private static int notNegative(String name, int bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(name + " " + bytes + " is negative");
    }
    return bytes;
  }

  private static Duration positive(String name, Duration time) {
    if (!time.isPositive()) {
      throw new IllegalArgumentException(name + " " + time + " is not positive");
    }
    return time;
  }
}
