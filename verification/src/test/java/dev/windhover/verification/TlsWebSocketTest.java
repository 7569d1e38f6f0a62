package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.server.TlsProvider;
import dev.windhover.server.Transport;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Wire;
import io.netty.handler.ssl.OpenSsl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract over TLS, whoever speaks it. */
class TlsWebSocketTest {
  /** One version of TLS over one transport. */
  record Tls(TlsProvider provider, String version, Transport over) implements TransportUnderTest {
    @Override
    public Consumer<WebApplication> host() {
      Assumptions.assumeTrue(
          provider != TlsProvider.BORINGSSL || OpenSsl.isAvailable(), "no BoringSSL here");
      return app ->
          app.server(options -> {
            options.urls("https://127.0.0.1:0").transport(over);
            options.tls().provider(provider).certificate(file()).password(Certificate.PASSWORD);
          });
    }

    private static Path file() {
      try {
        Path file = Files.createTempFile("windhover-", ".p12");
        file.toFile().deleteOnExit();
        return Certificate.USUAL.writePkcs12(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public boolean tellsResets() {
      return true;
    }

    @Override
    public boolean endsSidesApart() {
      return provider == TlsProvider.JDK && version.equals("TLSv1.3");
    }

    @Override
    public Peer open(int port, String path) throws IOException {
      return Wire.connect(port).secure(version).upgrade(path);
    }

    @Override
    public Peer openNarrow(int port, String path) throws IOException {
      return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 8 * 1024)
          .secure(version)
          .upgrade(path);
    }
  }

  @Nested
  class BoringSslListener extends WebSocketContract {
    BoringSslListener() {
      super(new Tls(TlsProvider.BORINGSSL, "TLSv1.3", Transport.AUTO), Form.LISTENER);
    }
  }

  @Nested
  @Tag("full")
  class JdkBlocking extends WebSocketContract {
    JdkBlocking() {
      super(new Tls(TlsProvider.JDK, "TLSv1.3", Transport.AUTO), Form.BLOCKING);
    }
  }

  @Nested
  @Tag("full")
  class BoringSslBlocking extends WebSocketContract {
    BoringSslBlocking() {
      super(new Tls(TlsProvider.BORINGSSL, "TLSv1.2", Transport.AUTO), Form.BLOCKING);
    }
  }

  @Nested
  @Tag("full")
  class JdkListener extends WebSocketContract {
    JdkListener() {
      super(new Tls(TlsProvider.JDK, "TLSv1.2", Transport.NIO), Form.LISTENER);
    }
  }
}
