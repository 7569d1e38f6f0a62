package dev.windhover.server;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;

/** The TLS implementation of the host. */
public enum TlsProvider {
  /** {@link #BORINGSSL} if it is available, {@link #JDK} otherwise. */
  AUTO,
  /**
   * BoringSSL, through netty-tcnative. Nothing more is sent to a client after its close_notify, as
   * TLS 1.2 requires, but in TLS 1.3 too.
   */
  BORINGSSL,
  /** The JDK's own, available everywhere. */
  JDK;

  /**
   * Returns Netty's name for it.
   *
   * @throws IllegalStateException if this one is not available on this machine
   */
  SslProvider resolve() {
    boolean isThere = OpenSsl.isAvailable();
    if (this == BORINGSSL && !isThere) {
      throw new IllegalStateException("BoringSSL is not available on this machine");
    }
    return this != JDK && isThere ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK;
  }
}
