package dev.windhover.http;

import dev.windhover.http.host.ConnectionBuilder;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** The connection that a request came on. Immutable. */
public final class Connection {
  private final String id;
  private final SocketAddress remote;
  private final SocketAddress local;
  private final @Nullable String tls;
  private final HttpVersion version;

  /** Creates one of what its host says, for {@link ConnectionBuilder#build()}. */
  public Connection(ConnectionBuilder facts) {
    this(facts.id(), facts.remote(), facts.local(), facts.tls(), facts.version());
  }

  private Connection(
      String id,
      SocketAddress remote,
      SocketAddress local,
      @Nullable String tls,
      HttpVersion version) {
    this.id = id;
    this.remote = remote;
    this.local = local;
    this.tls = tls;
    this.version = version;
  }

  /** Returns what names the connection in logs, unique within the process. */
  public String id() {
    return id;
  }

  /** Returns the client's address: the peer's, or what a known proxy says about it. */
  public SocketAddress remote() {
    return remote;
  }

  /** Returns the address that the peer reached. */
  public SocketAddress local() {
    return local;
  }

  /** Returns the TLS protocol in use, as {@code TLSv1.3}, or null without TLS. */
  public @Nullable String tls() {
    return tls;
  }

  /** Returns the version of HTTP spoken on the connection. */
  public HttpVersion version() {
    return version;
  }

  /** Returns the same connection of another client, whom a known proxy speaks for. */
  public Connection withRemote(SocketAddress client) {
    return new Connection(id, client, local, tls, version);
  }

  @Override
  public String toString() {
    return id
        + " from "
        + remote
        + " to "
        + local
        + ", "
        + version
        + (tls == null ? "" : ", " + tls);
  }
}
