package dev.windhover.hubs.connections;

import dev.windhover.http.HttpContext;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What the tokens of an endpoint stand for. Any thread. (The map locks one of its bins for the time
 * of a change: a few instructions, and only for requests that negotiate, begin or end.)
 */
final class ConnectionTable {
  private static final Duration LOOK = Duration.ofSeconds(1);

  private final ConnectionEndpoint endpoint;
  private final ConnectionOptions options;
  private final ConnectionTokens tokens = new ConnectionTokens();
  private final Map<String, KnownToken> known = new ConcurrentHashMap<>();

  /** Those whose client has opened no transport. */
  private final AtomicInteger unfinished = new AtomicInteger();

  /** In the order in which they are due; with those whose client has come meanwhile. */
  private final Queue<Negotiated> byAge = new ConcurrentLinkedQueue<>();

  private final AtomicBoolean isWatched = new AtomicBoolean();

  ConnectionTable(ConnectionEndpoint endpoint, ConnectionOptions options) {
    this.endpoint = endpoint;
    this.options = options;
  }

  /** Remembers a negotiation; null if there are too many. */
  @Nullable Negotiated negotiate(int version, boolean stateful, Loop loop) {
    if (unfinished.incrementAndGet() > options.maxUnfinishedNegotiations()) {
      unfinished.decrementAndGet();
      return null;
    }
    String token = tokens.newToken();
    String id = version == 0 ? token : newId();
    long due = loop.nanoTime() + Durations.nanos(options.disconnectTimeout());
    Negotiated negotiated = new Negotiated(token, id, stateful, due);
    known.put(token, negotiated);
    byAge.add(negotiated);
    watch(loop);
    return negotiated;
  }

  /** Returns a connection without a token: its client has not negotiated. */
  ClientConnection unnegotiated(HttpContext first) {
    return new ClientConnection(endpoint, endpoint.on(first), first, newId(), null, false);
  }

  private String newId() {
    return options.connectionIdPrefix() + tokens.newId();
  }

  /**
   * Returns the connection of {@code token}; null if there is none. If this is its first request,
   * the loop of the request owns it.
   */
  @Nullable ClientConnection find(String token, HttpContext request) {
    while (true) {
      switch (known.get(token)) {
        case null -> {
          return null;
        }
        case ClientConnection connection -> {
          return connection;
        }
        case Negotiated negotiated -> {
          ClientConnection connection =
              new ClientConnection(
                  endpoint,
                  endpoint.on(request),
                  request,
                  negotiated.id(),
                  token,
                  negotiated.stateful());
          if (known.replace(token, negotiated, connection)) {
            return connection;
          }
        }
      }
    }
  }

  /** A connection with a token has its first transport, or has ended without one. */
  void finished() {
    unfinished.decrementAndGet();
  }

  /** Returns what {@code token} stands for; null for nothing. */
  @Nullable KnownToken peek(String token) {
    return known.get(token);
  }

  /** Returns whether this endpoint has made {@code token}, now or long ago. */
  boolean isOurs(String token) {
    return tokens.isOurs(token);
  }

  /** The token of {@code connection} opens nothing any more. */
  void remove(ClientConnection connection) {
    String token = connection.token();
    if (token != null) {
      known.remove(token, connection);
    }
  }

  /** Returns how many negotiations wait for their client. */
  int unfinished() {
    return unfinished.get();
  }

  // ---- Those that never come

  private void watch(Loop loop) {
    if (isWatched.compareAndSet(false, true)) {
      loop.schedule(LOOK, () -> look(loop));
    }
  }

  private void look(Loop loop) {
    long now = loop.nanoTime();
    for (Negotiated first; (first = byAge.peek()) != null && first.due() - now <= 0; ) {
      byAge.remove(first);
      if (known.remove(first.token(), first)) {
        unfinished.decrementAndGet();
      }
    }
    isWatched.set(false);
    if (!byAge.isEmpty()) {
      watch(loop);
    }
  }
}
