package dev.windhover.http.host;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpVersion;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Builds a {@link Connection} from what a host knows about it. */
public final class ConnectionBuilder {
  private final String id;
  private final SocketAddress remote;
  private final SocketAddress local;
  private @Nullable String tls;
  private HttpVersion version = HttpVersion.HTTP_1_1;

  /**
   * Creates a builder for a connection without TLS that speaks HTTP/1.1.
   *
   * @param id unique within the process, for logs
   * @param remote the peer's address
   * @param local the address of this server to which the peer has connected
   */
  public ConnectionBuilder(String id, SocketAddress remote, SocketAddress local) {
    this.id = id;
    this.remote = remote;
    this.local = local;
  }

  /** Sets the TLS protocol in use, for example {@code TLSv1.3}; null without TLS. */
  public ConnectionBuilder tls(@Nullable String protocol) {
    this.tls = protocol;
    return this;
  }

  /** Sets the HTTP version of the connection; HTTP/1.1 by default. */
  public ConnectionBuilder version(HttpVersion version) {
    this.version = version;
    return this;
  }

  /** Returns the connection as applications see it. */
  public Connection build() {
    return new Connection(id, remote, local, tls, version);
  }
}
