package dev.windhover.server;

/** The options of one address of a {@link Server}. */
public final class AddressOptions {
  private boolean extendedConnect = true;
  private boolean alternateSchemes;

  AddressOptions() {}

  /**
   * Sets whether HTTP/2 clients may open WebSockets on their streams (RFC 8441), which {@code
   * SETTINGS_ENABLE_CONNECT_PROTOCOL} tells them. If not, browsers open them over HTTP/1.1. True by
   * default; Kestrel has no such switch.
   */
  public AddressOptions extendedConnect(boolean allowed) {
    extendedConnect = allowed;
    return this;
  }

  /** Returns whether HTTP/2 clients may open WebSockets on their streams. */
  public boolean extendedConnect() {
    return extendedConnect;
  }

  /**
   * Sets whether {@code :scheme} of an HTTP/2 request may be https on a connection without TLS, and
   * the other way round. This is for a proxy that terminates TLS and passes on its client's scheme.
   * False by default: such a request is then malformed. Name and default are Kestrel's.
   */
  public AddressOptions alternateSchemes(boolean allowed) {
    alternateSchemes = allowed;
    return this;
  }

  /** Returns whether {@code :scheme} may differ from the connection's. */
  public boolean alternateSchemes() {
    return alternateSchemes;
  }
}
