package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import dev.windhover.verification.wire.Http2Wire.Stream;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** Requests over HTTP/2 (RFC 9113 8), well-formed and not; in clear text, by prior knowledge. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class Http2RequestTest {
  private static final int MEBIBYTE = 1 << 20;

  private final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
  private final Semaphore gate = new Semaphore(0);
  private final BlockingQueue<HttpContext> waiting = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> gone = new LinkedBlockingQueue<>();

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    Files.write(folder.resolve("large.bin"), pattern(3 * MEBIBYTE));
    Files.writeString(folder.resolve("small.txt"), "small\n");
    try (RandomAccessFile huge = new RandomAccessFile(folder.resolve("huge.bin").toFile(), "rw")) {
      huge.setLength(200L * MEBIBYTE);
    }
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.useStaticFiles(StaticFiles.fromFolder(folder));
    app.map(
        "/echo",
        context -> {
          context.response().headers().set("X-Method", context.request().method());
          context.response().headers().set("Connection", "keep-alive"); // of no use here
          context.response().write(seen(context));
        });
    app.map("/loop", Handler.nonBlocking(context -> context.response().write(seen(context))));
    app.map(
        "/body",
        context -> {
          int length = context.request().body().readAllBytes().length;
          context.response().write(length + " " + context.request().trailers());
        });
    app.map("/ignore", context -> context.response().write("ignored"));
    app.map("/empty", context -> context.response().status(204));
    app.map(
        "/fails",
        context -> {
          throw new IllegalStateException("on purpose");
        });
    app.map(
        "/fails-late",
        context -> {
          context.response().write("begun");
          context.response().flush();
          throw new IllegalStateException("on purpose, late");
        });
    app.map(
        "/large",
        context -> {
          context.response().contentLength(10 * MEBIBYTE);
          for (int i = 0; i < 160; i++) {
            context.response().write(ByteBuffer.wrap(pattern(64 * 1024)));
          }
        });
    app.map(
        "/pieces",
        context -> {
          for (int i = 0; i < 5; i++) {
            context.response().write("piece " + i + "\n");
            context.response().flush();
          }
        });
    app.map(
        "/gate",
        context -> {
          context.aborted().thenRun(() -> gone.add(context.request().path()));
          waiting.add(context);
          gate.acquire();
          context.response().write("through");
        });
    app.map(
        "/teapot",
        context -> {
          context.response().status(418);
          context.response().write("no");
        });
    app.map("/ok", context -> context.response().write("a body"));
    app.map(
        "/reads",
        context -> {
          int read = context.request().body().read();
          context.response().status(418);
          context.response().write("read " + read);
        });
    app.map(
        "/accepts-202",
        context -> {
          context.response().status(202);
          context.webSockets().accept().close();
        });
    app.map(
        "/accepts-404",
        context -> {
          context.response().status(404);
          context.webSockets().accept();
        });
    app.mapGet("/get-only", context -> context.webSockets().accept());
    app.mapWebSocket("/ws", socket -> socket.forEach(message -> send(socket, message)));
    app.start();
  }

  private static void send(
      dev.windhover.http.websocket.WebSocket socket, dev.windhover.http.websocket.Message message) {
    try {
      socket.send(message);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String seen(HttpContext context) {
    var request = context.request();
    return String.join(
        " ",
        request.method(),
        request.path(),
        request.version().toString(),
        request.scheme(),
        String.valueOf(request.headers().get("Host")),
        String.valueOf(request.headers().get("Cookie")));
  }

  private static byte[] pattern(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * 31 + (i >> 8));
    }
    return bytes;
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  private Http2Wire connect() throws IOException {
    return Http2Wire.connect(Ports.of(app));
  }

  private static String text(Stream stream) throws IOException {
    return new String(stream.body(), StandardCharsets.UTF_8);
  }

  // ---- Requests

  @ParameterizedTest
  @ValueSource(strings = {"/echo", "/loop"})
  void handlerSeesWhatItWouldSeeOfHttp1(String path) throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.get(path, "cookie: a=1", "cookie: b=2", "host: ignored");
      assertThat(text(stream)).isEqualTo("GET " + path + " HTTP/2 http localhost a=1; b=2");
    }
  }

  @Test
  void responseHasTheHeadersOfTheHandlerAndNoneOfTheConnections() throws IOException {
    try (Http2Wire wire = connect()) {
      Map<String, String> headers = wire.get("/echo").responseHeaders();
      assertThat(headers.keySet())
          .containsExactly(":status", "x-method", "content-type", "date", "content-length");
    }
  }

  @Test
  void hostIsTakenWhereThereIsNoAuthority() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream =
          wire.request(true, ":method: GET", ":scheme: http", ":path: /echo", "host: there:8080");
      assertThat(text(stream)).isEqualTo("GET /echo HTTP/2 http there:8080 null");
    }
  }

  @Test
  void requestsOfOneConnectionAreAnsweredAsTheyAreReady() throws Exception {
    try (Http2Wire wire = connect()) {
      Stream slow = wire.get("/gate");
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
      gate.release();
      assertThat(text(slow)).isEqualTo("through");
    }
    waiting.clear();
  }

  @Test
  void headHasTheLengthAndNoBody() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(true, Http2Wire.head("HEAD", "/ok"));
      assertThat(stream.responseHeaders()).containsEntry("content-length", "6");
      assertThat(stream.body()).isEmpty();
    }
  }

  @Test
  void responseWithoutABodyEndsWithItsHead() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.get("/empty");
      assertThat(stream.status()).isEqualTo(204);
      assertThat(stream.body()).isEmpty();
      wire.ping();
      assertThat(wire.frames())
          .filteredOn(frame -> frame.stream() == stream.id())
          .singleElement()
          .matches(frame -> frame.has(Http2Wire.END_STREAM));
    }
  }

  @Test
  void piecesOfAnAnswerLeaveWhenTheyAreFlushed() throws IOException {
    try (Http2Wire wire = connect()) {
      assertThat(text(wire.get("/pieces")))
          .isEqualTo("piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n");
    }
  }

  @Test
  void largeAnswerIsWholeAndSeveralShareTheConnection() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream[] streams = new Stream[5];
      for (int i = 0; i < streams.length; i++) {
        streams[i] = wire.get("/large");
      }
      for (Stream stream : streams) {
        byte[] body = stream.body();
        assertThat(body).hasSize(10 * MEBIBYTE);
        assertThat(Arrays.copyOfRange(body, 3 << 16, 4 << 16)).isEqualTo(pattern(64 * 1024));
      }
    }
  }

  @Test
  void filesAreServed() throws IOException {
    try (Http2Wire wire = connect()) {
      assertThat(wire.get("/large.bin").body()).isEqualTo(pattern(3 * MEBIBYTE));
      assertThat(text(wire.get("/small.txt"))).isEqualTo("small\n");
      Stream part = wire.get("/large.bin", "range: bytes=1000000-2000000");
      assertThat(part.status()).isEqualTo(206);
      assertThat(part.body())
          .isEqualTo(Arrays.copyOfRange(pattern(3 * MEBIBYTE), 1_000_000, 2_000_001));
      Stream unchanged =
          wire.get(
              "/small.txt",
              "if-none-match: " + wire.get("/small.txt").responseHeaders().get("etag"));
      assertThat(unchanged.status()).isEqualTo(304);
    }
  }

  /** What is read of a file waits for the window; the rest of it must not be read to be dropped. */
  @Test
  void fileThatIsResetIsReadNoFurther() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream huge = wire.get("/huge.bin");
      assertThat(huge.status()).isEqualTo(200);
      huge.reset(Http2Wire.CANCEL);
      assertThat(text(wire.get("/small.txt"))).isEqualTo("small\n");
    }
  }

  @Test
  void clientThatEndsItsSideGetsWhatItsWindowTakes() throws Exception {
    // Of the connection's window a stream takes a part only: that one cannot be widened, either.
    try (Http2Wire wire = Http2Wire.connect(Ports.of(app), 16 * 1024)) {
      Stream large = wire.get("/large"); // whose window the client can no longer widen
      Stream small = wire.get("/small.txt");
      assertThat(large.status()).isEqualTo(200);
      wire.endOutput();
      assertThat(text(small)).isEqualTo("small\n");
      assertThat(large.resetCode()).isEqualTo(Http2Wire.CANCEL);
      assertThat(wire.end()).isEqualTo("FIN");
    }
  }

  // ---- Bodies

  @Test
  void bodyAndTrailersAreRead() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/body"));
      stream.data(false, pattern(3 * MEBIBYTE)); // more than all windows
      stream.headers(true, "checksum: 12");
      assertThat(text(stream)).isEqualTo(3 * MEBIBYTE + " [checksum: 12]");
    }
  }

  @Test
  void continueIsSentWhenTheHandlerReads() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/body", "expect: 100-continue"));
      assertThat(stream.informationalHeaders()).isEqualTo(Map.of(":status", "100"));
      stream.data(true, new byte[10]);
      assertThat(text(stream)).isEqualTo("10 []");
    }
  }

  @Test
  void continueIsNotSentWhereNobodyReads() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream =
          wire.request(false, Http2Wire.head("POST", "/ignore", "expect: 100-continue"));
      assertThat(stream.informationalHeaders()).isNull();
      assertThat(text(stream)).isEqualTo("ignored");
    }
  }

  @Test
  void clientIsToldToSendNoMoreOfABodyThatNobodyReads() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/ignore"));
      stream.data(false, new byte[10_000]);
      assertThat(text(stream)).isEqualTo("ignored");
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.NO_ERROR);
      assertThat(text(wire.get("/echo"))).startsWith("GET");
    }
  }

  @Test
  void bodyThatIsStillOnItsWayIsNoFault() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/ignore"));
      byte[][] pieces = new byte[1_000][];
      Arrays.fill(pieces, Http2Wire.bytes(Http2Wire.DATA, 0, stream.id(), new byte[60]));
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.NO_ERROR);
      wire.send(Http2Wire.concat(pieces)); // as if the reset had not come yet
      assertThat(text(wire.get("/echo"))).startsWith("GET");
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.NO_ERROR);
    }
  }

  @Test
  void bodyLargerThanTheLimitIsAnsweredWith413() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream =
          wire.request(false, Http2Wire.head("POST", "/body", "content-length: 30000001"));
      assertThat(stream.status()).isEqualTo(413);
    }
  }

  @ParameterizedTest
  @CsvSource({"5, 4", "5, 6"})
  void bodyThatIsNotAsLongAsSaidIsAnErrorOfTheStream(int said, int sent) throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream =
          wire.request(false, Http2Wire.head("POST", "/body", "content-length: " + said));
      stream.data(true, new byte[sent]);
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      assertThat(text(wire.get("/echo"))).startsWith("GET");
    }
  }

  // ---- Failures

  @Test
  void handlerThatFailsIsAnsweredWith500() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Http2Wire wire = connect()) {
      assertThat(wire.get("/fails").status()).isEqualTo(500);
      wire.ping();
      assertThat(log.lines()).hasSize(1);
    }
  }

  @Test
  void handlerThatFailsLateResetsTheStreamAlone() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Http2Wire wire = connect()) {
      Stream stream = wire.get("/fails-late");
      assertThat(stream.status()).isEqualTo(200);
      assertThat(stream.resetCode()).isEqualTo(2); // INTERNAL_ERROR
      assertThat(text(wire.get("/echo"))).startsWith("GET");
      assertThat(log.lines()).hasSize(1);
    }
  }

  @Test
  void handlerIsToldWhenItsRequestIsGivenUp() throws Exception {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.get("/gate");
      waiting.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
      stream.reset(Http2Wire.CANCEL);
      assertThat(gone.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo("/gate");
      assertThat(text(wire.get("/echo"))).startsWith("GET");
    }
    gate.release();
  }

  // ---- Malformed (RFC 9113 8.1.1, 8.2, 8.3; the stream's error, and the others live on)

  /** Each line is a request's fields; a tilde stands for a comma. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        // pseudo-headers
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, :unknown: x",
        ":method: GET, :method: GET, :scheme: http, :path: /echo, :authority: localhost",
        ":method: GET, :scheme: http, :scheme: http, :path: /echo, :authority: localhost",
        ":method: GET, :scheme: http, :path: /echo, :path: /echo, :authority: localhost",
        ":method: GET, :scheme: http, :path: /echo, :authority: a, :authority: b",
        ":method: GET, :scheme: http, :path: /echo, x-a: b, :authority: localhost",
        ":status: 200, :method: GET, :scheme: http, :path: /echo, :authority: localhost",
        ":scheme: http, :path: /echo, :authority: localhost",
        ":method: , :scheme: http, :path: /echo, :authority: localhost",
        ":method: GET /admin HTTP/1.1, :scheme: http, :path: /echo, :authority: localhost",
        ":method: GET\", :scheme: http, :path: /echo, :authority: localhost",
        ":method: G\u00CBT, :scheme: http, :path: /echo, :authority: localhost",
        ":method: GET, :path: /echo, :authority: localhost",
        ":method: GET, :scheme: http, :authority: localhost",
        ":method: GET, :scheme: https, :path: /echo, :authority: localhost",
        ":method: GET, :scheme: ws, :path: /echo, :authority: localhost",
        ":method: GET, :scheme: http, :path: , :authority: localhost",
        ":method: GET, :scheme: http, :path: echo, :authority: localhost",
        ":method: GET, :scheme: http, :path: *, :authority: localhost",
        ":method: GET, :scheme: http, :path: http://localhost/echo, :authority: localhost",
        // names and values
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, X-Upper: a",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, a b: c",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, : c",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, a: b\u0001c",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, a: b\nc",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, a: b\0c",
        // fields of a connection
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, connection: close",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, upgrade: websocket",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, keep-alive: 5",
        ":method: GET, :scheme: http, :path: /echo, :authority: a, transfer-encoding: chunked",
        ":method: GET, :scheme: http, :path: /echo, :authority: a, proxy-connection: close",
        ":method: GET, :scheme: http, :path: /echo, :authority: localhost, te: gzip",
        // hosts
        ":method: GET, :scheme: http, :path: /echo, host: a, host: b",
        ":method: GET, :scheme: http, :path: /echo, :authority: a/b",
        ":method: GET, :scheme: http, :path: /echo, :authority: user@localhost",
        ":method: GET, :scheme: http, :path: /echo, host: a~b",
        // CONNECT
        ":method: CONNECT, :scheme: http, :path: /echo, :authority: localhost",
        ":method: CONNECT, :path: /echo, :authority: localhost",
        ":method: CONNECT",
        ":method: CONNECT, :protocol: websocket, :path: /ws, :authority: localhost",
        ":method: CONNECT, :protocol: websocket, :scheme: http, :authority: localhost",
        ":method: GET, :protocol: websocket, :scheme: http, :path: /ws, :authority: localhost",
        // lengths
        ":method: POST, :scheme: http, :path: /body, :authority: a, content-length: x",
        ":method: POST, :scheme: http, :path: /body, :authority: a, content-length: -1",
        ":method: POST, :scheme: http, :path: /b, :authority: a, content-length: 1, content-length: 2",
      })
  void malformedHeadIsAnErrorOfTheStream(String fields) throws IOException {
    try (Http2Wire wire = connect()) {
      String[] all =
          Arrays.stream(fields.split(", ", -1))
              .map(field -> field.replace('~', ','))
              .toArray(String[]::new);
      Stream stream = wire.request(true, all);
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  @Test
  void lineOfMoreThan8KiBIsAnErrorOfTheStream() throws IOException {
    try (Http2Wire wire = connect()) {
      int rest = 8 * 1024 - "GEThttplocalhost/echo?".length();
      assertThat(text(wire.get("/echo?" + "x".repeat(rest)))).startsWith("GET");
      assertThat(wire.get("/echo?" + "x".repeat(rest + 1)).resetCode())
          .isEqualTo(Http2Wire.PROTOCOL_ERROR);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "400, ':method: GET, :scheme: http, :path: /echo'",
    "501, ':method: CONNECT, :authority: localhost:443'",
    "501, ':method: CONNECT, :protocol: connect-udp, :scheme: http, :path: /ws, :authority: a'",
    "501, ':method: CONNECT, :protocol: websockets, :scheme: http, :path: /ws, :authority: a'",
    "404, ':method: OPTIONS, :scheme: http, :path: *, :authority: localhost'",
    "400, ':method: GET, :scheme: http, :path: /%00, :authority: localhost'",
  })
  void whatNoHandlerGetsIsAnswered(int status, String fields) throws IOException {
    try (Http2Wire wire = connect()) {
      assertThat(wire.request(true, fields.split(", ")).status()).isEqualTo(status);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  @Test
  void headThatNoHandlerGetsHasTheLengthAndNoBody() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(true, ":method: HEAD", ":scheme: http", ":path: /echo");
      assertThat(stream.status()).isEqualTo(400);
      assertThat(stream.responseHeaders())
          .containsEntry("content-length", "%d".formatted("Host is missing\n".length()));
      assertThat(stream.body()).isEmpty();
    }
  }

  @Test
  void moreThan100HeadersAreAnsweredWith431() throws IOException {
    try (Http2Wire wire = connect()) {
      String[] many = new String[99]; // and Host
      Arrays.fill(many, "a: b");
      assertThat(text(wire.get("/echo", many))).startsWith("GET /echo");
      many = new String[100];
      Arrays.fill(many, "a: b");
      assertThat(wire.get("/echo", many).status()).isEqualTo(431);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  /** Returns fields of that size as RFC 9113 6.5.2 counts it. */
  private static String[] sized(int size, String... head) {
    List<String> fields = new ArrayList<>(List.of(head));
    int left = size;
    for (String field : head) {
      left -= field.length() - ": ".length() + 32;
    }
    for (int i = 0; left > 0; i++) {
      int value = left - 35 <= 12_000 ? left - 35 : 12_000 - 35;
      fields.add("x-%d: %s".formatted(i, "x".repeat(value)));
      left -= value + 35;
    }
    return fields.toArray(String[]::new);
  }

  @ParameterizedTest
  @CsvSource({"0, 200", "1, 431", "9000, 431", "20000, 431", "32700, 431"})
  void moreThan32KiBOfFieldsAreAnsweredWith431(int more, int status) throws IOException {
    String[] fields = sized(32 * 1024 + more, Http2Wire.head("GET", "/echo"));
    try (Http2Wire wire = connect()) {
      wire.ping(); // behind which our SETTINGS are acknowledged
      assertThat(wire.request(true, fields).status()).isEqualTo(status);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
    try (Http2Wire wire = Http2Wire.raw(Ports.of(app), 65_535)) { // and here they are not yet
      Stream stream = wire.newStream();
      wire.send(
          Http2Wire.concat(
              "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
              Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0),
              Http2Wire.headers(stream.id(), true, fields)));
      assertThat(stream.status()).isEqualTo(status);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  @Test
  void twiceAsManyFieldsEndTheConnection() throws IOException {
    String[] fields = sized(66 * 1024, Http2Wire.head("GET", "/echo"));
    try (Http2Wire wire = connect()) {
      wire.ping(); // as above
      wire.request(true, fields);
      assertThat(wire.goAway()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
    }
    try (Http2Wire wire = Http2Wire.raw(Ports.of(app), 65_535)) {
      wire.send(
          Http2Wire.concat(
              "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
              Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0),
              Http2Wire.headers(wire.newStream().id(), true, fields)));
      assertThat(wire.goAway()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
    }
  }

  @Test
  void moreThan32KiBOfTrailersAreAnErrorOfTheStream() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream taken = wire.request(false, Http2Wire.head("POST", "/body"));
      taken.headers(true, sized(32 * 1024));
      assertThat(text(taken)).startsWith("0 [x-0: x");
      Stream stream = wire.request(false, Http2Wire.head("POST", "/body"));
      stream.headers(true, sized(32 * 1024 + 1));
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  @Test
  void trailersWithPseudoHeadersAreAnErrorOfTheStream() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/body"));
      stream.headers(true, ":path: /other");
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  // ---- Extended CONNECT (RFC 8441)

  @Test
  void serverSaysThatItTakesExtendedConnect() throws IOException {
    try (Http2Wire wire = connect()) {
      assertThat(settings(wire)).containsEntry(8, 1);
    }
  }

  private static Map<Integer, Integer> settings(Http2Wire wire) {
    ByteBuffer payload = ByteBuffer.wrap(wire.frames().getFirst().payload());
    Map<Integer, Integer> settings = new java.util.TreeMap<>();
    while (payload.hasRemaining()) {
      settings.put((int) payload.getShort(), payload.getInt());
    }
    return settings;
  }

  @Test
  void settingsAreWhatTheLimitsSay() throws IOException {
    try (Http2Wire wire = connect()) {
      assertThat(settings(wire)).isEqualTo(Map.of(3, 100, 4, 64 * 1024, 6, 32 * 1024, 8, 1));
      wire.ping();
      assertThat(wire.frames())
          .anyMatch(frame ->
              frame.type() == Http2Wire.WINDOW_UPDATE
                  && frame.stream() == 0
                  && frame.number(0) == MEBIBYTE - 65_535);
    }
  }

  @Test
  void acceptedConnectHasNoKeyAndNoUpgradeInItsAnswer() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.open("/ws");
      assertThat(stream.responseHeaders().keySet()).containsExactly(":status", "date");
      stream.send(Frame.text("hello"));
      assertThat(stream.frame()).isEqualTo(Frame.text("hello"));
    }
  }

  @Test
  void statusThatTheHandlerSetIsThatOfTheAnswer() throws IOException {
    try (Http2Wire wire = connect()) {
      assertThat(wire.connectWebSocket("/accepts-202").status()).isEqualTo(202);
    }
  }

  @Test
  void connectIsNotAcceptedWithAnotherStatusThan2xx() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Http2Wire wire = connect()) {
      assertThat(wire.connectWebSocket("/accepts-404").status()).isEqualTo(500);
      assertThat(log.lines()).hasSize(1);
    }
  }

  @Test
  void getOnlyRouteDoesNotTakeAConnect() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.connectWebSocket("/get-only");
      assertThat(stream.responseHeaders())
          .containsEntry(":status", "405")
          .containsEntry("allow", "GET, HEAD");
    }
  }

  @Test
  void refusedConnectHasABodyWithAStatusThatIsNo2xx() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.connectWebSocket("/teapot");
      assertThat(stream.status()).isEqualTo(418);
      assertThat(text(stream)).isEqualTo("no");
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.NO_ERROR);
    }
  }

  @Test
  void connectHasNoResponseBodyWith2xx() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Http2Wire wire = connect()) {
      assertThat(wire.connectWebSocket("/ok").status()).isEqualTo(500);
      assertThat(log.lines()).hasSize(1);
    }
  }

  @Test
  void connectHasNoRequestBody() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.connectWebSocket("/reads");
      stream.data(false, new byte[100]);
      assertThat(text(stream)).isEqualTo("read -1");
    }
  }

  @Test
  void wrongVersionOfWebSocketsIsAnsweredWith400AndTheRightOne() throws IOException {
    try (Http2Wire wire = connect()) {
      List<String> fields = new java.util.ArrayList<>(List.of(Http2Wire.head("CONNECT", "/ws")));
      fields.add(":protocol: websocket");
      fields.add("sec-websocket-version: 12");
      Stream stream = wire.request(false, fields.toArray(String[]::new));
      assertThat(stream.responseHeaders())
          .containsEntry(":status", "400")
          .containsEntry("sec-websocket-version", "13")
          .doesNotContainKey("upgrade");
    }
  }

  @Test
  void bytesBeforeTheAnswerAreTheSockets() throws IOException {
    try (Http2Wire wire = connect()) {
      Stream stream = wire.connectWebSocket("/ws");
      stream.send(Frame.text("early"));
      assertThat(stream.status()).isEqualTo(200);
      assertThat(stream.frame()).isEqualTo(Frame.text("early"));
    }
  }

  // ---- The first bytes of a connection in clear text

  @Test
  void http1IsSpokenOnTheSamePort() throws IOException {
    try (Wire wire = Wire.connect(Ports.of(app))) {
      wire.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo("GET /echo HTTP/1.1 http localhost null");
    }
  }

  @Test
  void prefaceMayComeByteByByte() throws IOException {
    try (Http2Wire wire = Http2Wire.raw(Ports.of(app), 65_535)) {
      byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
      wire.sendEach(Http2Wire.concat(preface, Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0)));
      wire.awaitSettings();
      assertThat(text(wire.get("/echo"))).startsWith("GET /echo");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 14, 16, 20, 23})
  void whatOnlyBeginsLikeThePrefaceIsHttp1(int same) throws IOException {
    try (Wire wire = Wire.connect(Ports.of(app))) {
      wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".substring(0, same));
      wire.send("X / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(wire.response().status()).isIn(400, 404, 505);
    }
  }

  @Test
  void bodyIsReadAsItComes() throws IOException {
    // the stream's window is larger once the handler reads
    try (Http2Wire wire = connect()) {
      Stream stream = wire.request(false, Http2Wire.head("POST", "/body"));
      Predicate<Http2Frame> wider =
          frame ->
              frame.type() == Http2Wire.WINDOW_UPDATE
                  && frame.stream() == stream.id()
                  && frame.number(0) == (768 - 64) * 1024;
      for (int i = 0; i < 1_000 && wire.frames().stream().noneMatch(wider); i++) {
        wire.ping(); // until the handler has begun to read
      }
      assertThat(wire.frames()).anyMatch(wider);
      stream.data(true);
      assertThat(text(stream)).isEqualTo("0 []");
    }
  }
}
