package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The opening handshake over HTTP/1.1 (RFC 6455 4.2, RFC 9110 7.8), right, almost and wrong. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class Http1HandshakeTest {
  private static final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");

  @BeforeAll
  void start() throws IOException {
    app.useWebSockets(options -> options.allowedOrigins("https://client.example"));
    app.mapWebSocket(
        "/ws",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.map(
        "/listener",
        Handler.nonBlocking(context ->
            context.webSockets().accept(new WebSocketAcceptContext(), new EchoListener())));
    app.mapWebSocket(
        "/chat",
        new WebSocketAcceptContext()
            .subprotocolSelector(offered -> offered.contains("two") ? "two" : null),
        socket -> socket.close());
    app.map("/own", context -> context.response().status(400).write("mine\n"));
    app.map("/nothing", context -> {});
    app.mapGet("/get", context -> context.response().write("got\n"));
    app.map(
        "/not-offered",
        context -> context.webSockets().accept(new WebSocketAcceptContext().subprotocol("never")));
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  private static final class EchoListener implements WebSocketListener {
    @Override
    public void onMessage(
        dev.windhover.http.websocket.WebSocket socket,
        dev.windhover.http.websocket.MessageType type,
        ByteBuffer payload)
        throws Exception {
      socket.send(payload, type, true);
    }
  }

  private static Wire connect() throws IOException {
    return Wire.connect(Ports.of(app));
  }

  private static Response ask(String request) throws IOException {
    try (Wire wire = connect()) {
      return wire.send(request).response();
    }
  }

  /** A valid handshake in which the line that begins with {@code name} is another. */
  private static String handshakeBut(String path, String name, String line) {
    return Wire.handshake(path)
        .replaceFirst("(?m)^" + name + ":.*\r\n", line.isEmpty() ? "" : line + "\r\n");
  }

  // ---- Right

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/listener"})
  void handshakeMayComeByteByByte(String path) throws IOException {
    try (Wire wire = connect()) {
      for (byte b : Wire.handshake(path).getBytes(StandardCharsets.US_ASCII)) {
        wire.send(b);
      }
      wire.response().expectUpgrade();
      echo(wire, "hello");
    }
  }

  /** RFC 9110 7.8; Kestrel does not. */
  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/listener"})
  void expectedContinueComesBeforeTheUpgrade(String path) throws IOException {
    try (Wire wire = connect()) {
      wire.send(Wire.handshake(path, "Expect: 100-continue"));
      Response interim = wire.responseHead();
      assertThat(interim.status()).isEqualTo(100);
      assertThat(interim.headers()).isEmpty();
      wire.response().expectUpgrade();
      echo(wire, "hello");
    }
  }

  /** The final answer has said it (RFC 9110 10.1.1). */
  @Test
  void continueIsNotSentWhereTheUpgradeIsRefused() throws IOException {
    String handshake = handshakeBut("/ws", "Sec-WebSocket-Version", "Expect: 100-continue");
    assertThat(ask(handshake).status()).isEqualTo(426);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/listener"})
  void firstFramesMayComeWithTheHandshake(String path) throws IOException {
    byte[] request = Wire.handshake(path).getBytes(StandardCharsets.US_ASCII);
    byte[] frames = Frame.masked(Frame.text("early"), Frame.ping("p"), Frame.text("bird"));
    for (int cut = 0; cut <= frames.length; cut++) {
      try (Wire wire = connect()) {
        byte[] first = Arrays.copyOf(request, request.length + cut);
        System.arraycopy(frames, 0, first, request.length, cut);
        wire.send(first);
        wire.send(Arrays.copyOfRange(frames, cut, frames.length));
        wire.response().expectUpgrade();
        expectInAnyOrder(wire);
        wire.abort();
      }
    }
  }

  /** The Pong may overtake an echo: the blocking form's handler takes a moment. */
  private static void expectInAnyOrder(Wire wire) throws IOException {
    assertThat(List.of(wire.frame(), wire.frame(), wire.frame()))
        .containsExactlyInAnyOrder(Frame.text("early"), Frame.pong("p"), Frame.text("bird"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/listener"})
  void muchMayComeWithTheHandshake(String path) throws Exception {
    byte[] payload = new byte[400_000];
    Arrays.fill(payload, (byte) 'x');
    try (Wire wire = connect()) {
      wire.send(Wire.handshake(path));
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  wire.send(new Frame(0x81, payload), new Frame(0x81, payload));
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      wire.response().expectUpgrade();
      assertThat(wire.frame()).isEqualTo(new Frame(0x81, payload));
      assertThat(wire.frame()).isEqualTo(new Frame(0x81, payload));
      writer.join();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/listener"})
  void clientMayEndItsSideWithItsFirstFrames(String path) throws IOException {
    try (Wire wire = connect()) {
      byte[] frames = Frame.masked(Frame.text("early"), Frame.close(1000, ""));
      String both = Wire.handshake(path) + new String(frames, StandardCharsets.ISO_8859_1);
      wire.send(both);
      wire.endOutput();
      wire.response().expectUpgrade();
      assertThat(wire.frame()).isEqualTo(Frame.text("early"));
      assertThat(wire.frame()).isEqualTo(Frame.close(1000, ""));
      wire.expectEnd();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/listener"})
  void clientThatEndsItsSideWithTheHandshakeIsNotWaitedFor(String path) throws IOException {
    try (Wire wire = connect()) {
      wire.send(Wire.handshake(path));
      wire.endOutput();
      wire.response().expectUpgrade();
      wire.expectEnd();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Connection: keep-alive, Upgrade",
        "connection: upgrade",
        "Connection: x\r\nConnection: UPGRADE"
      })
  void connectionMayNameMore(String line) throws IOException {
    ask(handshakeBut("/ws", "Connection", line)).expectUpgrade();
  }

  @ParameterizedTest
  @ValueSource(strings = {"upgrade: WebSocket", "Upgrade: h2c, websocket"})
  void upgradeMayNameMore(String line) throws IOException {
    ask(handshakeBut("/ws", "Upgrade", line)).expectUpgrade();
  }

  @Test
  void subprotocolIsAnswered() throws IOException {
    Response response =
        ask(
            Wire.handshake(
                "/chat", "Sec-WebSocket-Protocol: one, two", "Sec-WebSocket-Protocol: three"));
    response.expectUpgrade();
    assertThat(response.header("Sec-WebSocket-Protocol")).isEqualTo("two");

    assertThat(ask(Wire.handshake("/chat")).header("Sec-WebSocket-Protocol")).isNull();
  }

  @Test
  void extensionsAreDeclinedInSilence() throws IOException {
    Response response =
        ask(
            Wire.handshake(
                "/ws", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"));
    response.expectUpgrade();
    assertThat(response.header("Sec-WebSocket-Extensions")).isNull();
  }

  // ---- Almost

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      textBlock =
          """
          Sec-WebSocket-Version | Sec-WebSocket-Version: 12                           | Sec-WebSocket-Version 12 is not supported; 13 is
          Sec-WebSocket-Version | Sec-WebSocket-Version: 8                            | Sec-WebSocket-Version 8 is not supported; 13 is
          Sec-WebSocket-Version | Sec-WebSocket-Version: 013                          | Sec-WebSocket-Version 013 is not supported; 13 is
          Sec-WebSocket-Version | -                                                   | Sec-WebSocket-Version is missing; 13 is supported
          """)
  void wrongVersionIsAnsweredWith426(String name, String line, String cause) throws IOException {
    for (String path : new String[] {"/ws", "/listener", "/nothing"}) {
      Response response = ask(handshakeBut(path, name, line == null ? "" : line));
      assertThat(response.status()).isEqualTo(426);
      assertThat(response.body()).isEqualTo(cause + "\n");
      assertThat(response.header("Sec-WebSocket-Version")).isEqualTo("13");
      assertThat(response.header("Upgrade")).isEqualTo("websocket");
      assertThat(response.header("Connection")).isEqualTo("Upgrade");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      textBlock =
          """
          Sec-WebSocket-Key | -                                                | Sec-WebSocket-Key is missing
          Sec-WebSocket-Key | Sec-WebSocket-Key:                               | Sec-WebSocket-Key is not the base64 of 16 bytes
          Sec-WebSocket-Key | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ        | Sec-WebSocket-Key is not the base64 of 16 bytes
          Sec-WebSocket-Key | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j          | Sec-WebSocket-Key is not the base64 of 16 bytes
          Sec-WebSocket-Key | Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=      | Sec-WebSocket-Key is not the base64 of 16 bytes
          Sec-WebSocket-Key | Sec-WebSocket-Key: !!!lIHNhbXBsZSBub25jZQ==      | Sec-WebSocket-Key is not the base64 of 16 bytes
          Upgrade           | -                                                | Upgrade: websocket is missing
          Upgrade           | Upgrade: h2c                                     | Upgrade: websocket is missing
          Connection        | -                                                | Connection: Upgrade is missing
          Connection        | Connection: keep-alive                           | Connection: Upgrade is missing
          """)
  void faultIsAnsweredWith400AndItsCause(String name, String line, String cause)
      throws IOException {
    for (String path : new String[] {"/ws", "/listener", "/nothing"}) {
      Response response = ask(handshakeBut(path, name, line == null ? "" : line));
      assertThat(response.status()).isEqualTo(400);
      assertThat(response.body()).isEqualTo(cause + "\n");
      assertThat(response.header("Sec-WebSocket-Version")).isNull();
    }
  }

  @Test
  void foreignOriginIsAnsweredWith403() throws IOException {
    Response response = ask(Wire.handshake("/ws", "Origin: https://evil.example"));
    assertThat(response.status()).isEqualTo(403);
    assertThat(response.body()).isEqualTo("origin https://evil.example is not allowed\n");

    ask(Wire.handshake("/ws", "Origin: https://client.example")).expectUpgrade();
    ask(Wire.handshake("/ws")).expectUpgrade();
  }

  @Test
  void handlerThatAnswersByItselfIsOnlyHelpedWithTheVersion() throws IOException {
    Response version =
        ask(handshakeBut("/own", "Sec-WebSocket-Version", "Sec-WebSocket-Version: 12"));
    assertThat(version.status()).isEqualTo(400);
    assertThat(version.body()).isEqualTo("mine\n");
    assertThat(version.header("Sec-WebSocket-Version")).isEqualTo("13");
    assertThat(version.header("Upgrade")).isNull();

    Response key = ask(handshakeBut("/own", "Sec-WebSocket-Key", ""));
    assertThat(key.body()).isEqualTo("mine\n");
    assertThat(key.header("Sec-WebSocket-Version")).isNull();
  }

  @Test
  void subprotocolThatWasNotOfferedNeverReachesTheWire() throws IOException {
    try (var log =
        dev.windhover.verification.logs.Logs.record(line -> line.text().contains("failed"))) {
      Response response = ask(Wire.handshake("/not-offered", "Sec-WebSocket-Protocol: other"));
      assertThat(response.status()).isEqualTo(500);
      assertThat(log.lines()).hasSize(1);
    }
  }

  // ---- What follows a refusal

  /** Status, and the handshake that is refused with it. */
  static Stream<Arguments> refusals() {
    return Stream.of(
        arguments(400, handshakeBut("/ws", "Sec-WebSocket-Key", "")),
        arguments(400, handshakeBut("/listener", "Sec-WebSocket-Key", "")),
        arguments(403, Wire.handshake("/ws", "Origin: https://evil.example")),
        arguments(404, Wire.handshake("/nowhere")),
        arguments(426, handshakeBut("/ws", "Sec-WebSocket-Version", "")));
  }

  /** Connection: Upgrade goes with the Upgrade of a 426 (RFC 9110 7.8, 15.5.22). */
  private static List<String> connectionOptions(int status, String... more) {
    return Stream.concat(status == 426 ? Stream.of("Upgrade") : Stream.of(), Stream.of(more))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void connectionOfARefusedHandshakeStaysUsable(int status, String handshake) throws IOException {
    try (Wire wire = connect()) {
      Response refused = wire.send(handshake).response();
      assertThat(refused.status()).isEqualTo(status);
      assertThat(refused.all("Connection")).isEqualTo(connectionOptions(status));
      wire.send("GET /get HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo("got\n");
      wire.upgrade("/ws");
      echo(wire, "after all");
    }
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void bytesBehindARefusedHandshakeAreDropped(int status, String handshake) throws IOException {
    byte[] frame = Frame.text("early").masked();
    try (Wire wire = connect()) {
      wire.send(handshake + new String(frame, StandardCharsets.ISO_8859_1));
      Response refused = wire.response();
      assertThat(refused.status()).isEqualTo(status);
      assertThat(refused.all("Connection")).isEqualTo(connectionOptions(status, "close"));
      wire.expectEnd();
    }
  }

  // ---- Not an upgrade

  @Test
  void upgradeInHttp10IsIgnored() throws IOException {
    try (Wire wire = connect()) {
      wire.send(Wire.handshake("/get").replace("HTTP/1.1", "HTTP/1.0"));
      assertThat(wire.response().body()).isEqualTo("got\n");
      wire.expectEnd();
    }
    Response response = ask(Wire.handshake("/ws").replace("HTTP/1.1", "HTTP/1.0"));
    assertThat(response.status()).isEqualTo(400);
    assertThat(response.body()).isEqualTo("a WebSocket needs HTTP/1.1 or later\n");
  }

  @Test
  void upgradeWithABodyIsPlainHttp() throws IOException {
    try (Wire wire = connect()) {
      wire.send(Wire.handshake("/get", "Content-Length: 5") + "12345");
      assertThat(wire.response().body()).isEqualTo("got\n");
      wire.send(Wire.handshake("/ws", "Transfer-Encoding: chunked") + "5\r\n12345\r\n0\r\n\r\n");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(400);
      assertThat(response.body()).isEqualTo("a WebSocket request has no body\n");
    }
  }

  @Test
  void contentLengthOfZeroIsNoBody() throws IOException {
    ask(Wire.handshake("/ws", "Content-Length: 0")).expectUpgrade();
  }

  @Test
  void connectNeverReachesAHandler() throws IOException {
    try (Wire wire = connect()) {
      wire.send("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\nbytes behind");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(501);
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
    }
    assertThat(ask(Wire.handshake("/ws").replace("GET ", "CONNECT ")).status()).isEqualTo(501);
  }

  private static void echo(Wire wire, String text) throws IOException {
    wire.send(Frame.text(text));
    assertThat(wire.frame()).isEqualTo(Frame.text(text));
  }
}
