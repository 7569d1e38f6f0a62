package dev.windhover.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The options of {@code https} addresses, which use TLS 1.3 and 1.2. A method with an argument sets
 * a value and returns this. Changes after the start of the server have no effect.
 */
public final class TlsOptions {
  private @Nullable Path certificate;
  private @Nullable Path key;
  private @Nullable String password;
  private TlsProvider provider = TlsProvider.AUTO;

  // A new certificate waits at most twice as long. A check only reads the modification times of two
  // files.
  private Duration reloadInterval = Duration.ofSeconds(5);

  TlsOptions() {}

  /**
   * Sets the file with the server's certificate: PEM, followed by the certificates of the issuing
   * authorities, or PKCS#12 with all of these and the private key. The format is detected from the
   * content.
   */
  public TlsOptions certificate(Path file) {
    certificate = Objects.requireNonNull(file, "file");
    return this;
  }

  /** Returns the file with the certificate, or null. */
  public @Nullable Path certificate() {
    return certificate;
  }

  /**
   * Sets the file with the private key, PKCS#8 in PEM, encrypted or not. Without it, the
   * certificate's file must contain the key.
   */
  public TlsOptions key(Path file) {
    key = Objects.requireNonNull(file, "file");
    return this;
  }

  /** Returns the file with the private key, or null. */
  public @Nullable Path key() {
    return key;
  }

  /** Sets the password of the private key, or of the PKCS#12 file. */
  public TlsOptions password(String password) {
    this.password = Objects.requireNonNull(password, "password");
    return this;
  }

  @Nullable String password() {
    return password;
  }

  /** Sets the TLS implementation; {@link TlsProvider#AUTO} by default. */
  public TlsOptions provider(TlsProvider provider) {
    this.provider = Objects.requireNonNull(provider, "provider");
    return this;
  }

  /** Returns the TLS implementation. */
  public TlsProvider provider() {
    return provider;
  }

  /**
   * Sets how often the files are checked. If files have changed, and are the same at the next
   * check, new connections use the new certificate, and existing connections keep theirs. 5 s by
   * default.
   *
   * @throws IllegalArgumentException if it is not positive
   */
  public TlsOptions reloadInterval(Duration interval) {
    reloadInterval = Ranges.positive("reloadInterval", interval);
    return this;
  }

  /** Returns how often the files are checked. */
  public Duration reloadInterval() {
    return reloadInterval;
  }
}
