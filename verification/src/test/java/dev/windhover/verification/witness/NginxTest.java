package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.verification.Repository;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With nginx in front, set up as its own pages say for WebSockets. */
@ExtendWith(StrictLogs.class)
class NginxTest {
  /** One connection to us at a time, kept, so that whatever goes wrong on it meets the next one. */
  private static final String CONFIGURATION =
      """
      client_max_body_size 10m;
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      upstream us { server 127.0.0.1:OURS; keepalive 1; }
      server {
        listen 127.0.0.1:ITS;
        location / {
          proxy_pass http://us;
          proxy_http_version 1.1;
          proxy_request_buffering off;
          proxy_set_header Host $host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_upgrade;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme;
        }
        location /impatient/ {
          proxy_pass http://us/;
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_upgrade;
          proxy_read_timeout 1s;
        }
        location /old/ {
          proxy_pass http://us/;
        }
      }
      """;

  private static final WebApplication app = WebApplication.create("--urls", "http://127.0.0.1:0");

  private static final int PONG = 0x8A;

  @TempDir private static Path folder = Path.of("");

  private static int port;
  private static @Nullable Nginx nginx;

  @BeforeAll
  static void start() throws Exception {
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map(
        "/headers",
        context -> {
          context.response().write(context.request().version() + "\n");
          for (Map.Entry<String, String> field : context.request().headers()) {
            context.response().write(field.getKey() + ": " + field.getValue() + "\n");
          }
        });
    // Not while it comes: nginx sends no more of a request when it sees the response begin.
    app.mapPost(
        "/echo",
        context -> {
          byte[] body = context.request().body().readAllBytes();
          context.response().body().write(body);
        });
    app.mapPost("/ignore", context -> context.response().write("ignored\n"));
    app.map(
        "/cut",
        context -> {
          context.response().write("begun");
          context.response().flush();
          context.abort();
        });
    app.mapWebSocket(
        "/kept",
        new WebSocketAcceptContext().keepAliveInterval(Duration.ofMillis(200)),
        NginxTest::echo);
    app.mapWebSocket("/ws", NginxTest::echo);
    app.start();
    int ours = URI.create(app.urls().getFirst()).getPort();
    nginx = Nginx.start(folder, CONFIGURATION.replace("OURS", Integer.toString(ours)));
    port = nginx.port();
  }

  private static void echo(WebSocket socket) throws IOException, InterruptedException {
    for (Message message : socket) {
      socket.send(message);
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (nginx != null) {
      nginx.close();
    }
    app.stop();
  }

  private static Response ask(String request) throws IOException {
    try (Wire wire = Wire.connect(port)) {
      return wire.send(request).response();
    }
  }

  private static Wire open(String path) throws IOException {
    Wire wire = Wire.connect(port);
    assertThat(wire.send(Wire.handshake(path)).responseHead().status()).isEqualTo(101);
    return wire;
  }

  @Test
  void requestComesWithWhatNginxKnowsOfItsClient() throws Exception {
    assertThat(ask("GET /headers HTTP/1.1\r\nHost: example.com\r\n\r\n").body())
        .startsWith("HTTP/1.1\n")
        .contains(
            "Host: example.com\n", "X-Forwarded-For: 127.0.0.1\n", "X-Forwarded-Proto: http\n");
    assertThat(ask("GET /headers HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n").body())
        .contains(
            "X-Forwarded-For: 10.0.0.1, 127.0.0.1\n"); // whom to trust is not the host's matter
  }

  @Test
  void nginxThatIsNotToldOtherwiseSpeaksHttp10() throws Exception {
    assertThat(ask("GET /old/headers HTTP/1.1\r\nHost: x\r\n\r\n").body())
        .startsWith("HTTP/1.0\n")
        .contains("Host: us\n", "Connection: close\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/old"})
  void bodiesGoThroughBothWays(String prefix) throws Exception {
    byte[] body = new byte[5_000_000];
    for (int i = 0; i < body.length; i++) {
      body[i] = (byte) (i * 31 + i / 997);
    }
    for (boolean chunked : new boolean[] {false, true}) {
      try (Wire wire = Wire.connect(port)) {
        wire.send("POST " + prefix + "/echo HTTP/1.1\r\nHost: x\r\n");
        if (chunked) {
          wire.send("Transfer-Encoding: chunked\r\n\r\n");
          wire.send(Integer.toHexString(body.length) + "\r\n");
          wire.send(body);
          wire.send("\r\n0\r\n\r\n");
        } else {
          wire.send("Content-Length: " + body.length + "\r\n\r\n");
          wire.send(body);
        }
        Response response = wire.response();
        assertThat(response.status()).isEqualTo(200);
        assertThat(Arrays.equals(response.bytes(), body)).isTrue();
      }
    }
  }

  @Test
  void connectionThatManyShareSurvivesBodiesThatNobodyReads() throws Exception {
    for (int i = 0; i < 50; i++) {
      String length = "Content-Length: " + i * 2_000 + "\r\n\r\n";
      assertThat(
              ask("POST /ignore HTTP/1.1\r\nHost: x\r\n" + length + "x".repeat(i * 2_000)).body())
          .isEqualTo("ignored\n");
      assertThat(ask("GET /headers HTTP/1.1\r\nHost: x\r\n\r\n").status()).isEqualTo(200);
      try (Wire wire = Wire.connect(port)) {
        wire.send("HEAD /headers HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(wire.headResponse().status()).isEqualTo(200);
      }
    }
  }

  /** HTTP/1.0 has no sign of a body's end but the connection's; a reset is none. */
  @ParameterizedTest
  @ValueSource(strings = {"/cut", "/old/cut"})
  void responseThatIsCutIsNotCompleteForNginx(String path) throws Exception {
    try (Wire wire = Wire.connect(port)) {
      wire.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
      Response head = wire.responseHead();
      if (head.status() == 200) { // else it was cut before nginx had begun
        assertThatThrownBy(() -> wire.body(head).readAllBytes())
            .isInstanceOfAny(IOException.class, AssertionError.class);
      } else {
        assertThat(head.status()).isEqualTo(502);
      }
    }
  }

  @Test
  void socketGoesThrough() throws Exception {
    for (int size : new int[] {0, 5, 70_000, 1_000_000}) {
      try (Wire wire = Wire.connect(port)) {
        Response response = wire.send(Wire.handshake("/ws")).responseHead();
        assertThat(response.status()).isEqualTo(101);
        assertThat(response.header("Sec-WebSocket-Accept"))
            .isEqualTo("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        Frame message = Frame.text("x".repeat(size));
        wire.send(message);
        assertThat(wire.frame()).isEqualTo(message);
        wire.send(Frame.close(1000, ""));
        assertThat(wire.frame()).isEqualTo(Frame.close(1000, ""));
        wire.expectEnd();
      }
    }
  }

  @Test
  void silentSocketIsCutUnlessItsKeepAliveIsShorterThanTheTimeoutForReads() throws Exception {
    try (Wire kept = open("/impatient/kept");
        Wire silent = open("/impatient/ws")) {
      for (int i = 0; i < 7; i++) { // 1.4 s
        Frame ping = kept.frame();
        kept.send(new Frame(PONG, ping.payload()));
      }
      silent.expectEnd();
    }
  }

  @Test
  void documentedConfigurationIsTheOneThatRuns() throws IOException {
    String page = Files.readString(Repository.root().resolve("docs/deploy.md"));
    List<String> lines =
        page.substring(page.indexOf("map $http_upgrade"), page.indexOf("Without `proxy_http"))
            .lines()
            .map(String::strip)
            .filter(line -> line.startsWith("map ") || line.startsWith("proxy_"))
            .toList();
    assertThat(lines).hasSize(8).allMatch(CONFIGURATION::contains);
  }
}
