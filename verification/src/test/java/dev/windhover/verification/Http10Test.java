package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A client of HTTP/1.0 (RFC 9112 2.3, 9.3). {@link Wire} checks that the status line says HTTP/1.1.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class Http10Test {
  private static final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");

  @BeforeAll
  void start() throws IOException {
    app.useWebSockets(options -> options.allowedOrigins("http://localhost"));
    app.map("/hello", context -> context.response().write("hello\n"));
    app.map(
        "/pieces",
        context -> {
          context.response().write("one, ");
          context.response().flush();
          context.response().write("two\n");
        });
    app.map("/nothing", context -> context.response().status(204));
    app.mapPost(
        "/length",
        context -> context.response().write(context.request().body().readAllBytes().length + "\n"));
    app.mapWebSocket("/ws", socket -> socket.close());
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  private static Wire send(String... lines) throws IOException {
    return Wire.connect(Ports.of(app)).send(String.join("\r\n", lines) + "\r\n\r\n");
  }

  @Test
  void connectionIsClosedBehindTheAnswer() throws IOException {
    try (Wire wire = send("GET /hello HTTP/1.0")) {
      Response response = wire.response();
      assertThat(response.body()).isEqualTo("hello\n");
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
    }
  }

  @Test
  void connectionIsKeptWhereTheClientAsksAndTheAnswerSaysSo() throws IOException {
    try (Wire wire = send("GET /hello HTTP/1.0", "Connection: Keep-Alive")) {
      for (String next : new String[] {"/nothing", "/hello"}) {
        Response response = wire.response();
        assertThat(response.header("Connection")).isEqualTo("keep-alive");
        wire.send("GET " + next + " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      }
      assertThat(wire.response().body()).isEqualTo("hello\n");
    }
  }

  @Test
  void bodyOfUnknownLengthEndsWithTheConnectionRatherThanInChunks() throws IOException {
    try (Wire wire = send("GET /pieces HTTP/1.0", "Connection: keep-alive")) {
      Response response = wire.response();
      assertThat(response.header("Transfer-Encoding")).isNull();
      assertThat(response.header("Content-Length")).isNull();
      assertThat(response.header("Connection")).isEqualTo("close");
      assertThat(response.body()).isEqualTo("one, two\n");
    }
  }

  /** RFC 9110 10.1.1: it does not know what 100 is. */
  @Test
  void bodyIsNotAskedFor() throws IOException {
    try (Wire wire = send("POST /length HTTP/1.0", "Expect: 100-continue", "Content-Length: 3")) {
      assertThat(wire.isQuietFor(300)).isTrue();
      wire.send("abc");
      assertThat(wire.response().body()).isEqualTo("3\n");
      wire.expectEnd();
    }
  }

  /** RFC 9110 7.8. */
  @Test
  void upgradeIsIgnored() throws IOException {
    String handshake = Wire.handshake("/hello").replace("HTTP/1.1", "HTTP/1.0");
    try (Wire wire = Wire.connect(Ports.of(app)).send(handshake)) {
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(200);
      assertThat(response.header("Upgrade")).isNull();
      wire.expectEnd();
    }
    try (Wire wire = Wire.connect(Ports.of(app)).send(handshake.replace("/hello", "/ws"))) {
      assertThat(wire.response().status()).isEqualTo(400);
      wire.expectEnd();
    }
  }
}
