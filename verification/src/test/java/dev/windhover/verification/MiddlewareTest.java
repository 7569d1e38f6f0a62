package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.middleware.ForwardedHeader;
import dev.windhover.http.middleware.HttpLogging;
import dev.windhover.http.websocket.Message;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The middleware that users expect, over a connection. */
@ExtendWith(StrictLogs.class)
class MiddlewareTest {
  /** What of a server's life a test looks at. */
  private interface Use {
    void of(int port) throws Exception;
  }

  private static void serve(Consumer<WebApplication> setUp, Use use, String... args)
      throws Exception {
    String[] all = new String[args.length + 1];
    all[0] = "--urls=http://127.0.0.1:0";
    System.arraycopy(args, 0, all, 1, args.length);
    WebApplication app = WebApplication.create(all);
    setUp.accept(app);
    app.mapGet("/who", Handler.nonBlocking(MiddlewareTest::who));
    app.mapGet(
        "/fails",
        context -> {
          throw new IllegalStateException("on <purpose>");
        });
    app.mapWebSocket(
        "/ws",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.start();
    try {
      use.of(Ports.of(app));
    } finally {
      app.stop();
    }
  }

  private static void who(HttpContext context) throws IOException {
    InetSocketAddress remote = (InetSocketAddress) context.connection().remote();
    String from = remote.getAddress().getHostAddress();
    context
        .response()
        .write(from + " " + context.request().scheme() + " " + context.request().host());
  }

  private static Response send(int port, String... lines) throws IOException {
    try (Wire wire = Wire.connect(port)) {
      wire.send(String.join("\r\n", lines) + "\r\n\r\n");
      return wire.response();
    }
  }

  // ---- Forwarded headers

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 203.0.113.7 https example.com", // us
    "127.0.0.9, 127.0.0.1 http backend", // somebody else
  })
  void onlyAKnownProxyIsBelieved(String known, String seen) throws Exception {
    serve(
        app ->
            app.useForwardedHeaders(o ->
                o.clearKnown().knownProxies(known).forwardedHeaders(ForwardedHeader.FORWARDED)),
        port ->
            assertThat(
                    send(
                            port,
                            "GET /who HTTP/1.1",
                            "Host: backend",
                            "Forwarded: for=6.6.6.6, for=203.0.113.7;proto=https;host=example.com")
                        .body())
                .isEqualTo(seen));
  }

  // ---- Hosts and origins

  @ParameterizedTest
  @CsvSource({
    "https://example.com, example.com, https, 101",
    "http://example.com, example.com, https, 403",
    "https://example.com, example.com, http, 403",
    "https://evil.org, example.com, https, 403",
    "https://evil.org, evil.org, https, 400", // a name that was pointed at us
    "https://evil.org, evil.org:443, https, 400",
  })
  void sameOriginBehindAProxyIsThatOfAnAllowedHost(
      String origin, String host, String proto, int status) throws Exception {
    serve(
        app -> {
          app.useForwardedHeaders();
          app.useHostFiltering(o -> o.allowedHosts("example.com"));
          app.useWebSockets(o -> o.sameOrigin());
        },
        port -> {
          String handshake =
              Wire.handshake(
                  "/ws",
                  "Origin: " + origin,
                  "X-Forwarded-For: 203.0.113.7",
                  "X-Forwarded-Proto: " + proto);
          try (Wire wire = Wire.connect(port)) {
            wire.send(handshake.replace("Host: localhost", "Host: " + host));
            Response response = wire.response();
            assertThat(response.status()).as(response.toString()).isEqualTo(status);
            if (status == 101) {
              wire.send(Frame.close(1000, ""));
              wire.frame();
            }
          }
        });
  }

  @ParameterizedTest
  @CsvSource({
    "/who, example.com, 200",
    "/who, evil.org, 400",
    "http://example.com/who, example.com, 200",
    "http://evil.org/who, evil.org, 400",
  })
  void otherHostsAreRefused(String target, String host, int status) throws Exception {
    serve(
        app -> app.useHostFiltering(o -> o.allowedHosts("example.com")),
        port -> {
          Response response = send(port, "GET " + target + " HTTP/1.1", "Host: " + host);
          assertThat(response.status()).isEqualTo(status);
          if (status == 400) {
            assertThat(response.body()).isEqualTo("host evil.org is not allowed\n");
          }
        });
  }

  // ---- CORS

  @Test
  void aPreflightIsAnsweredAndAFailureCanBeSeenByItsPage() throws Exception {
    serve(
        app ->
            app.useCors(p ->
                p.withOrigins("https://client.com")
                    .withMethods("PUT")
                    .allowAnyHeader()
                    .allowCredentials()
                    .preflightMaxAge(Duration.ofHours(1))),
        port -> {
          Response preflight =
              send(
                  port,
                  "OPTIONS /who HTTP/1.1",
                  "Host: api",
                  "Origin: https://client.com",
                  "Access-Control-Request-Method: PUT",
                  "Access-Control-Request-Headers: x-requested-with");
          assertThat(preflight.status()).isEqualTo(204);
          assertThat(preflight.headers())
              .contains(
                  "Vary: Origin",
                  "Access-Control-Allow-Origin: https://client.com",
                  "Access-Control-Allow-Credentials: true",
                  "Access-Control-Allow-Methods: PUT",
                  "Access-Control-Allow-Headers: x-requested-with",
                  "Access-Control-Max-Age: 3600");
          try (Logs.Recording failures =
              Logs.record(line -> line.text().contains(" failed: GET /fails "))) {
            Response failed =
                send(port, "GET /fails HTTP/1.1", "Host: api", "Origin: https://client.com");
            assertThat(failed.status()).isEqualTo(500);
            assertThat(failed.header("Access-Control-Allow-Origin"))
                .isEqualTo("https://client.com");
            assertThat(failed.header("Vary")).isEqualTo("Origin");
            assertThat(failures.lines()).hasSize(1);
          }
          Response other =
              send(port, "GET /who HTTP/1.1", "Host: api", "Origin: https://client.com.evil.org");
          assertThat(other.header("Access-Control-Allow-Origin")).isNull();
          assertThat(other.header("Vary")).isEqualTo("Origin");
        });
  }

  // ---- HTTPS

  @Test
  void httpIsSentToHttpsWhichIsRemembered() throws Exception {
    serve(
        app -> {
          app.useForwardedHeaders();
          app.useHsts();
          app.useHttpsRedirection(o -> o.httpsPort(5001));
        },
        port -> {
          Response redirected = send(port, "GET /who?a=%2F HTTP/1.1", "Host: example.com:" + port);
          assertThat(redirected.status()).isEqualTo(307);
          assertThat(redirected.header("Location")).isEqualTo("https://example.com:5001/who?a=%2F");
          assertThat(redirected.header("Strict-Transport-Security")).isNull();
          Response secure =
              send(
                  port,
                  "GET /who HTTP/1.1",
                  "Host: example.com",
                  "X-Forwarded-For: 203.0.113.7",
                  "X-Forwarded-Proto: https");
          assertThat(secure.body()).isEqualTo("203.0.113.7 https example.com");
          assertThat(secure.header("Strict-Transport-Security")).isEqualTo("max-age=2592000");
        });
  }

  // ---- The access log

  private static String awaitLine(Logs.Recording recording) {
    long deadline = System.nanoTime() + Duration.ofMillis(Wire.MOST_MILLIS).toNanos();
    while (recording.lines().isEmpty() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(recording.lines()).hasSize(1);
    return recording.lines().getFirst().text();
  }

  @Test
  void everyRequestIsOneLineOfTheAccessLog() throws Exception {
    Consumer<WebApplication> setUp =
        app -> {
          app.useHttpLogging();
          app.useForwardedHeaders();
          app.useWebSockets(o -> o.allowedOrigins("*"));
        };
    serve(
        setUp,
        port -> {
          try (Logs.Recording log = Logs.record(line -> line.logger().equals(HttpLogging.LOGGER))) {
            send(port, "GET /who?secret HTTP/1.1", "Host: a", "X-Forwarded-For: 203.0.113.7");
            assertThat(awaitLine(log))
                .matches("\\S+ 203\\.0\\.113\\.7 \"GET /who HTTP/1\\.1\" 200 18 \\d+\\.\\d{3} ms");
          }
          try (Logs.Recording log = Logs.record(line -> line.logger().equals(HttpLogging.LOGGER))) {
            try (Wire wire = Wire.open(port, "/ws")) {
              wire.send(Frame.text("hello"));
              assertThat(wire.frame()).isEqualTo(Frame.text("hello"));
              assertThat(log.lines()).isEmpty();
            }
            assertThat(awaitLine(log))
                .matches("\\S+ 127\\.0\\.0\\.1 \"GET /ws HTTP/1\\.1\" 101 0 \\d+\\.\\d{3} ms");
          }
        });
  }

  // ---- Failures

  @ParameterizedTest
  @CsvSource({
    ", false",
    "--environment=Production, false",
    "--environment=Development, true",
    "--environment=development, true",
  })
  void failuresAreShownInDevelopmentOnly(@Nullable String argument, boolean shown)
      throws Exception {
    serve(
        app -> {},
        port -> {
          try (Logs.Recording failures =
              Logs.record(line -> line.text().contains(" failed: GET /fails "))) {
            Response failed = send(port, "GET /fails HTTP/1.1", "Host: a", "Accept: text/html,*/*");
            assertThat(failed.status()).isEqualTo(500);
            if (shown) {
              assertThat(failed.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
              assertThat(failed.body()).contains("on &lt;purpose&gt;", "MiddlewareTest");
            } else {
              assertThat(failed.body()).isEqualTo("internal server error\n");
            }
            assertThat(failures.lines()).hasSize(1);
          }
        },
        argument == null ? new String[0] : new String[] {argument});
  }
}
