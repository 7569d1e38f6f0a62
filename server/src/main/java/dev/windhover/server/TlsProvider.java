package dev.windhover.server;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;

/** Whose TLS the host speaks. */
public enum TlsProvider {
  /** {@link #BORINGSSL} where it is there, {@link #JDK} otherwise. */
  AUTO,
  /**
   * BoringSSL, through netty-tcnative. A client that says close_notify is sent nothing any more, as
   * TLS 1.2 wants it, in TLS 1.3 too.
   */
  BORINGSSL,
  /** The JDK's own, everywhere. */
  JDK;

  /**
   * Returns what Netty calls it.
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
