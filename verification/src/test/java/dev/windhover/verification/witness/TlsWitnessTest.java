package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.samples.echo.Echo;
import dev.windhover.server.TlsProvider;
import dev.windhover.verification.Certificate;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.witness.JdkSocket.Heard;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS, as the clients of others see it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class TlsWitnessTest {
  @TempDir private static Path folder = Path.of("");

  private @Nullable WebApplication started;

  @BeforeAll
  void start() throws Exception {
    String file = Certificate.USUAL.writePkcs12(folder.resolve("c.p12")).toString();
    Certificate.USUAL.writeCertificate(folder.resolve("c.pem"));
    started =
        Echo.create(
            "--urls=https://127.0.0.1:0",
            "--certificate",
            file,
            "--certificate-password=" + Certificate.PASSWORD);
    started.mapPut(
        "/length",
        context -> {
          context.response().write(context.request().body().readAllBytes().length + "\n");
        });
    started.start();
  }

  @AfterAll
  void stop() {
    app().stop();
  }

  private WebApplication app() {
    return Objects.requireNonNull(started);
  }

  private String url() {
    return app().urls().getFirst();
  }

  private String trusted() {
    return folder.resolve("c.pem").toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.2", "1.3"})
  void curlGetsFilesAndSends(String version) throws Exception {
    Program curl = Program.require("curl");
    Path upload = Files.write(folder.resolve("upload"), new byte[3_000_000]);
    Program.Result result =
        curl.run(
            "--silent",
            "--show-error",
            "--cacert",
            trusted(),
            "--tlsv" + version,
            "--tls-max",
            version,
            "--write-out",
            "%{http_version} %{num_connects}\n",
            url() + "/echo.js",
            "--next",
            "--silent",
            "--cacert",
            trusted(),
            "--upload-file",
            upload.toString(),
            url() + "/length");
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(result.output()).contains("2 1\n").endsWith("3000000\n");
  }

  @Test
  void curlDoesNotTrustWhatItIsNotTold() throws Exception {
    Program.Result result = Program.require("curl").run("--silent", url());
    assertThat(result.exitCode()).isEqualTo(60);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-tls1_1", "-tls1", "-tls1_2 -cipher AES128-GCM-SHA256"})
  void opensslIsRefusedWhatIsWeak(String options) throws Exception {
    Program openssl = Program.require("openssl");
    String weak = options.contains("cipher") ? options : options + " -cipher ALL:@SECLEVEL=0";
    String command = "s_client -connect 127.0.0.1:" + URI.create(url()).getPort() + " " + weak;
    Program.Result result = openssl.run(command.split(" "));
    assertThat(result.exitCode()).as(result.output()).isNotZero();
    assertThat(result.output()).containsPattern("alert (protocol version|handshake failure)");
  }

  /** A client could make the server compute again and again, at little cost for itself. */
  @ParameterizedTest
  @EnumSource(names = {"AUTO", "JDK"})
  void opensslIsRefusedAnotherHandshake(TlsProvider provider) throws Exception {
    Program openssl = Program.require("openssl");
    WebApplication server = WebApplication.create();
    server.server(options -> {
      options.urls("https://127.0.0.1:0");
      options
          .tls()
          .provider(provider)
          .certificate(folder.resolve("c.p12"))
          .password(Certificate.PASSWORD);
    });
    server.start();
    try {
      int port = URI.create(server.urls().getFirst()).getPort();
      Process client =
          new ProcessBuilder(
                  openssl.path().toString(), "s_client", "-tls1_2", "-connect", "127.0.0.1:" + port)
              .redirectErrorStream(true)
              .start();
      client.getOutputStream().write("R\n".getBytes(StandardCharsets.US_ASCII)); // renegotiate
      client.getOutputStream().flush();
      String said = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(said).containsPattern("RENEGOTIATING\\s.*(?i:no.renegotiation|handshake failure)");
    } finally {
      server.stop();
    }
  }

  @Test
  void jdkSpeaksHttpAndWebSockets() throws Exception {
    try (HttpClient http = HttpClient.newBuilder().sslContext(Certificate.USUAL.trust()).build()) {
      HttpResponse<String> page =
          http.send(
              HttpRequest.newBuilder(URI.create(url() + "/")).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(page.statusCode()).isEqualTo(200);
      URI socket = URI.create(url().replace("https", "wss") + "/ws/messages");
      try (JdkSocket client = JdkSocket.connect(http, socket)) {
        String text = "Grüße ".repeat(50_000);
        client.text(text);
        assertThat(client.next()).isEqualTo(new Heard.Text(text));
        client.sendClose(1000, "done");
        assertThat(client.next()).isEqualTo(new Heard.Closed(1000, ""));
      }
    }
  }

  @Tag("full")
  @Test
  void wsFromNpmIsContent() throws Exception {
    Program node = Program.require("node");
    Path scripts = Path.of("src/test/node");
    Program.requireThat(
        Files.isDirectory(scripts.resolve("node_modules/ws")), "the npm package ws is not there");
    WebApplication server =
        ConformanceServer.create(
            "--urls=https://127.0.0.1:0",
            "--certificate=" + folder.resolve("c.p12"),
            "--certificate-password=" + Certificate.PASSWORD);
    server.start();
    try {
      Program.Result result =
          node.run(
              Map.of("NODE_EXTRA_CA_CERTS", trusted()),
              scripts + "/echo.mjs",
              server.urls().getFirst(),
              "4");
      assertThat(result.exitCode()).as(result.output()).isZero();
      assertThat(result.output()).contains("# pass 28");
    } finally {
      server.stop();
    }
  }

  @Test
  void chromiumTalksFromTheEchoPage() throws Exception {
    try (Browser browser = new Browser("--ignore-certificate-errors")) {
      browser.screen(1200, 900, "light");
      browser.open(url());
      browser.awaitCount("html[data-state=ready]", 1);
      browser.click("label:has(#endpointMessages)");
      browser.click("#connectButton");
      browser.awaitCount("html[data-state=open]", 1);
      assertThat(browser.element("#connectionUrl").getDomProperty("value"))
          .isEqualTo(url().replace("https:", "wss:") + "/ws/messages");
      browser.type("#sendMessage", "hello over TLS");
      browser.click("#sendButton");
      browser.awaitCount("#commsLog tr.message", 2);
      assertThat(browser.text("#pageHttpVersion")).isEqualTo("HTTP/2");
      assertThat(browser.text("#socketHttpVersion")).isEqualTo("HTTP/2");
      browser.screenshot("echo-http2");
      browser.click("#closeButton");
      browser.awaitCount("html[data-state=closed]", 1);
      assertThat(browser.text("#commsLog tr.notice.closed")).contains("Code: 1000");
      assertThat(browser.console()).isEmpty();
    }
  }
}
