package dev.windhover.http;

import dev.windhover.http.host.ConnectionBuilder;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** The connection on which a request arrived. Immutable. */
public final class Connection {
  private final String id;
  private final SocketAddress remote;
  private final SocketAddress local;
  private final @Nullable String tls;
  private final HttpVersion version;

  /** Creates a connection; hosts call {@link ConnectionBuilder#build()} instead. */
  public Connection(
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

  /** Returns the connection's name in logs, which is unique within the process. */
  public String id() {
    return id;
  }

  /** Returns the client's address: the peer's, or the one that a known proxy has passed on. */
  public SocketAddress remote() {
    return remote;
  }

  /** Returns the client's address as text, without its port. */
  public String remoteAddress() {
    if (!(remote instanceof InetSocketAddress internet)) {
      return remote.toString();
    }
    return internet.getAddress() == null
        ? internet.getHostString()
        : internet.getAddress().getHostAddress();
  }

  /** Returns the address of this server to which the peer has connected. */
  public SocketAddress local() {
    return local;
  }

  /** Returns the TLS protocol in use, for example {@code TLSv1.3}, or null without TLS. */
  public @Nullable String tls() {
    return tls;
  }

  /** Returns the HTTP version of the connection. */
  public HttpVersion version() {
    return version;
  }

  /** Returns the same connection with the address of the client behind a known proxy. */
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
