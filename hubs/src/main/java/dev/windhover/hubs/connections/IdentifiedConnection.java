package dev.windhover.hubs.connections;

import dev.windhover.http.User;
import dev.windhover.http.host.Loggers;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * What a connection is, whatever becomes of it: which one, over what, by whose request, in which
 * form, and what the application keeps with it. Any thread reads this; the loop writes it, unless a
 * method says otherwise.
 */
abstract class IdentifiedConnection implements ConnectionContext {
  private static final Logger log = Loggers.get(IdentifiedConnection.class);

  private static final VarHandle TYPE;
  private static final VarHandle ITEMS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      TYPE = lookup.findVarHandle(IdentifiedConnection.class, "type", TransportType.class);
      ITEMS = lookup.findVarHandle(IdentifiedConnection.class, "items", Map.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String id;

  /** Null if the client has not negotiated: nobody knows a token then. */
  private final @Nullable String token;

  /** The kind of its transports; null until the first. */
  private volatile @Nullable TransportType type;

  private volatile @Nullable ConnectionRequest request; // null until the first transport
  private volatile @Nullable User user;
  private volatile TransferFormat format = TransferFormat.TEXT;
  private volatile @Nullable Map<String, Object> items;

  /**
   * Creates one.
   *
   * @param token null if nobody knows one
   */
  IdentifiedConnection(String id, @Nullable String token) {
    this.id = id;
    this.token = token;
  }

  @Override
  public final String connectionId() {
    return id;
  }

  final @Nullable String token() {
    return token;
  }

  // ---- Over what

  /** Makes {@code wanted} the kind of all its transports; returns what was before. Any thread. */
  final @Nullable TransportType claim(TransportType wanted) {
    return (TransportType) TYPE.compareAndExchange(this, null, wanted);
  }

  /** Returns the kind of its transports; null until the first. */
  final @Nullable TransportType type() {
    return type;
  }

  @Override
  public final TransportType transport() {
    return Objects.requireNonNull(type, "transport");
  }

  @Override
  public final TransferFormat transferFormat() {
    return format;
  }

  @Override
  public final void transferFormat(TransferFormat format) {
    if (!transport().carries(format)) {
      throw new IllegalArgumentException(
          "transport " + transport().wireName() + " does not carry " + format.wireName());
    }
    this.format = format;
  }

  // ---- By whose request

  /** It has its first transport, by a request that {@code asking} has sent. */
  final void opened(ConnectionRequest asked, @Nullable User asking) {
    request = asked;
    user = asking;
  }

  /** Another request of the client has come. */
  final void asked(@Nullable User asking) {
    User before = user;
    if (before != null && asking != null && !before.name().equals(asking.name())) {
      log.warn("{} is polled by {}", this, asking.name());
    }
    user = asking;
  }

  /** Returns whether it has ever had a transport. */
  final boolean wasOpened() {
    return request != null;
  }

  @Override
  public final ConnectionRequest request() {
    return Objects.requireNonNull(request, "request");
  }

  @Override
  public final @Nullable User user() {
    return user;
  }

  /** Returns when the user's authentication expires; null for never. */
  final @Nullable Instant expiresAt() {
    User known = user;
    return known == null ? null : known.expiresAt();
  }

  // ---- What the application keeps with it

  @Override
  public final Map<String, Object> items() {
    Map<String, Object> known = items;
    if (known == null) {
      known = new ConcurrentHashMap<>(4);
      Map<?, ?> first = (Map<?, ?>) ITEMS.compareAndExchange(this, null, known);
      return first == null ? known : items();
    }
    return known;
  }

  /**
   * Returns {@code connection 5lVd0g… (/chat over WebSockets) of ann from 192.0.2.1}, for error
   * lines: as much as is known.
   */
  @Override
  public final String toString() {
    ConnectionRequest asked = request;
    User known = user;
    TransportType kind = type;
    return "connection "
        + id
        + (asked == null || kind == null
            ? ""
            : " (" + asked.path() + " over " + kind.wireName() + ")")
        + (known == null ? "" : " of " + known.name())
        + (asked == null ? "" : " from " + asked.connection().remoteAddress());
  }
}
