package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;
import dev.windhover.server.ServerLimits;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Stream;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The limits of HTTP/2, each under the attack that it protects against (RFC 9113 10.5). */
@ExtendWith(StrictLogs.class)
class Http2LimitsTest {
  private final Semaphore gate = new Semaphore(0);
  private WebApplication app = WebApplication.create();

  @AfterEach
  void stop() {
    gate.release(10_000);
    app.stop();
  }

  private Http2Wire connect(Consumer<ServerLimits> change) throws IOException {
    return Http2Wire.connect(start(change));
  }

  private int start(Consumer<ServerLimits> change) throws IOException {
    app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> change.accept(options.limits()));
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map("/hello", context -> context.response().write("hello"));
    app.map(
        "/gate",
        context -> {
          gate.tryAcquire(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
          context.response().write("through");
        });
    app.map(
        "/thinks",
        context -> {
          gate.tryAcquire(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
          context.response().status(404).write("no socket here");
        });
    app.map(
        "/length",
        context -> context.response().write("" + context.request().body().readAllBytes().length));
    app.map(
        "/large",
        context -> {
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

  private static String text(Stream stream) throws IOException {
    return new String(stream.body(), java.nio.charset.StandardCharsets.UTF_8);
  }

  // ---- Streams

  @Test
  void oneStreamTooManyIsRefused() throws IOException {
    try (Http2Wire wire = connect(limits -> limits.http2().maxStreamsPerConnection(3))) {
      List<Stream> streams = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        streams.add(wire.get("/gate"));
      }
      assertThat(wire.get("/hello").resetCode()).isEqualTo(Http2Wire.REFUSED_STREAM);
      gate.release(3);
      for (Stream stream : streams) {
        assertThat(text(stream)).isEqualTo("through");
      }
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
    }
  }

  @Test
  void oneSocketTooManyOnAConnectionIsAnsweredWith503() throws IOException {
    try (Http2Wire wire = connect(limits -> limits.http2().maxWebSocketsPerConnection(2))) {
      Stream first = wire.open("/echo");
      wire.open("/echo");
      Stream refused = wire.connectWebSocket("/echo");
      assertThat(refused.responseHeaders())
          .containsEntry(":status", "503")
          .containsEntry("retry-after", "5");
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
      first.send(Frame.close(1000, ""));
      first.endOutput();
      first.frame();
      wire.ping();
      wire.open("/echo"); // there is room again
    }
  }

  @Test
  void socketsOfAllConnectionsCount() throws IOException {
    int port = start(limits -> limits.maxUpgradedConnections(2));
    try (Http2Wire one = Http2Wire.connect(port);
        Logs.Recording log = Logs.record(line -> line.text().contains("upgraded connections"));
        Wire http1 = Wire.open(port, "/echo")) {
      Stream stream = one.open("/echo");
      assertThat(one.connectWebSocket("/echo").status()).isEqualTo(503);
      stream.reset(Http2Wire.CANCEL);
      one.ping();
      one.open("/echo");
      http1.send(Frame.close(1000, ""));
      http1.frame();
      http1.expectEnd();
      assertThat(log.lines()).isNotEmpty();
    }
  }

  // ---- Floods

  /** CVE-2023-44487: each handler still runs when its stream is gone. */
  @Test
  void rapidResetsEndTheConnection() throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      for (int i = 0; i < 201; i++) {
        Stream stream = wire.get("/hello", "x: y");
        stream.reset(Http2Wire.CANCEL);
      }
      // Some were answered before their reset came, and then they were not given up.
      floodUntilGone(() -> wire.get("/gate").reset(Http2Wire.CANCEL));
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  /** However slowly requests are cancelled, the running handlers are bounded too. */
  @Test
  void handlersOfStreamsThatAreGoneAreBounded() throws IOException {
    try (Http2Wire wire =
        connect(limits -> limits.http2().maxStreamsPerConnection(5).maxResets(1_000))) {
      for (int i = 0; i < 10; i++) {
        wire.get("/gate").reset(Http2Wire.CANCEL);
      }
      assertThat(wire.get("/hello").resetCode()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
      gate.release(10);
      Stream later;
      do { // the handlers end on threads of their own
        wire.ping();
        later = wire.get("/hello");
      } while (!isAnswered(later));
      assertThat(text(later)).isEqualTo("hello");
    }
  }

  private static boolean isAnswered(Stream stream) throws IOException {
    try {
      return stream.status() == 200;
    } catch (AssertionError e) {
      return false;
    }
  }

  /** CVE-2025-8671, "made you reset": the client's faults, our resets. */
  @Test
  void faultsThatMakeUsResetEndTheConnection() throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      floodUntilGone(() -> {
        Stream stream = wire.get("/gate");
        wire.windowUpdate(stream.id(), 0);
      });
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void socketsThatAreClosedInOrderAreNoAbuse() throws IOException {
    try (Http2Wire wire = connect(limits -> limits.http2().maxResets(5))) {
      for (int i = 0; i < 30; i++) {
        Stream stream = wire.open("/echo");
        stream.send(Frame.close(1000, ""));
        assertThat(stream.frame()).isEqualTo(Frame.close(1000, ""));
        if (i % 2 == 0) {
          stream.endOutput();
        } else {
          stream.reset(Http2Wire.CANCEL); // Chromium's way
        }
      }
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
    }
  }

  /** A page that is left cancels everything that it was still loading. */
  @Test
  void answersThatAreGivenUpCountOnceAndAreNotReset() throws IOException {
    try (Http2Wire wire = connect(limits -> limits.http2().maxResets(20))) {
      for (int i = 0; i < 20; i++) {
        Stream stream = wire.get("/large");
        assertThat(stream.status()).isEqualTo(200);
        stream.reset(Http2Wire.CANCEL);
      }
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
      assertThat(wire.frames()).noneMatch(frame -> frame.type() == Http2Wire.RST_STREAM);
      wire.get("/large").reset(Http2Wire.CANCEL);
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  /** The server's own: for want of reading. */
  @Test
  void answersThatTheServerDropsAreNoAbuse() throws IOException {
    int port =
        start(limits ->
            limits.minResponseRate(1_000_000, Duration.ofMillis(100)).http2().maxResets(5));
    try (Http2Wire wire = Http2Wire.connect(port)) {
      List<Stream> streams = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        streams.add(wire.get("/large"));
      }
      for (Stream stream : streams) {
        assertThat(stream.resetCode()).isEqualTo(Http2Wire.CANCEL);
      }
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
      for (Stream stream : streams) {
        assertThat(wire.frames().stream().filter(frame -> frame.stream() == stream.id()).toList())
            .last()
            .matches(frame -> frame.type() == Http2Wire.RST_STREAM); // and nothing behind it
      }
    }
  }

  private interface Attack {
    void once() throws IOException;
  }

  private static void floodUntilGone(Attack attack) {
    try {
      for (int i = 0; i < 20_000; i++) {
        attack.once();
      }
    } catch (IOException | AssertionError e) {
      // so the server has gone
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Http2Wire.SETTINGS, Http2Wire.PING, Http2Wire.PRIORITY, 0xBE})
  void floodOfFramesThatCarryNothingEndsTheConnection(int type) throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      Stream open = wire.get("/gate");
      int size = type == Http2Wire.PING ? 8 : type == Http2Wire.PRIORITY ? 5 : 0;
      int stream = type == Http2Wire.PRIORITY || type == 0xBE ? open.id() : 0;
      floodUntilGone(() -> wire.frame(type, 0, stream, new byte[size]));
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void floodOfEmptyDataEndsTheConnection() throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/length"));
      floodUntilGone(() -> wire.frame(Http2Wire.DATA, 0, stream.id()));
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void floodOfContinuationsEndsTheConnection() throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      Stream stream = wire.newStream();
      wire.frame(Http2Wire.HEADERS, 0, stream.id(), Http2Wire.block(":method: GET"));
      floodUntilGone(() -> wire.frame(Http2Wire.CONTINUATION, 0, stream.id()));
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void bytesBeforeTheAnswerToAConnectTakeNoMoreThanThemselves() throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      long before = Memory.heap() + Memory.direct();
      for (int i = 0; i < 20; i++) {
        Stream stream = wire.connectWebSocket("/thinks");
        byte[][] many = new byte[10_000][];
        Arrays.fill(many, Http2Wire.bytes(Http2Wire.DATA, 0, stream.id(), (byte) 'x'));
        wire.send(Http2Wire.concat(many));
      }
      wire.ping();
      assertThat(Memory.heap() + Memory.direct() - before).isLessThan(4 << 20);
    }
  }

  @Test
  void smallPiecesOfABodyTakeNoMoreThanTheirBytes() throws IOException {
    try (Http2Wire wire = connect(limits -> {})) {
      long before = Memory.heap() + Memory.direct();
      List<Stream> streams = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Stream stream = wire.request(false, Http2Wire.head("POST", "/gate"));
        byte[] one = Http2Wire.bytes(Http2Wire.DATA, 0, stream.id(), (byte) 'x');
        byte[][] many = new byte[10_000][];
        Arrays.fill(many, one);
        wire.send(Http2Wire.concat(many));
        streams.add(stream);
      }
      wire.ping();
      long held = Memory.heap() + Memory.direct() - before;
      assertThat(held).isLessThan(4 << 20); // for 200,000 bytes
      gate.release(20);
      for (Stream stream : streams) {
        assertThat(text(stream)).isEqualTo("through");
      }
    }
  }

  // ---- Time

  @Test
  void clientThatSendsNoSettingsIsSentAway() throws IOException {
    int port = start(limits -> limits.http2().settingsTimeout(Duration.ofMillis(200)));
    try (Wire wire = Wire.connect(port)) {
      wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      byte[] frame = new byte[256];
      while (nextType(wire, frame) != Http2Wire.GOAWAY) {
        // SETTINGS, WINDOW_UPDATE
      }
      assertThat(ByteBuffer.wrap(frame).getInt(4)).isEqualTo(Http2Wire.SETTINGS_TIMEOUT);
      wire.expectEnd();
    }
  }

  @Test
  void prefaceThatDoesNotComeInTimeIsAnsweredWith408() throws IOException {
    int port = start(limits -> limits.headersTimeout(Duration.ofMillis(200)));
    try (Wire wire = Wire.connect(port)) {
      wire.send("PRI * HT");
      assertThat(wire.response().status()).isEqualTo(408);
    }
  }

  /** While another stream is open, so that the connection is not idle. */
  @ParameterizedTest
  @ValueSource(strings = {"nothing", "pieces", "a part of a frame", "a part of a frame's header"})
  void headWithoutAnEndEndsTheConnection(String more) throws IOException, InterruptedException {
    int port = start(limits -> limits.headersTimeout(Duration.ofMillis(400)).maxHeaders(1_000_000));
    try (Http2Wire wire = Http2Wire.connect(port)) {
      wire.open("/echo");
      int stream = wire.newStream().id();
      byte[] frames = Http2Wire.headers(stream, true, "x: " + "y".repeat(20_000));
      int sent =
          switch (more) {
            case "a part of a frame" -> 100;
            case "a part of a frame's header" -> 9 + 16_384 + 7; // the CONTINUATION's
            default -> 9 + 16_384;
          };
      wire.send(Arrays.copyOf(frames, sent));
      try {
        for (int i = 0; more.equals("pieces") && i < 100; i++) {
          gate.tryAcquire(100, TimeUnit.MILLISECONDS);
          wire.frame(Http2Wire.CONTINUATION, 0, stream, new byte[9_000]);
        }
      } catch (SocketException e) {
        // so it has ended
      }
      assertThat(wire.goAway()).isEqualTo(Http2Wire.ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void headsThatFollowEachOtherMayTakeLongerTogether() throws IOException, InterruptedException {
    int port = start(limits -> limits.headersTimeout(Duration.ofSeconds(1)));
    try (Http2Wire wire = Http2Wire.connect(port)) {
      List<Stream> streams = new ArrayList<>();
      byte[] before = new byte[0];
      for (int i = 0; i < 8; i++) {
        streams.add(wire.newStream());
        byte[] head =
            Http2Wire.headers(streams.getLast().id(), true, Http2Wire.head("GET", "/gate"));
        // the end of one and the beginning of the next come together
        wire.send(Http2Wire.concat(before, Arrays.copyOf(head, 12)));
        before = Arrays.copyOfRange(head, 12, head.length);
        gate.tryAcquire(200, TimeUnit.MILLISECONDS);
      }
      wire.send(before);
      gate.release(8); // no answer before, which would be credited in the middle of a head
      for (Stream stream : streams) {
        assertThat(text(stream)).isEqualTo("through");
      }
    }
  }

  @Test
  void connectionWithoutStreamsIsClosed() throws IOException {
    try (Http2Wire wire = connect(limits -> limits.idleTimeout(Duration.ofMillis(300)))) {
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
      assertThat(wire.goAway()).isEqualTo(Http2Wire.NO_ERROR);
      assertThat(wire.end()).isEqualTo("FIN");
    }
  }

  @Test
  void connectionWithASocketIsNotIdle() throws IOException, InterruptedException {
    try (Http2Wire wire = connect(limits -> limits.idleTimeout(Duration.ofMillis(500)))) {
      Stream stream = wire.open("/echo");
      gate.tryAcquire(1_000, TimeUnit.MILLISECONDS);
      stream.send(Frame.text("hello"));
      assertThat(stream.frame()).isEqualTo(Frame.text("hello"));
    }
  }

  @Test
  void quietClientIsPingedAndDroppedWhenItDoesNotAnswer() throws IOException {
    int port =
        start(limits ->
            limits
                .http2()
                .keepAlivePingDelay(Duration.ofSeconds(1))
                .keepAlivePingTimeout(Duration.ofSeconds(1)));
    try (Http2Wire answers = Http2Wire.connect(port);
        Wire silent = Wire.connect(port)) {
      silent.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      silent.send(Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0));
      int type = -1;
      byte[] frame = new byte[256];
      while (type != Http2Wire.GOAWAY) { // SETTINGS, ACK, WINDOW_UPDATE, PING
        type = nextType(silent, frame);
      }
      assertThat(answers.frames()).anyMatch(ping -> ping.type() == Http2Wire.PING);
      assertThat(text(answers.get("/hello"))).isEqualTo("hello");
    }
  }

  private static int nextType(Wire wire, byte[] into) throws IOException {
    wire.read(into, 9);
    int length = ByteBuffer.wrap(into).getInt() >>> 8;
    int type = into[3];
    wire.read(into, length);
    return type;
  }

  @Test
  void bodyThatComesTooSlowlyIsAnsweredWith408() throws IOException {
    try (Http2Wire wire = connect(limits -> limits.minBodyRate(240, Duration.ofMillis(300)))) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/length"));
      stream.data(false, new byte[10]);
      assertThat(stream.status()).isEqualTo(408);
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
    }
  }

  @Test
  void responseThatIsNotTakenIsDropped() throws IOException {
    int port = start(limits -> limits.minResponseRate(1_000_000, Duration.ofMillis(300)));
    try (Http2Wire wire = Http2Wire.connect(port, 65_535)) {
      Stream stream = wire.get("/large"); // its window is not given back: nobody reads
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.CANCEL);
      assertThat(text(wire.get("/hello"))).isEqualTo("hello");
    }
  }

  @Test
  void socketIsExemptFromWhatBindsRequests() throws IOException, InterruptedException {
    try (Http2Wire wire =
        connect(limits ->
            limits
                .minBodyRate(1_000_000, Duration.ofMillis(100))
                .minResponseRate(1_000_000, Duration.ofMillis(100))
                .maxBodySize(10)
                .idleTimeout(Duration.ofMillis(400)))) { // for the CONNECT to come in time
      Stream stream = wire.open("/echo");
      for (int i = 0; i < 4; i++) {
        gate.tryAcquire(150, TimeUnit.MILLISECONDS);
        stream.send(Frame.text("slow but long enough " + i));
        assertThat(stream.frame()).isEqualTo(Frame.text("slow but long enough " + i));
      }
    }
  }
}
