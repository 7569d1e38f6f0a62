package dev.windhover.server;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How the {@code https} addresses are served: TLS 1.3 and 1.2. Each method with an argument sets
 * and returns this; what is changed after the start of the server has no effect.
 */
public final class TlsOptions {
  private @Nullable Path certificate;
  private @Nullable Path key;
  private @Nullable String password;
  private TlsProvider provider = TlsProvider.AUTO;

  // Twice this is the longest that a new certificate waits; to look costs the reading of two times.
  private Duration reloadInterval = Duration.ofSeconds(5);

  TlsOptions() {}

  /**
   * Sets the file with the server's certificate: PEM, with the certificates of the authorities
   * behind it, or PKCS#12 with all that and the private key. Which one it is, is seen by its
   * content.
   */
  public TlsOptions certificate(Path file) {
    certificate = file;
    return this;
  }

  /** Returns the file with the certificate, or null. */
  public @Nullable Path certificate() {
    return certificate;
  }

  /**
   * Sets the file with the private key, PKCS#8 in PEM, encrypted or not; without it, the
   * certificate's file has the key too.
   */
  public TlsOptions key(Path file) {
    key = file;
    return this;
  }

  /** Returns the file with the private key, or null. */
  public @Nullable Path key() {
    return key;
  }

  /** Sets the password of the private key, or of the PKCS#12 file. */
  public TlsOptions password(String password) {
    this.password = password;
    return this;
  }

  @Nullable String password() {
    return password;
  }

  /** Chooses whose TLS is spoken; {@link TlsProvider#AUTO} by default. */
  public TlsOptions provider(TlsProvider provider) {
    this.provider = provider;
    return this;
  }

  /** Returns whose TLS is spoken. */
  public TlsProvider provider() {
    return provider;
  }

  /**
   * Sets how often the files are looked at. Files that have changed, and are the same at the next
   * look, are the certificate of all connections from then on; those that stand keep theirs. 5 s by
   * default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public TlsOptions reloadInterval(Duration interval) {
    if (!interval.isPositive()) {
      throw new IllegalArgumentException("reloadInterval " + interval + " is not positive");
    }
    reloadInterval = interval;
    return this;
  }

  /** Returns how often the files are looked at. */
  public Duration reloadInterval() {
    return reloadInterval;
  }
}
