package dev.windhover.server.tls;

import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loggers;
import dev.windhover.server.ServerLimits;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.EventExecutorGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The current certificate and its TLS context. The files are checked regularly: when they have
 * changed, new connections get the new certificate, and existing connections keep theirs.
 * Thread-safe.
 */
public final class TlsContext {
  private static final Logger log = Loggers.get(TlsContext.class);

  /** The protocols that the host speaks, preferred ones first (RFC 7301). */
  static final List<String> PROTOCOLS =
      List.of(ApplicationProtocolNames.HTTP_2, ApplicationProtocolNames.HTTP_1_1);

  /** Ciphers with forward secrecy and authenticated encryption, as HTTP/2 requires. */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  /**
   * Before TLS 1.3, a client may renegotiate at any time, which costs the client little and us
   * much.
   */
  private static final String NO_RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";

  /** Identifies the state of a file: it differs after the file was replaced or rewritten. */
  private record Stamp(FileTime modified, long size, @Nullable Object file) {
    static Stamp of(Path path) throws IOException {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
    }
  }

  private final Path certificate;
  private final @Nullable Path key;
  private final @Nullable String password;
  private final SslProvider provider;

  /** Null when released. */
  private final AtomicReference<@Nullable SslContext> current;

  // Of the last check only.
  private List<Stamp> seen;
  private List<Stamp> settled;

  /**
   * Reads the certificate.
   *
   * @throws BadCertificateException if it cannot be used
   */
  public TlsContext(
      @Nullable Path certificate,
      @Nullable Path key,
      @Nullable String password,
      SslProvider provider)
      throws BadCertificateException {
    if (certificate == null) {
      throw new BadCertificateException(
          "there is no certificate for it", null, "name its file with --certificate");
    }
    this.certificate = certificate;
    this.key = key;
    this.password = password;
    if (System.getProperty(NO_RENEGOTIATION) == null) {
      System.setProperty(NO_RENEGOTIATION, "true"); // before the JDK's TLS reads it, once
    }
    this.provider = provider;
    this.seen = stamps(); // first, so that files that change while they are read are read again
    this.settled = seen;
    Identity identity = Identity.read(certificate, key, password);
    String untimely = identity.untimely(Instant.now());
    if (untimely != null) {
      // Not a reason to refuse to start: other addresses are fine, and a new file is used as soon
      // as it appears.
      log.warn("certificate {} is {}: clients will reject it", certificate, untimely);
    }
    this.current = new AtomicReference<>(contextOf(identity));
  }

  private SslContext contextOf(Identity identity) throws BadCertificateException {
    try {
      return SslContextBuilder.forServer(
              identity.key(), identity.chain().toArray(X509Certificate[]::new))
          .sslProvider(provider)
          .protocols("TLSv1.3", "TLSv1.2")
          .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
          .applicationProtocolConfig(
              new ApplicationProtocolConfig(
                  Protocol.ALPN,
                  SelectorFailureBehavior.NO_ADVERTISE,
                  SelectedListenerFailureBehavior.ACCEPT,
                  PROTOCOLS))
          .build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new BadCertificateException(
          "certificate " + certificate + " cannot be used: " + e.getMessage(), e);
    }
  }

  /** Returns the TLS handler for a new connection, with the current certificate. */
  public SslHandler newHandler(ByteBufAllocator allocator, ServerLimits limits) {
    SslContext context = retained();
    try {
      SslHandler handler = context.newHandler(allocator);
      handler.setHandshakeTimeout(
          Durations.millis(limits.tlsHandshakeTimeout()), TimeUnit.MILLISECONDS);
      return handler;
    } finally {
      ReferenceCountUtil.release(context);
    }
  }

  /** Returns the current context, whose memory is kept until it is released: BoringSSL's. */
  private SslContext retained() {
    while (true) {
      SslContext context = Objects.requireNonNull(current.get());
      try {
        return ReferenceCountUtil.retain(context);
      } catch (IllegalReferenceCountException e) {
        // It was replaced and released since: there is another one.
      }
    }
  }

  // ---- A new certificate

  /** Looks regularly, on threads that may block: the files may be far away, and slow. */
  public void lookEvery(Duration interval, EventExecutorGroup scheduler) {
    Semaphore one = new Semaphore(1);
    Runnable look =
        () -> {
          try {
            look();
          } catch (RuntimeException e) {
            log.warn("looking for a new certificate failed: {}", e.toString());
          } finally {
            one.release();
          }
        };
    long nanos = Durations.nanos(interval);
    scheduler
        .next()
        .scheduleWithFixedDelay(
            () -> {
              if (one.tryAcquire()) {
                Thread.ofVirtual().name("certificate").start(look);
              }
            },
            nanos,
            nanos,
            TimeUnit.NANOSECONDS);
  }

  /**
   * Checks the files, and loads them if they have changed and are no longer being written. Blocks.
   */
  private void look() {
    List<Stamp> now = stamps();
    boolean isStill = now.equals(seen);
    seen = now;
    if (now.equals(settled) || !isStill) {
      return;
    }
    settled = now;
    try {
      Identity identity = Identity.read(certificate, key, password);
      String untimely = identity.untimely(Instant.now());
      if (untimely != null) {
        throw new BadCertificateException("certificate " + certificate + " is " + untimely);
      }
      replace(contextOf(identity));
      Instant end = identity.certificate().getNotAfter().toInstant();
      log.info("certificate {} was reloaded and is valid until {}", certificate, end);
    } catch (BadCertificateException e) {
      log.warn("the old certificate stays in use: {}", e.getMessage());
    }
  }

  private List<Stamp> stamps() {
    List<Stamp> stamps = new ArrayList<>();
    try {
      stamps.add(Stamp.of(certificate));
      if (key != null) {
        stamps.add(Stamp.of(key));
      }
    } catch (IOException e) {
      stamps.clear(); // reading the files will say why
    }
    return stamps;
  }

  private void replace(SslContext context) {
    SslContext old = current.get();
    boolean isReplaced = old != null && current.compareAndSet(old, context);
    ReferenceCountUtil.release(isReplaced ? old : context); // the server may have stopped
  }

  /** Releases the context, because no more connections will begin. */
  public void release() {
    ReferenceCountUtil.release(current.getAndSet(null));
  }
}
