package dev.windhover.http.host;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpVersion;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** What a host says of a connection. */
public final class ConnectionBuilder {
  private final String id;
  private final SocketAddress remote;
  private final SocketAddress local;
  private @Nullable String tls;
  private HttpVersion version = HttpVersion.HTTP_1_1;

  /**
   * Begins with a connection without TLS that speaks HTTP/1.1.
   *
   * @param id unique within the process, for logs
   * @param remote the peer's address
   * @param local the address that the peer reached
   */
  public ConnectionBuilder(String id, SocketAddress remote, SocketAddress local) {
    this.id = id;
    this.remote = remote;
    this.local = local;
  }

  /** Sets the TLS protocol in use, as {@code TLSv1.3}; null without TLS. */
  public ConnectionBuilder tls(@Nullable String protocol) {
    this.tls = protocol;
    return this;
  }

  /** Sets the version of HTTP spoken on the connection. */
  public ConnectionBuilder version(HttpVersion version) {
    this.version = version;
    return this;
  }

  /** Returns the connection as applications see it. */
  public Connection build() {
    return new Connection(this);
  }

  /** Returns what names the connection in logs. */
  public String id() {
    return id;
  }

  /** Returns the peer's address. */
  public SocketAddress remote() {
    return remote;
  }

  /** Returns the address that the peer reached. */
  public SocketAddress local() {
    return local;
  }

  /** Returns the TLS protocol in use, or null. */
  public @Nullable String tls() {
    return tls;
  }

  /** Returns the version of HTTP spoken on the connection. */
  public HttpVersion version() {
    return version;
  }
}
