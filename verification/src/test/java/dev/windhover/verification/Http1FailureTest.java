package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.websocket.Message;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** What happens to a request when its handler, its client or the server fails halfway. */
@ExtendWith(StrictLogs.class)
class Http1FailureTest {
  private static final String HOST = "Host: x\r\n\r\n";

  private final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");

  @AfterEach
  void stop() {
    app.stop();
  }

  private Wire connect() throws IOException {
    return Wire.connect(Ports.of(app));
  }

  private static Logs.Recording errors() {
    return Logs.record(line -> line.level() == Level.ERROR);
  }

  /** Requires one line about the request, with its id and why. */
  private static void requireOneLine(Logs.Recording log, HttpContext context) {
    assertThat(log.lines()).hasSize(1);
    assertThat(log.lines().getFirst().text())
        .startsWith("request " + context.id() + " failed: GET /");
    assertThat(log.lines().getFirst().failure()).hasMessage("on purpose");
  }

  private static HttpContext take(BlockingQueue<HttpContext> from) throws InterruptedException {
    HttpContext taken = from.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
    if (taken == null) {
      throw new AssertionError("no handler came there");
    }
    return taken;
  }

  // ---- The handler

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void failureBeforeTheResponseIs500AndOneLineWithTheRequestsId(boolean onLoop) throws Exception {
    List<HttpContext> seen = new CopyOnWriteArrayList<>();
    BlockingQueue<HttpContext> completed = new LinkedBlockingQueue<>();
    Handler fails =
        context -> {
          seen.add(context);
          context.response().status(201).headers().set("X-Half", "done");
          context.response().write("not to be seen");
          context.response().onCompleted(() -> completed.add(context));
          throw new IllegalStateException("on purpose");
        };
    app.map("/fails", onLoop ? Handler.nonBlocking(fails) : fails);
    app.start();
    try (Logs.Recording log = errors();
        Wire wire = connect()) {
      for (int i = 0; i < 2; i++) { // the connection goes on
        wire.send("GET /fails HTTP/1.1\r\n" + HOST);
        Response response = wire.response();
        assertThat(response.status()).isEqualTo(500);
        assertThat(response.body()).isEqualTo("internal server error\n");
        assertThat(response.header("X-Half")).isNull();
        assertThat(response.header("Connection")).isNull();
      }
      HttpContext first = seen.getFirst();
      HttpContext second = seen.getLast();
      assertThat(List.of(take(completed), take(completed))).contains(first, second);
      assertThat(first.id()).isNotEqualTo(second.id());
      assertThat(log.lines())
          .extracting(Logs.Line::text)
          .containsExactly(
              "request " + first.id() + " failed: GET /fails (route /fails) from 127.0.0.1",
              "request " + second.id() + " failed: GET /fails (route /fails) from 127.0.0.1");
    }
  }

  /** As middleware does that marks every answer, the failed ones too. */
  @Test
  void whatIsSetWhenTheResponseStartsIsOnThe500Too() throws Exception {
    app.use((context, next) -> {
      context.response().headers().set("X-Early", "lost");
      context.response().onStarting(() -> context.response().headers().set("X-Late", "kept"));
      next.handle(context);
    });
    app.map(
        "/fails",
        context -> {
          throw new HttpException(503, "not now");
        });
    app.start();
    try (Wire wire = connect()) {
      wire.send("GET /fails HTTP/1.1\r\n" + HOST);
      Response response = wire.response();
      assertThat(response.status()).isEqualTo(503);
      assertThat(response.header("X-Early")).isNull();
      assertThat(response.header("X-Late")).isEqualTo("kept");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "HTTP/1.1, false, chunked",
    "HTTP/1.1, true, length",
    "HTTP/1.0, false, end",
    "HTTP/1.0, true, length"
  })
  void failureAfterTheResponseBeganCutsIt(String version, boolean length, String framing)
      throws Exception {
    BlockingQueue<HttpContext> seen = new LinkedBlockingQueue<>();
    CountDownLatch read = new CountDownLatch(1);
    app.map(
        "/fails",
        context -> {
          if (length) {
            context.response().contentLength(1_000);
          }
          context.response().write("begun");
          context.response().flush();
          context.response().onCompleted(() -> seen.add(context));
          read.await();
          throw new IllegalStateException("on purpose");
        });
    app.start();
    try (Logs.Recording log = errors();
        Wire wire = connect()) {
      wire.send("GET /fails " + version + "\r\n" + HOST);
      Response head = wire.responseHead();
      assertThat(head.header("Content-Length")).isEqualTo(length ? "1000" : null);
      assertThat(head.header("Transfer-Encoding"))
          .isEqualTo(framing.equals("chunked") ? "chunked" : null);
      assertThat(wire.body(head).readNBytes(5)).asString().isEqualTo("begun");
      read.countDown();
      wire.expectAbort(); // an end in order would be the end of the body, at least in HTTP/1.0
      requireOneLine(log, take(seen));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTP/1.1", "HTTP/1.0"})
  void abortByTheHandlerIsSeenAsOne(String version) throws Exception {
    app.map(
        "/aborts",
        context -> {
          context.response().write("begun");
          context.response().flush();
          context.abort();
        });
    app.start();
    try (Wire wire = connect()) {
      wire.send("GET /aborts " + version + "\r\n" + HOST);
      wire.expectAbort();
    }
  }

  @Test
  void abortThatComesTooLateIsNotTheNextRequests() throws Exception {
    BlockingQueue<HttpContext> seen = new LinkedBlockingQueue<>();
    CountDownLatch aborted = new CountDownLatch(1);
    app.map("/first", context -> seen.add(context));
    app.map(
        "/second",
        context -> {
          seen.add(context);
          aborted.await();
          context.response().write("answered");
        });
    app.start();
    try (Wire wire = connect()) {
      wire.send("GET /first HTTP/1.1\r\n" + HOST);
      assertThat(wire.response().status()).isEqualTo(200);
      HttpContext first = take(seen);
      wire.send("GET /second HTTP/1.1\r\n" + HOST);
      take(seen);
      first.abort();
      aborted.countDown();
      assertThat(wire.response().body()).isEqualTo("answered");
    }
  }

  @Test
  void abortThatComesTooLateIsNotTheLaterSockets() throws Exception {
    BlockingQueue<HttpContext> seen = new LinkedBlockingQueue<>();
    app.useWebSockets(options -> options.allowedOrigins("http://localhost"));
    app.map("/first", context -> seen.add(context));
    app.mapWebSocket(
        "/echo",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.start();
    try (Wire wire = connect()) {
      wire.send("GET /first HTTP/1.1\r\n" + HOST);
      assertThat(wire.response().status()).isEqualTo(200);
      HttpContext first = take(seen);
      wire.upgrade("/echo");
      first.abort(); // on the loop before what is sent behind it
      wire.send(Frame.text("still here"));
      assertThat(wire.frame().payload()).asString().isEqualTo("still here");
      wire.send(Frame.close(1000, ""));
      wire.frame();
      wire.expectEnd();
    }
  }

  @Test
  void fileThatIsTooShortCutsTheResponse(@TempDir Path folder) throws Exception {
    Path file = Files.write(folder.resolve("short"), new byte[100_000]);
    app.map("/file", context -> context.response().writeFile(file, 0, 200_000));
    app.start();
    try (Wire wire = connect()) {
      wire.send("GET /file HTTP/1.0\r\n" + HOST);
      wire.expectAbort();
    }
    try (Wire wire = connect()) {
      wire.send("GET /file HTTP/1.1\r\n" + HOST);
      InputStream body = wire.body(wire.responseHead());
      assertThatThrownBy(body::readAllBytes).isInstanceOf(EOFException.class);
    }
  }

  @Test
  void endOfAResponseWithoutALengthIsInOrder() throws Exception {
    app.map(
        "/pieces",
        context -> {
          context.response().write("one ");
          context.response().flush();
          context.response().write("two");
        });
    app.start();
    for (boolean clientEndsFirst : new boolean[] {true, false}) {
      try (Wire wire = connect()) {
        wire.send("GET /pieces HTTP/1.0\r\n" + HOST);
        if (clientEndsFirst) {
          wire.endOutput();
        }
        assertThat(wire.response().body()).isEqualTo("one two");
        wire.expectEnd();
      }
    }
  }

  // ---- The client

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 1000\r\n\r\nonly this",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nonly this",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\n"
      })
  void clientThatEndsInABodyFailsTheReadAndAbortsTheRequest(String rest) throws Exception {
    BlockingQueue<HttpContext> seen = new LinkedBlockingQueue<>();
    BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
    app.mapPost(
        "/read",
        context -> {
          assertThat(context.request().body().readNBytes(9)).asString().isEqualTo("only this");
          seen.add(context);
          try {
            context.request().body().readAllBytes();
          } catch (IOException e) {
            failures.add(e);
            throw e;
          }
        });
    app.start();
    for (boolean inOrder : new boolean[] {true, false}) {
      try (Wire wire = connect()) {
        wire.send("POST /read HTTP/1.1\r\nHost: x\r\n" + rest);
        HttpContext context = take(seen);
        assertThat(context.aborted()).isNotDone();
        if (inOrder) {
          wire.endOutput();
        } else {
          wire.abort();
        }
        context.aborted().get(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
        assertThat(failures.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS))
            .isInstanceOf(IOException.class)
            .hasMessage("the client ended the connection");
        if (inOrder) {
          wire.expectAbort(); // and not a line in the log: the fault is not ours
        }
      }
    }
  }

  @Test
  void bodyThatIsLongerThanIsReadForTheConnectionsSakeEndsItAndSaysSo() throws Exception {
    app.mapPost("/ignore", context -> context.response().write("ignored\n"));
    app.start();
    for (int size : new int[] {256 * 1024, 256 * 1024 + 1}) {
      try (Wire wire = connect()) {
        wire.send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n");
        Response response = wire.response();
        assertThat(response.body()).isEqualTo("ignored\n");
        assertThat(response.header("Connection")).isEqualTo(size > 256 * 1024 ? "close" : null);
        wire.send(new byte[size]);
        if (size > 256 * 1024) {
          wire.expectEnd();
        } else {
          wire.send("POST /ignore HTTP/1.1\r\nContent-Length: 0\r\n" + HOST);
          assertThat(wire.response().body()).isEqualTo("ignored\n");
        }
      }
    }
  }

  @Test
  void trailersAreDeliveredWhenTheBodyWasReadAndAreNoHeaders() throws Exception {
    app.mapPost(
        "/trailers",
        context -> {
          assertThat(context.request().body().read()).isEqualTo('a'); // the rest is here too
          boolean early = context.request().trailers().contains("X-Sum");
          context.request().body().readAllBytes();
          String sum = context.request().trailers().get("X-Sum");
          boolean header = context.request().headers().contains("X-Sum");
          context.response().write(early + " " + sum + " " + header + "\n");
        });
    app.start();
    try (Wire wire = connect()) {
      wire.send(
          """
          POST /trailers HTTP/1.1\r
          Host: x\r
          Transfer-Encoding: chunked\r
          \r
          3\r
          abc\r
          0\r
          X-Sum: 6\r
          \r
          """);
      assertThat(wire.response().body()).isEqualTo("false 6 false\n");
    }
  }

  // ---- The stop

  @ParameterizedTest
  @ValueSource(strings = {"HTTP/1.1", "HTTP/1.0"})
  void responseThatIsNotDoneWhenTheStopsTimeIsOverIsCut(String version) throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    app.server(options -> options.stopTimeout(Duration.ofMillis(300)));
    app.map(
        "/endless",
        context -> {
          context.interruptWhenAborted();
          context.response().write("begun");
          context.response().flush();
          over.await();
        });
    app.start();
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.WARN);
        Wire wire = connect()) {
      wire.send("GET /endless " + version + "\r\n" + HOST);
      Response head = wire.responseHead();
      assertThat(wire.body(head).readNBytes(5)).asString().isEqualTo("begun");
      Thread.ofVirtual().start(app::stop);
      wire.expectAbort();
      assertThat(log.lines()).hasSize(1);
    }
  }
}
