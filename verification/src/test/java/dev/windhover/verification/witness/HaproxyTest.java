package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.verification.Repository;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.event.Level;

/** With HAProxy in front, set up as docs/deploy.md says. */
@ExtendWith(StrictLogs.class)
class HaproxyTest {
  private static final String DEFAULTS =
      """
      defaults
        mode http
        timeout connect 5s
        timeout client 30s
        timeout server 30s
        timeout tunnel 1h
        option forwardfor
      """;

  private static final String FORWARDED_PROTO =
      """
        http-request set-header X-Forwarded-Proto http
        http-request set-header X-Forwarded-Proto https if { ssl_fc }
      """;

  private static final String CONFIGURATION =
      """
      global
        maxconn 100
      DEFAULTS
      listen http1
        bind 127.0.0.1:HTTP1
      FORWARDED_PROTO
        server us 127.0.0.1:STRICT
      listen http2
        bind 127.0.0.1:HTTP2
      FORWARDED_PROTO
        server us 127.0.0.1:OURS proto h2
      listen guarded
        bind 127.0.0.1:GUARDED
        http-request deny if { path_beg /admin }
        server us 127.0.0.1:STRICT
      listen impatient
        bind 127.0.0.1:IMPATIENT
        timeout tunnel 1s
        server us 127.0.0.1:STRICT
      listen impatient_http2
        bind 127.0.0.1:IMPATIENT_HTTP2
        timeout tunnel 1s
        server us 127.0.0.1:OURS proto h2
      listen unprepared
        bind 127.0.0.1:UNPREPARED
        server us 127.0.0.1:STRICT proto h2
      """
          .replace("DEFAULTS\n", DEFAULTS)
          .replace("FORWARDED_PROTO\n", FORWARDED_PROTO);

  /** The ways to us. */
  enum Way {
    HTTP1,
    HTTP2,
    /** Not to the administrator's pages. */
    GUARDED,
    /** With a short time limit for sockets. */
    IMPATIENT,
    IMPATIENT_HTTP2,
    /** Over HTTP/2, to an address that does not expect a proxy. */
    UNPREPARED
  }

  private static final WebApplication app = WebApplication.create();
  private static final Map<Way, Integer> ports = new EnumMap<>(Way.class);

  private static final int PONG = 0x8A;

  @TempDir private static Path folder = Path.of("");

  private static @Nullable Process haproxy;

  @BeforeAll
  static void start() throws Exception {
    Program program = Program.require("haproxy");
    app.server(options ->
        options
            .url("http://127.0.0.1:0", address -> address.alternateSchemes(true))
            .url("http://localhost:0", address -> {}));
    app.useForwardedHeaders();
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map(
        "/request",
        context ->
            context
                .response()
                .write(
                    context.request().version()
                        + " "
                        + context.request().scheme()
                        + " "
                        + context.request().host()));
    app.map("/admin", context -> context.response().write("the administrator's"));
    app.mapPost(
        "/echo",
        context -> {
          byte[] body = context.request().body().readAllBytes();
          context.response().body().write(body);
        });
    app.mapWebSocket(
        "/kept",
        new WebSocketAcceptContext().keepAliveInterval(Duration.ofMillis(200)),
        HaproxyTest::echo);
    app.mapWebSocket("/ws", HaproxyTest::echo);
    app.start();
    String configuration = CONFIGURATION;
    for (Way way : Way.values()) {
      try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        ports.put(way, free.getLocalPort());
        configuration = configuration.replace(":" + way + "\n", ":" + free.getLocalPort() + "\n");
      }
    }
    List<Integer> ours = app.urls().stream().map(url -> URI.create(url).getPort()).toList();
    Path file =
        Files.writeString(
            folder.resolve("haproxy.cfg"),
            configuration.replace("OURS", "" + ours.get(0)).replace("STRICT", "" + ours.get(1)));
    haproxy =
        new ProcessBuilder(program.path().toString(), "-db", "-f", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output").toFile())
            .start();
    awaitStart(haproxy);
  }

  private static void echo(WebSocket socket) throws IOException, InterruptedException {
    for (Message message : socket) {
      socket.send(message);
    }
  }

  private static void awaitStart(Process process) throws Exception {
    while (true) {
      try {
        connect(Way.UNPREPARED).close();
        return;
      } catch (ConnectException e) {
        if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
          throw new AssertionError(Files.readString(folder.resolve("output")), e);
        }
      }
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (haproxy != null) {
      haproxy.destroy();
      assertThat(haproxy.waitFor(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    }
    app.stop();
  }

  private static Wire connect(Way way) throws IOException {
    return Wire.connect(Objects.requireNonNull(ports.get(way)));
  }

  private static Wire open(Way way, String path) throws IOException {
    Wire wire = connect(way);
    Response response = wire.send(Wire.handshake(path)).responseHead();
    assertThat(response.status()).isEqualTo(101);
    assertThat(response.header("Sec-WebSocket-Accept")).isEqualTo(Wire.ACCEPT);
    return wire;
  }

  @ParameterizedTest
  @EnumSource(names = {"HTTP1", "HTTP2"})
  void requestHasTheSchemeAndHostOfTheClient(Way way) throws IOException {
    try (Wire wire = connect(way)) {
      for (int i = 0; i < 3; i++) {
        wire.send("GET /request HTTP/1.1\r\nHost: example.com\r\n\r\n");
        assertThat(wire.response().body())
            .isEqualTo((way == Way.HTTP1 ? "HTTP/1.1" : "HTTP/2") + " http example.com");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"HTTP1", "HTTP2"})
  void bodiesGoThroughBothWays(Way way) throws IOException {
    byte[] body = new byte[3_000_000];
    for (int i = 0; i < body.length; i++) {
      body[i] = (byte) (i * 31 + i / 997);
    }
    try (Wire wire = connect(way)) {
      wire.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n");
      wire.send(body);
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(200);
      assertThat(Arrays.equals(response.bytes(), body)).isTrue();
    }
  }

  /** Over HTTP/2, HAProxy makes an extended CONNECT of the upgrade (RFC 8441). */
  @ParameterizedTest
  @EnumSource(names = {"HTTP1", "HTTP2"})
  void socketGoesThrough(Way way) throws IOException {
    for (int size : new int[] {0, 5, 70_000, 1_000_000}) {
      try (Wire wire = open(way, "/ws")) {
        Frame message = Frame.text("x".repeat(size));
        wire.send(message);
        assertThat(wire.frame()).isEqualTo(message);
        wire.send(Frame.close(1000, ""));
        assertThat(wire.frame()).isEqualTo(Frame.close(1000, ""));
        wire.expectEnd();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"IMPATIENT", "IMPATIENT_HTTP2"})
  void silentSocketIsCutUnlessItsKeepAliveIsShorterThanTheTimeoutForTunnels(Way way)
      throws IOException {
    try (Wire kept = open(way, "/kept");
        Wire silent = open(way, "/ws")) {
      for (int i = 0; i < 7; i++) { // 1.4 s
        Frame ping = kept.frame();
        kept.send(new Frame(PONG, ping.payload()));
      }
      silent.expectEnd();
    }
  }

  /** Which is why there is an option to refuse such paths. */
  @ParameterizedTest
  @CsvSource({"/admin, 403", "/x/../admin, 200", "/%61dmin, 200"})
  void pathsAreJudgedAsTheyAreWritten(String path, int status) throws IOException {
    try (Wire wire = connect(Way.GUARDED)) {
      wire.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(wire.response().status()).isEqualTo(status);
    }
  }

  @Test
  void documentedConfigurationIsTheOneThatRuns() throws IOException {
    assertThat(Repository.root().resolve("docs/deploy.md"))
        .content()
        .contains(DEFAULTS)
        .contains(FORWARDED_PROTO);
  }

  @Test
  void addressThatExpectsNoProxyRefusesHttp2AndTheLogNamesTheOption() throws IOException {
    String why = ":scheme https on an http address needs AddressOptions.alternateSchemes";
    try (Logs.Recording log = Logs.record(line -> line.text().endsWith(why))) {
      for (int i = 0; i < 2; i++) {
        try (Wire wire = connect(Way.UNPREPARED)) {
          wire.send("GET /request HTTP/1.1\r\nHost: x\r\n\r\n");
          assertThat(wire.response().status()).isEqualTo(502);
        }
      }
      assertThat(log.lines())
          .filteredOn(line -> line.level() == Level.INFO)
          .extracting(Logs.Line::text)
          .containsExactly("requests over HTTP/2 are refused: " + why);
    }
  }
}
