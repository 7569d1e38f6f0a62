package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
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

/** Plain HTTP/1.1 (RFC 9112): requests, bodies, connections. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class Http1RequestTest {
  private static final String HOST = " HTTP/1.1\r\nHost: localhost\r\n";
  private static final int MEBIBYTE = 1 << 20;

  private static final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
  private static final Semaphore gate = new Semaphore(0);
  private static final CompletableFuture<HttpContext> waiting = new CompletableFuture<>();

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("file");
    Files.write(file, pattern(5 * MEBIBYTE));
    app.map("/hello", context -> context.response().write(context.request().method() + "\n"));
    app.map(
        "/loop",
        Handler.nonBlocking(context ->
            context
                .response()
                .write(Thread.currentThread().getName().startsWith("windhover") + "\n")));
    app.mapPost(
        "/length",
        context -> {
          byte[] body = context.request().body().readAllBytes();
          context.response().write(body.length + " " + Arrays.hashCode(body) + "\n");
        });
    app.mapPost(
        "/upper",
        context -> {
          try (InputStream body = context.request().body()) {
            byte[] some = new byte[1_000];
            for (int n = body.read(some); n >= 0; n = body.read(some)) {
              context.response().write(ByteBuffer.wrap(some, 0, n));
              context.response().flush();
            }
          }
        });
    app.mapPost("/ignore", context -> context.response().write("ignored\n"));
    app.mapPost(
        "/ignore-on-loop", Handler.nonBlocking(context -> context.response().write("ignored\n")));
    app.mapPost("/read-on-loop", Handler.nonBlocking(context -> context.request().body().read()));
    app.map(
        "/chunks",
        context -> {
          for (int i = 0; i < 5; i++) {
            context.response().write("piece " + i + "\n");
            context.response().flush();
          }
        });
    app.map(
        "/large",
        context -> {
          context.response().contentLength(5 * MEBIBYTE);
          context.response().write(ByteBuffer.wrap(pattern(5 * MEBIBYTE)));
        });
    app.map(
        "/file",
        Handler.nonBlocking(context -> {
          context.response().contentLength(5 * MEBIBYTE);
          context.response().writeFile(file, 0, 5 * MEBIBYTE);
        }));
    app.map(
        "/vanished",
        context -> {
          context.response().contentLength(1_000);
          context.response().writeFile(folder.resolve("nothing"), 0, 1_000);
        });
    app.map(
        "/cookie",
        context ->
            context.response().write(String.join("|", context.request().headers().all("Cookie"))));
    app.map("/nothing", context -> context.response().status(204));
    app.map(
        "/fails",
        context -> {
          throw new IllegalStateException("on purpose");
        });
    app.map(
        "/gate",
        context -> {
          assertThat(gate.tryAcquire(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
          context.response().write("passed\n");
        });
    app.map(
        "/wait",
        context -> {
          waiting.complete(context);
          context.interruptWhenAborted();
          new CountDownLatch(1).await();
        });
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  private static byte[] pattern(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * 31 + i / 997);
    }
    return bytes;
  }

  private static Wire connect() throws IOException {
    return Wire.connect(Ports.of(app));
  }

  private static void get(Wire wire, String path) throws IOException {
    wire.send("GET " + path + HOST + "\r\n");
  }

  // ---- Connections (9112 9)

  @Test
  void connectionIsKeptForTheNextRequest() throws IOException {
    try (Wire wire = connect()) {
      for (int i = 0; i < 10; i++) {
        get(wire, i % 2 == 0 ? "/hello" : "/loop");
        Response response = wire.response();
        assertThat(response.body()).isEqualTo(i % 2 == 0 ? "GET\n" : "true\n");
        assertThat(response.header("Connection")).isNull();
        assertThat(response.header("Date")).endsWith(" GMT");
      }
    }
  }

  @Test
  void connectionIsClosedWhereTheClientAsksForIt() throws IOException {
    try (Wire wire = connect()) {
      wire.send("GET /hello" + HOST + "Connection: close\r\n\r\n");
      assertThat(wire.response().header("Connection")).isEqualTo("close");
      wire.expectEnd();
    }
  }

  @Test
  void http10ClosesUnlessItAsksForMore() throws IOException {
    try (Wire wire = connect()) {
      wire.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      Response kept = wire.response();
      assertThat(kept.header("Connection")).isEqualTo("keep-alive");
      assertThat(kept.body()).isEqualTo("GET\n");
      wire.send("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      Response last = wire.response();
      assertThat(last.header("Transfer-Encoding")).isNull();
      assertThat(last.header("Connection")).isEqualTo("close");
      assertThat(last.body()).endsWith("piece 4\n");
    }
  }

  /** As proxies pass on what came in pieces over HTTP/2 (RFC 9113 8.2.3). */
  @ParameterizedTest
  @CsvSource({
    "'', ''",
    "'Cookie: a=1\r\n', a=1",
    "'Cookie: a=1\r\nX: y\r\ncookie: b=2; c=3\r\n', a=1; b=2; c=3",
  })
  void handlerSeesOneCookie(String lines, String seen) throws IOException {
    try (Wire wire = connect()) {
      wire.send("GET /cookie" + HOST + lines + "\r\n");
      assertThat(wire.response().body()).isEqualTo(seen);
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws IOException {
    try (Wire wire = connect()) {
      get(wire, "/gate");
      wire.send(
          ("GET /hello"
                  + HOST
                  + "\r\nPOST /length"
                  + HOST
                  + "Content-Length: 3\r\n\r\nabcHEAD /hello"
                  + HOST
                  + "\r\n")
              .concat("GET /loop" + HOST + "\r\n")
              .repeat(20));
      gate.release();
      assertThat(wire.response().body()).isEqualTo("passed\n");
      for (int i = 0; i < 20; i++) {
        assertThat(wire.response().body()).isEqualTo("GET\n");
        assertThat(wire.response().body()).startsWith("3 ");
        assertThat(wire.headResponse().header("Content-Length")).isEqualTo("5");
        assertThat(wire.response().body()).isEqualTo("true\n");
      }
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredAfterTheClientEndedItsSide() throws IOException {
    try (Wire wire = connect()) {
      get(wire, "/gate");
      wire.send(("GET /hello" + HOST + "\r\n").repeat(3) + "GET /hel");
      wire.endOutput();
      gate.release();
      assertThat(wire.response().body()).isEqualTo("passed\n");
      for (int i = 0; i < 3; i++) {
        assertThat(wire.response().body()).isEqualTo("GET\n");
      }
      wire.expectEnd();
    }
  }

  @Test
  void clientThatPushesBehindASlowRequestIsHeldBack() throws IOException {
    byte[] piece = ("GET /hello" + HOST + "\r\n").repeat(1_000).getBytes(StandardCharsets.US_ASCII);
    try (Wire wire = connect()) {
      get(wire, "/gate");
      long used = PlatformDependent.usedDirectMemory();
      long sent = wire.sendUntilBlocked(piece, 100 * MEBIBYTE);
      assertThat(sent).as("what buffers of kernels take").isLessThan(30 * MEBIBYTE);
      assertThat(PlatformDependent.usedDirectMemory() - used).isLessThan(8 * MEBIBYTE);
      gate.release();
      assertThat(wire.response().body()).isEqualTo("passed\n");
      assertThat(wire.response().body()).isEqualTo("GET\n");
      wire.abort();
    }
  }

  @Test
  void requestMayBeCutAtEveryByte() throws IOException {
    byte[] request =
        ("POST /length"
                + HOST
                + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: x\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    try (Wire wire = connect()) {
      for (int cut = 1; cut < request.length; cut++) {
        wire.send(Arrays.copyOf(request, cut));
        wire.send(Arrays.copyOfRange(request, cut, request.length));
        assertThat(wire.response().body()).startsWith("3 ");
      }
    }
  }

  // ---- Responses

  @Test
  void headHasTheHeadersOfGetAndNoBody() throws IOException {
    try (Wire wire = connect()) {
      for (String path : new String[] {"/large", "/file"}) {
        wire.send("HEAD " + path + HOST + "\r\n");
        assertThat(wire.headResponse().header("Content-Length")).isEqualTo("" + 5 * MEBIBYTE);
      }
      wire.send("HEAD /chunks" + HOST + "\r\n");
      assertThat(wire.headResponse().status()).isEqualTo(200);
      get(wire, "/hello"); // nothing lies between
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  @Test
  void bodyOfUnknownLengthIsChunked() throws IOException {
    try (Wire wire = connect()) {
      get(wire, "/chunks");
      Response response = wire.response();
      assertThat(response.header("Transfer-Encoding")).isEqualTo("chunked");
      assertThat(response.body()).isEqualTo("piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n");
      get(wire, "/nothing");
      Response empty = wire.response();
      assertThat(empty.status()).isEqualTo(204);
      assertThat(empty.header("Content-Length")).isNull();
      assertThat(empty.header("Transfer-Encoding")).isNull();
      get(wire, "/hello");
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/large", "/file"})
  void largeBodyReachesASlowReaderWhole(String path) throws IOException {
    try (Wire wire = narrow()) {
      get(wire, path);
      assertThat(wire.response().bytes()).isEqualTo(pattern(5 * MEBIBYTE));
      get(wire, "/hello");
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/large", "/file"})
  void largeBodyReachesAClientThatEndsItsSideBeforeItReads(String path) throws IOException {
    try (Wire wire = narrow()) {
      wire.send("GET " + path + HOST + "Connection: close\r\n\r\n");
      assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse(); // it has begun
      wire.endOutput();
      assertThat(wire.response().bytes()).isEqualTo(pattern(5 * MEBIBYTE));
      wire.expectEnd();
    }
  }

  private static Wire narrow() throws IOException {
    return Wire.connect(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app)), 8 * 1024);
  }

  @Test
  void fileThatVanishedIsNoCompleteResponse() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Wire wire = connect()) {
      get(wire, "/vanished");
      try {
        Response response = wire.response();
        assertThat(response.status()).isEqualTo(500);
      } catch (IOException | AssertionError e) {
        assertThat(e).isNotNull(); // cut: nobody takes it for complete
      }
      assertThat(log.lines()).hasSizeLessThan(2);
    }
  }

  @Test
  void handlerThatFailsIsAnsweredWith500AndOneErrorLine() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Wire wire = connect()) {
      get(wire, "/fails");
      assertThat(wire.response().body()).isEqualTo("internal server error\n");
      assertThat(log.lines()).hasSize(1);
      get(wire, "/hello");
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  // ---- Request bodies

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, 65_536, 65_537, 3_000_000})
  void bodyIsReadWhole(int size) throws Exception {
    byte[] body = pattern(size);
    String answer = size + " " + Arrays.hashCode(body) + "\n";
    try (Wire wire = connect()) {
      wire.send("POST /length" + HOST + "Content-Length: " + size + "\r\n\r\n");
      wire.send(body);
      assertThat(wire.response().body()).isEqualTo(answer);
      wire.send("POST /length" + HOST + "Transfer-Encoding: chunked\r\n\r\n");
      if (size > 0) {
        wire.send(Integer.toHexString(size) + "\r\n");
        wire.send(body);
        wire.send("\r\n");
      }
      wire.send("0\r\n\r\n");
      assertThat(wire.response().body()).isEqualTo(answer);
    }
  }

  @Test
  void responseMayBeginWhileTheBodyComes() throws IOException {
    try (Wire wire = connect()) {
      wire.send("POST /upper" + HOST + "Content-Length: 200000\r\n\r\n");
      byte[] body = pattern(200_000);
      wire.send(Arrays.copyOf(body, 100_000));
      wire.send(Arrays.copyOfRange(body, 100_000, 200_000));
      assertThat(wire.response().bytes()).isEqualTo(body);
      get(wire, "/hello");
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  @Test
  void continueIsSentWhenTheHandlerReads() throws IOException {
    try (Wire wire = connect()) {
      wire.send("POST /length" + HOST + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
      assertThat(wire.response().status()).isEqualTo(100);
      wire.send("abc");
      assertThat(wire.response().body()).startsWith("3 ");
      get(wire, "/hello");
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  @Test
  void continueIsNotSentWhenTheBodyIsNotWanted() throws IOException {
    try (Wire wire = connect()) {
      wire.send("POST /ignore" + HOST + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
      Response response = wire.response();
      assertThat(response.body()).isEqualTo("ignored\n");
      assertThat(response.header("Connection")).isEqualTo("close"); // will the body come?
      wire.expectEnd();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ignore", "/ignore-on-loop", "/nowhere"})
  void connectionSurvivesABodyThatNobodyReads(String path) throws IOException {
    try (Wire wire = connect()) {
      for (int size : new int[] {1, 10_000, 200_000}) {
        wire.send("POST " + path + HOST + "Content-Length: " + size + "\r\n\r\n");
        assertThat(wire.response().header("Connection")).isNull(); // answered before it came
        wire.send(pattern(size));
        wire.send("POST " + path + HOST + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
        assertThat(wire.response().header("Connection")).isNull();
        wire.send("2\r\nbc\r\n0\r\n\r\n");
      }
      get(wire, "/hello");
      assertThat(wire.response().body()).isEqualTo("GET\n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ignore", "/ignore-on-loop", "/nowhere"})
  void nothingIsServedBehindMalformedChunksThatNobodyReads(String path) throws IOException {
    String chunked = "POST " + path + HOST + "Transfer-Encoding: chunked\r\n\r\n";
    String malformed = "zz\r\nGET /hello" + HOST + "\r\n";
    try (Wire wire = connect()) {
      wire.send(chunked + malformed); // there before the answer
      int status = wire.response().status();
      assertThat(status).isEqualTo(path.equals("/nowhere") ? 404 : 200);
      wire.expectEnd();
    }
    try (Wire wire = connect()) {
      wire.send(chunked + "1\r\na\r\n");
      assertThat(wire.response().header("Connection")).isNull();
      wire.send(malformed); // behind it
      wire.expectEnd();
    }
  }

  @Test
  void connectionEndsUnderABodyThatNobodyReadsAndThatIsLarge() throws IOException {
    try (Wire wire = connect()) {
      wire.send("POST /ignore" + HOST + "Content-Length: 3000000\r\n\r\n");
      wire.send(pattern(3_000_000));
      assertThat(wire.response().body()).isEqualTo("ignored\n");
      wire.expectEnd(); // in order, although most of the body was not wanted
    }
  }

  @Test
  void clientThatPushesABodyThatIsNotReadIsHeldBack() throws IOException {
    try (Wire wire = connect()) {
      wire.send("POST /gate" + HOST + "Content-Length: 100000000\r\n\r\n");
      long used = PlatformDependent.usedDirectMemory();
      long sent = wire.sendUntilBlocked(pattern(50_000), 100_000_000);
      assertThat(sent).as("what buffers of kernels take").isLessThan(30 * MEBIBYTE);
      assertThat(PlatformDependent.usedDirectMemory() - used).isLessThan(8 * MEBIBYTE);
      gate.release();
      assertThat(wire.response().body()).isEqualTo("passed\n");
      wire.abort();
    }
  }

  @Test
  void restOfABodyIsNotWaitedForWhenItsClientHasEnded() throws IOException {
    try (Wire wire = connect()) {
      long start = System.nanoTime();
      wire.send("POST /gate" + HOST + "Content-Length: 1000\r\n\r\nonly this");
      wire.endOutput();
      gate.release();
      assertThat(wire.response().body()).isEqualTo("passed\n");
      wire.expectEnd();
      assertThat(System.nanoTime() - start).isLessThan(4_000_000_000L);
    }
  }

  @Test
  void malformedBodyIsAnsweredWith400() throws IOException {
    try (Wire wire = connect()) {
      wire.send("POST /length" + HOST + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(400);
      assertThat(response.body()).isEqualTo("the request's body is malformed\n");
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
    }
  }

  @Test
  void bodyIsNotReadOnTheLoop() throws IOException {
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR);
        Wire wire = connect()) {
      wire.send("POST /read-on-loop" + HOST + "Content-Length: 3\r\n\r\n");
      assertThat(wire.response().status()).isEqualTo(500);
      assertThat(log.lines()).hasSize(1);
    }
  }

  @Test
  void handlerIsInterruptedWhenItsClientIsGone() throws Exception {
    try (Wire wire = connect()) {
      get(wire, "/wait");
      HttpContext context = waiting.get(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
      assertThat(context.aborted()).isNotDone();
      wire.abort();
      context.aborted().get(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  // ---- Bad requests

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hello                                                                  | 400 | malformed request
          GET /hello                                                             | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost : x                                      | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\nBad Name: y                      | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\n: y                              | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\nName: a\\0b                      | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: x                | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: -1               | 400 | malformed request
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\nContent-Length: 2 | 400 | malformed request
          POST /hello HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked | 400 | malformed request
          POST /hello HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: gzip         | 400 | malformed request
          POST /hello HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked, gzip | 400 | malformed request
          POST /hello HTTP/1.0\\r\\nTransfer-Encoding: chunked                   | 400 | malformed request
          GET /hello HTTP/1.1                                                    | 400 | Host is missing
          GET /hello HTTP/1.1\\r\\nHost: x\\r\\nHost: y                          | 400 | Host comes more than once
          GET /hello HTTP/2.0\\r\\nHost: x                                       | 505 | HTTP/2.0 is not supported
          GET /hello RTSP/1.0\\r\\nHost: x                                       | 400 | malformed request
          """)
  void badRequestIsAnsweredAndTheConnectionClosed(String request, int status, String body)
      throws IOException {
    String bytes = request.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0");
    try (Wire wire = connect()) {
      wire.send(bytes + "\r\n\r\nGET /hello" + HOST + "\r\n");
      Response response = wire.response();
      assertThat(response.status() + " " + response.body()).isEqualTo(status + " " + body + "\n");
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
    }
  }

  @Test
  void requestLineOver8KibIsAnsweredWith414() throws IOException {
    try (Wire wire = connect()) {
      get(wire, "/hello?" + "x".repeat(8_000));
      assertThat(wire.response().status()).isEqualTo(200);
      get(wire, "/hello?" + "x".repeat(8_192));
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(414);
      assertThat(response.body()).isEqualTo("request line is longer than 8192 bytes\n");
      wire.expectEnd();
    }
  }

  @Test
  void headersOver32KibAreAnsweredWith431() throws IOException {
    String header = "X-Padding: " + "x".repeat(1_000) + "\r\n";
    try (Wire wire = connect()) {
      wire.send("GET /hello" + HOST + header.repeat(31) + "\r\n");
      assertThat(wire.response().status()).isEqualTo(200);
      wire.send("GET /hello" + HOST + header.repeat(40) + "\r\n");
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(431);
      assertThat(response.body()).isEqualTo("headers are larger than 32768 bytes\n");
      wire.expectEnd();
    }
  }

  @Test
  void endlessHeadersAreAnsweredInOrder() throws IOException {
    try (Wire wire = connect()) {
      wire.send("GET /hello" + HOST + "X-Padding: " + "x".repeat(1_000_000));
      assertThat(wire.response().status()).isEqualTo(431);
      wire.expectEnd();
    }
  }
}
