package dev.windhover.hubs;

import dev.windhover.http.Headers;
import dev.windhover.http.Query;
import dev.windhover.http.User;
import dev.windhover.hubs.connections.ConnectionRequest;
import dev.windhover.hubs.connections.TransportType;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The connection whose call a hub serves. Any thread may call it, also after the call. */
public final class HubCallerContext {
  private final HubConnection connection;

  /** What the call holds while it runs; null for one that holds nothing. */
  private final @Nullable Slot slot;

  /** One of the calls of a connection that may run at a time. */
  interface Slot {
    /** Lets another call begin. Any thread; only the first time has an effect. */
    void release();
  }

  HubCallerContext(HubConnection connection, @Nullable Slot slot) {
    this.connection = connection;
    this.slot = slot;
  }

  /** Returns the id by which others may address this connection. It is no secret. */
  public String connectionId() {
    return connection.id();
  }

  /**
   * Returns the user to whom {@code clients().user(…)} sends; null for nobody. See {@link
   * HubOptions#userIdentifier}. It is that of the handshake.
   */
  public @Nullable String userIdentifier() {
    return connection.userIdentifier();
  }

  /** Returns who is asking; null for nobody. */
  public @Nullable User user() {
    return connection.connection().user();
  }

  /** Returns what the application keeps with this connection; a map for any thread. */
  public Map<String, Object> items() {
    return connection.connection().items();
  }

  /** Returns the request that opened the connection; with long polling, the first poll. */
  public ConnectionRequest request() {
    return connection.connection().request();
  }

  /** Returns the query of that request, with the client's own parameters. */
  public Query query() {
    return request().query();
  }

  /** Returns the headers of that request; not to be changed. */
  public Headers headers() {
    return request().headers();
  }

  /** Returns what carries the connection. */
  public TransportType transport() {
    return connection.connection().transport();
  }

  /** Returns what is cancelled when the connection ends. */
  public Cancellation connectionAborted() {
    return connection.aborted();
  }

  /**
   * Ends the connection after what was sent. Its client may not reconnect by itself. Running calls
   * are cancelled, and no further ones begin.
   */
  public void abort() {
    connection.abort();
  }

  HubConnection connection() {
    return connection;
  }

  /** The call is about to wait for its client: others of the connection may begin. Any thread. */
  void releaseSlot() {
    if (slot != null) {
      slot.release();
    }
  }

  /** Returns whether the connection is in {@link Hub#onConnected}, where nobody can answer. */
  boolean isInOnConnected() {
    return connection.isInOnConnected();
  }
}
