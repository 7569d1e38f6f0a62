package dev.windhover.server;

/** What is particular to one address of a {@link Server}. */
public final class AddressOptions {
  private boolean extendedConnect = true;
  private boolean alternateSchemes;

  AddressOptions() {}

  /**
   * Says whether clients of HTTP/2 may open WebSockets on their streams (RFC 8441), which is told
   * them in {@code SETTINGS_ENABLE_CONNECT_PROTOCOL}; browsers then open them over HTTP/1.1. True
   * by default; Kestrel has no such switch.
   */
  public AddressOptions extendedConnect(boolean allowed) {
    extendedConnect = allowed;
    return this;
  }

  /** Returns whether clients of HTTP/2 may open WebSockets on their streams. */
  public boolean extendedConnect() {
    return extendedConnect;
  }

  /**
   * Says whether {@code :scheme} of a request of HTTP/2 may be https where the connection is none,
   * and the other way round: for a proxy in front that ends TLS and hands on what its client said.
   * False by default, as in Kestrel, whose name this is; such a request is then malformed.
   */
  public AddressOptions alternateSchemes(boolean allowed) {
    alternateSchemes = allowed;
    return this;
  }

  /** Returns whether {@code :scheme} may be another than the connection's. */
  public boolean alternateSchemes() {
    return alternateSchemes;
  }
}
