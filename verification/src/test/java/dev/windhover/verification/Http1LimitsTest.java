package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.Message;
import dev.windhover.server.ServerLimits;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** Limits on the host's time and memory for a client, short enough for a test to wait for them. */
@ExtendWith(StrictLogs.class)
class Http1LimitsTest {
  private static final String HOST = " HTTP/1.1\r\nHost: localhost\r\n";

  /** More than a busy machine stops a client for that is in time. */
  private static final Duration SHORT = Duration.ofMillis(500);

  /** Far beyond the short time, far below the test's patience: what must not happen by then. */
  private static final int LONG_MILLIS = 1_000;

  /** What says that a limit was reached. */
  private static final Pattern REACHED = Pattern.compile("(refused|dropped|closed|more than)\\b");

  private final Semaphore gate = new Semaphore(0);
  private final Logs.Recording log =
      Logs.record(line ->
          line.level().toInt() <= Level.WARN.toInt() && REACHED.matcher(line.text()).find());
  private final List<HandshakeRefusal> refusals = new CopyOnWriteArrayList<>();
  private WebApplication app = WebApplication.create();

  @AfterEach
  void stop() {
    gate.release(1_000);
    app.stop();
    log.close();
  }

  /** Requires one line, without a stack trace, that matches {@code regex}. */
  private void expectLogged(Level level, String regex) {
    assertThat(log.lines()).hasSize(1);
    Logs.Line line = log.lines().getFirst();
    assertThat(line.text()).matches(regex);
    assertThat(line.level()).isEqualTo(level);
    assertThat(line.failure()).isNull();
  }

  private void expectLogged(String regex) {
    expectLogged(Level.DEBUG, regex);
  }

  private int start(Consumer<ServerLimits> change) throws IOException {
    app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> change.accept(options.limits()));
    app.useWebSockets(options -> options.allowedOrigins("http://localhost"));
    app.events(
        new Events() {
          @Override
          public void handshakeRefused(
              HttpContext context, HandshakeRefusal cause, int status, String text) {
            refusals.add(cause);
          }
        });
    app.map("/hello", context -> context.response().write("hello\n"));
    app.mapPost(
        "/length",
        context -> {
          int length = context.request().body().readAllBytes().length;
          context.response().write(length + " " + context.request().trailers() + "\n");
        });
    app.mapPost(
        "/raised",
        context -> {
          context.request().maxBodySize(1_000_000);
          context.response().write(context.request().body().readAllBytes().length + "\n");
        });
    app.mapPost(
        "/late",
        context -> {
          try (InputStream body = context.request().body()) {
            body.read();
            context.request().maxBodySize(1_000_000);
          }
        });
    app.mapPost(
        "/gate",
        context -> {
          assertThat(gate.tryAcquire(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
          context.response().write(context.request().body().readAllBytes().length + "\n");
        });
    app.mapPost("/ignore", context -> context.response().write("ignored\n"));
    app.map(
        "/large",
        context -> {
          context.response().contentLength(100_000_000);
          for (int i = 0; i < 1_000; i++) {
            context.response().write(ByteBuffer.allocate(100_000));
          }
        });
    app.mapWebSocket(
        "/echo",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.start();
    return Ports.of(app);
  }

  private static void get(Wire wire, String path) throws IOException {
    wire.send("GET " + path + HOST + "\r\n");
  }

  // ---- Heads

  @Test
  void headersOfTheLimitAreServedAndOneMoreIsAnsweredWith431() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxHeaderCount(10)))) {
      wire.send("GET /hello" + HOST + "A: b\r\n".repeat(9) + "\r\n");
      assertThat(wire.response().status()).isEqualTo(200);
      wire.send("GET /hello" + HOST + "A: b\r\n".repeat(10) + "\r\n");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(431);
      assertThat(response.body()).isEqualTo("11 headers are more than 10\n");
      wire.expectEnd();
      expectLogged("connection c\\d+ refused with 431: 11 headers are more than 10");
    }
  }

  @Test
  void requestLineOfTheLimitIsServedAndOneByteMoreIsAnsweredWith414() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxRequestLine(100)))) {
      String path = "/hello?" + "x".repeat(100 - "GET /hello? HTTP/1.1".length());
      get(wire, path);
      assertThat(wire.response().status()).isEqualTo(200);
      get(wire, path + "x");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(414);
      assertThat(response.body()).isEqualTo("request line is longer than 100 bytes\n");
      wire.expectEnd();
      expectLogged("connection c\\d+ refused with 414: request line is longer than 100 bytes");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "HTTP/1.1|, 400", // no Host
    "HTTP/1.1|Host: localhost|Host: localhost|, 400",
    "HTTP/1.1|Host: localhost|A : b|, 400",
    "HTTP/1.1|Host: localhost|Content-Length: x|, 400",
    "HTTP/2.0|Host: localhost|, 505",
    "HTTP/1.1|Host: localhost|A: b|A: b|, 431",
  })
  void headThatIsRefusedGetsNoBody(String rest, int status) throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxHeaderCount(2)))) {
      wire.send("HEAD /hello " + rest.replace("|", "\r\n") + "\r\n");
      Response response = wire.headResponse();
      assertThat(response.status()).isEqualTo(status);
      assertThat(response.header("Content-Length")).isNotEqualTo("0");
      wire.expectEnd();
    }
  }

  @Test
  void bytesOfHeadersAreLimited() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxHeaders(1_000)))) {
      wire.send("GET /hello" + HOST + "A: " + "b".repeat(970) + "\r\n\r\n");
      assertThat(wire.response().status()).isEqualTo(200);
      wire.send("GET /hello" + HOST + "A: " + "b".repeat(1_000) + "\r\n\r\n");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(431);
      assertThat(response.body()).isEqualTo("headers are larger than 1000 bytes\n");
      wire.expectEnd();
      expectLogged("connection c\\d+ refused with 431: headers are larger than 1000 bytes");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\r\n", "GET /hel", "GET /hello HTTP/1.1\r\nHost: lo"})
  void headThatDoesNotComeInTimeIsAnsweredWith408(String begun) throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.headersTimeout(SHORT)))) {
      wire.send(begun);
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(408);
      assertThat(response.body()).isEqualTo("no complete request within 500 ms\n");
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
      expectLogged("connection c\\d+ refused with 408: no complete request within 500 ms");
    }
  }

  @Test
  void headThatComesByteByByteHasNoMoreTime() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.headersTimeout(SHORT)))) {
      wire.send("GET /hello" + HOST);
      while (wire.isQuietFor(20)) {
        wire.send("A: b\r\n");
      }
      assertThat(wire.response().status()).isEqualTo(408);
    }
  }

  @Test
  void nextHeadHasItsTimeFromItsFirstByte() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.headersTimeout(SHORT)))) {
      get(wire, "/hello");
      assertThat(wire.response().status()).isEqualTo(200);
      assertThat(wire.isQuietFor(LONG_MILLIS)).isTrue();
      wire.send("GET /hel");
      assertThat(wire.response().status()).isEqualTo(408);
      wire.expectEnd();
    }
  }

  @Test
  void handlerMayTakeLongerThanAHead() throws IOException {
    int port = start(limits -> limits.headersTimeout(SHORT).idleTimeout(SHORT));
    try (Wire wire = Wire.connect(port)) {
      wire.send("POST /gate" + HOST + "Content-Length: 0\r\n\r\nGET /hel"); // and the next begins
      assertThat(wire.isQuietFor(LONG_MILLIS)).isTrue();
      gate.release();
      assertThat(wire.response().body()).isEqualTo("0\n");
      wire.send("lo" + HOST + "\r\n");
      assertThat(wire.response().body()).isEqualTo("hello\n");
    }
  }

  @Test
  void idleConnectionIsClosedWithoutAnAnswer() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.idleTimeout(SHORT)))) {
      for (int i = 0; i < 3; i++) {
        get(wire, "/hello");
        assertThat(wire.response().status()).isEqualTo(200);
      }
      wire.expectEnd();
      expectLogged("connection c\\d+ closed: no request within \\d+ ms");
    }
  }

  // ---- Bodies

  @ParameterizedTest
  @ValueSource(
      strings = {"Content-Length: 1001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"})
  void bodyBeyondTheLimitIsAnsweredWith413(String framing) throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxBodySize(1_000)))) {
      wire.send("POST /length" + HOST + framing);
      wire.send(new byte[1_001]);
      wire.send("\r\n0\r\n\r\n");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(413);
      assertThat(response.body()).isEqualTo("body exceeds limit of 1000 bytes\n");
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
      expectLogged("body of c\\d+-1 refused with 413: body exceeds limit of 1000 bytes");
    }
  }

  @Test
  void bodyOfTheLimitIsRead() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxBodySize(1_000)))) {
      wire.send("POST /length" + HOST + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n");
      wire.send(new byte[1_000]);
      wire.send("\r\n0\r\nSum: 0\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo("1000 [Sum: 0]\n"); // with its trailers
      wire.send("POST /length" + HOST + "Content-Length: 1000\r\n\r\n");
      wire.send(new byte[1_000]);
      assertThat(wire.response().body()).isEqualTo("1000 []\n");
    }
  }

  @Test
  void handlerMayRaiseTheLimitBeforeItReadsAndNotLater() throws IOException {
    int port = start(limits -> limits.maxBodySize(1_000));
    try (Wire wire = Wire.connect(port)) {
      wire.send("POST /raised" + HOST + "Content-Length: 1000000\r\n\r\n");
      wire.send(new byte[1_000_000]);
      assertThat(wire.response().body()).isEqualTo("1000000\n");
    }
    try (Logs.Recording errors = Logs.record(line -> line.level() == Level.ERROR);
        Wire wire = Wire.connect(port)) {
      wire.send("POST /late" + HOST + "Content-Length: 5\r\n\r\nabcde");
      assertThat(wire.response().status()).isEqualTo(500);
      assertThat(errors.lines().getFirst().failure()).hasMessage("the body is being read already");
    }
  }

  @Test
  void bodyBeyondTheLimitIsNotAskedFor() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.maxBodySize(1_000)))) {
      wire.send("POST /length" + HOST + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
      assertThat(wire.response().status()).isEqualTo(413); // rather than 100
      wire.expectEnd();
    }
  }

  @Test
  void bodyThatComesTooSlowlyIsAnsweredWith408() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.minBodyRate(100_000, SHORT)))) {
      wire.send("POST /length" + HOST + "Content-Length: 100000\r\n\r\n");
      wire.send(new byte[50_000]); // having been fast is no credit
      while (wire.isQuietFor(20)) {
        wire.send(new byte[1]);
      }
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(408);
      assertThat(response.body()).isEqualTo("the request's body comes too slowly\n");
      wire.expectEnd();
      expectLogged("body of c\\d+-1 refused with 408: the request's body comes too slowly");
    }
  }

  @Test
  void bodyAtTheRateMayTakeItsTime() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.minBodyRate(1_000, SHORT)))) {
      wire.send("POST /length" + HOST + "Content-Length: 10000\r\n\r\n");
      for (int i = 0; i < 50; i++) { // more than the grace, of which each piece brings some back
        assertThat(wire.isQuietFor(20)).isTrue();
        wire.send(new byte[200]);
      }
      assertThat(wire.response().body()).startsWith("10000 ");
    }
  }

  @Test
  void timeInWhichTheHandlerDoesNotReadIsNotTheClients() throws IOException {
    try (Wire wire = Wire.connect(start(limits -> limits.minBodyRate(100_000, SHORT)))) {
      wire.send("POST /gate" + HOST + "Content-Length: 3\r\n\r\n");
      assertThat(wire.isQuietFor(LONG_MILLIS)).isTrue();
      wire.send("abc");
      gate.release();
      assertThat(wire.response().body()).isEqualTo("3\n");
    }
  }

  // ---- Responses

  @Test
  void clientThatTakesNothingIsDropped() throws IOException {
    int port = start(limits -> limits.minResponseRate(1_000_000, SHORT));
    try (Wire wire = narrow(port)) {
      get(wire, "/large");
      expectResetUnread(wire);
      expectLogged("connection c\\d+ dropped: its client takes the response too slowly");
    }
  }

  @Test
  void clientThatTakesSmallAnswersTooSlowlyIsDroppedToo() throws IOException {
    int port = start(limits -> limits.minResponseRate(1_000_000, SHORT));
    try (Wire wire = narrow(port)) {
      expectResetUnread(wire, "GET /nowhere" + HOST + "\r\n");
    }
  }

  @Test
  void clientThatReadsAboveTheRateGetsAll() throws IOException {
    int port = start(limits -> limits.minResponseRate(1_000_000, SHORT));
    try (Wire wire = narrow(port)) {
      get(wire, "/large");
      assertThat(wire.response().bytes()).hasSize(100_000_000);
    }
  }

  private static void expectResetUnread(Wire wire) {
    expectResetUnread(wire, "\r\n");
  }

  /** Sends {@code more} again and again, reads nothing, and expects that the server resets. */
  private static void expectResetUnread(Wire wire, String more) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
    assertThatIOException()
        .isThrownBy(() -> {
          while (System.nanoTime() < end) {
            wire.send(more);
          }
        })
        .withMessageMatching("(?i)(connection reset|broken pipe).*");
  }

  private static Wire narrow(int port) throws IOException {
    return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 8 * 1024);
  }

  // ---- Connections

  @Test
  void oneConnectionTooManyIsClosedBeforeAnythingIsRead() throws IOException {
    int port = start(limits -> limits.maxConnections(3));
    List<Wire> wires = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Wire wire = Wire.connect(port);
      wires.add(wire);
      get(wire, "/hello");
      assertThat(wire.response().status()).isEqualTo(200);
    }
    for (int i = 0; i < 3; i++) { // and the log is not for clients to fill
      try (Wire refused = Wire.connect(port)) {
        refused.expectEnd();
      }
    }
    expectLogged(
        Level.WARN,
        "more than 3 connections; these are closed unread \\(ServerLimits.maxConnections\\)");
    wires.getFirst().upgrade("/echo"); // counts apart from here on, and makes room
    try (Wire next = Wire.connect(port)) {
      get(next, "/hello");
      assertThat(next.response().status()).isEqualTo(200);
    }
    for (Wire wire : wires) {
      wire.close();
    }
  }

  @Test
  void oneUpgradeTooManyIsAnsweredWith503() throws IOException {
    int port = start(limits -> limits.maxUpgradedConnections(1));
    try (Wire refused = Wire.connect(port)) {
      try (Wire first = Wire.open(port, "/echo")) {
        refused.send(Wire.handshake("/echo"));
        Response response = refused.response();
        assertThat(response.status()).isEqualTo(503);
        assertThat(response.header("Retry-After")).isEqualTo("5");
        assertThat(response.body()).isEqualTo("upgraded connections are limited to 1\n");
        assertThat(refusals).containsExactly(HandshakeRefusal.NO_ROOM);
        assertThat(log.lines())
            .extracting(Logs.Line::level)
            .containsExactly(Level.WARN, Level.DEBUG); // the operator's line, and the request's
        get(refused, "/hello"); // which is not in the way of other requests
        assertThat(refused.response().status()).isEqualTo(200);
        first.send(Frame.close(1000, ""));
        first.frame();
        first.expectEnd();
      }
      int status;
      do { // the server sees the end of the first one soon
        refused.send(Wire.handshake("/echo"));
        status = refused.response().status();
      } while (status == 503);
      assertThat(status).isEqualTo(101);
    }
  }

  @Test
  void socketIsExemptFromWhatBindsRequests() throws IOException {
    int port =
        start(limits ->
            limits
                .headersTimeout(SHORT)
                .idleTimeout(SHORT)
                .maxBodySize(10)
                .minBodyRate(100_000, SHORT)
                .minResponseRate(100_000, SHORT));
    try (Wire wire = Wire.open(port, "/echo")) {
      assertThat(wire.isQuietFor(LONG_MILLIS)).isTrue();
      wire.send(Frame.binary(new byte[10_000]));
      assertThat(wire.frame().payload()).hasSize(10_000);
      assertThat(log.lines()).isEmpty();
    }
  }
}
