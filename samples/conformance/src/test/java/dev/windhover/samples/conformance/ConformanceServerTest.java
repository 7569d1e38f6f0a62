package dev.windhover.samples.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Runs the server; its settings are tried by {@code verification}'s witnesses. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConformanceServerTest {
  private final WebApplication app = ConformanceServer.create("--urls", "http://127.0.0.1:0");
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  void start() throws Exception {
    app.start();
  }

  @AfterAll
  void stop() {
    http.close();
    app.stop();
  }

  @Test
  void messagesComeBack() throws Exception {
    FirstText echo = new FirstText();
    WebSocket socket =
        http.newWebSocketBuilder()
            .buildAsync(URI.create(app.urls().getFirst().replace("http:", "ws:")), echo)
            .get();
    socket.sendText("hello", true).get();
    assertThat(echo.text.get(30, TimeUnit.SECONDS)).isEqualTo("hello");
    socket.abort();
  }

  @Test
  void theLineThatTestersWaitForComesWhenItListens() throws Exception {
    WebApplication other = ConformanceServer.create("--urls", "http://127.0.0.1:0");
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ConformanceServer.announce(other, new PrintStream(printed, true, UTF_8)).start();
    assertThat(printed.toString(UTF_8).strip())
        .isEqualTo("ready: echoes every message on any path of " + other.urls().getFirst());
    other.stop();
  }

  @Test
  void httpsAddressIsServedWithTheCertificateThatIsNamed(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("certificate.p12");
    WebApplication secure =
        ConformanceServer.create(
            "--urls=https://127.0.0.1:0",
            "--certificate=" + file,
            "--certificate-password=secret1");
    SSLContext trust = makeCertificate(file);
    secure.start();
    try (HttpClient client = HttpClient.newBuilder().sslContext(trust).build()) {
      URI uri = URI.create(secure.urls().getFirst());
      String text =
          client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
      assertThat(text)
          .isEqualTo("ready: connect a WebSocket to wss://" + uri.getAuthority() + "/\n");
      FirstText echo = new FirstText();
      WebSocket socket =
          client
              .newWebSocketBuilder()
              .buildAsync(URI.create(uri.toString().replace("https:", "wss:")), echo)
              .get();
      socket.sendText("hello", true).get();
      assertThat(echo.text.get(30, TimeUnit.SECONDS)).isEqualTo("hello");
      socket.abort();
    } finally {
      secure.stop();
    }
  }

  /** Writes one for 127.0.0.1, and returns what trusts it. */
  private static SSLContext makeCertificate(Path file) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of("-genkeypair", "-alias", "it", "-keyalg", "EC", "-dname", "CN=test"));
    command.addAll(List.of("-ext", "SAN=ip:127.0.0.1", "-storetype", "PKCS12"));
    command.addAll(List.of("-storepass", "secret1", "-keystore", file.toString()));
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    KeyStore made = KeyStore.getInstance(file.toFile(), "secret1".toCharArray());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("it", made.getCertificate("it"));
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  private static final class FirstText implements WebSocket.Listener {
    final CompletableFuture<String> text = new CompletableFuture<>();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text.complete(part.toString());
      return null;
    }
  }
}
