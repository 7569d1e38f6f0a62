package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpException;
import dev.windhover.http.middleware.HttpLogging;
import dev.windhover.http.middleware.HttpLoggingOptions;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

class HttpLoggingTest {
  @BeforeEach
  @AfterEach
  void clearLog() {
    CapturedLog.clear();
  }

  /** Returns the lines of the access log, with the number of the request's id left out. */
  private static List<String> lines() {
    return CapturedLog.lines(Level.INFO).stream()
        .filter(line -> line.logger().equals("dev.windhover.http.access"))
        .map(line -> line.text().replaceAll("test\\d+", "ID"))
        .toList();
  }

  private static Application application(Consumer<HttpLoggingOptions> change) {
    Application application = new Application().use(HttpLogging.with(change));
    application.use(WebSockets.with(o -> o.allowedOrigins("*")));
    application.map("/", Handler.nonBlocking(context -> context.response().write("hello")));
    application.map(
        "/late",
        context -> {
          context.response().write("half");
          context.response().flush();
          throw new HttpException(400, "too late");
        });
    application.map(
        "/no",
        context -> {
          throw new HttpException(403, "no");
        });
    application.map("/drops", context -> context.abort());
    return application;
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /, '\"GET / HTTP/1.1\" 200 5 0.000 ms'",
    "HEAD, /, '\"HEAD / HTTP/1.1\" 200 0 0.000 ms'",
    "POST, /?access_token=secret, '\"POST / HTTP/1.1\" 200 5 0.000 ms'",
    "GET, /no, '\"GET /no HTTP/1.1\" 403 3 0.000 ms'",
    "GET, /no%0Awhere, '\"GET /no%0Awhere HTTP/1.1\" 404 10 0.000 ms'",
    "GET, '/\"\\', '\"GET /\\x22\\x5C HTTP/1.1\" 404 10 0.000 ms'",
  })
  void aRequestIsOneLine(String method, String target, String line) {
    try (TestHost host = TestHost.start(application(o -> {}))) {
      host.request(method, target).send();
    }
    assertThat(lines()).containsExactly("ID client.test " + line);
  }

  @ParameterizedTest
  @CsvSource({"/drops, 200 0", "/late, 200 4"})
  void aDroppedRequestIsOneLineThatSaysSo(String path, String statusAndBytes) {
    try (TestHost host = TestHost.start(application(o -> {}))) {
      try {
        host.get(path).send();
        throw new IllegalStateException("it was answered");
      } catch (AssertionError dropped) {
        assertThat(dropped).hasMessageContaining("the server dropped the connection");
      }
    }
    assertThat(lines())
        .containsExactly(
            "ID client.test \"GET " + path + " HTTP/1.1\" " + statusAndBytes + " 0.000 ms aborted");
  }

  @Test
  void aClientThatGoesIsOneLineThatSaysSo() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gone = new CountDownLatch(1);
    Application application = application(o -> {});
    application.map(
        "/slow",
        context -> {
          begun.countDown();
          gone.await();
          context.response().write("anybody?");
        });
    try (TestHost host = TestHost.start(application)) {
      host.get("/slow").sendAndLeave();
      begun.await();
      host.clock().advance(Duration.ofSeconds(3));
      gone.countDown();
    }
    assertThat(lines())
        .containsExactly("ID client.test \"GET /slow HTTP/1.1\" 200 8 3000.000 ms aborted");
  }

  @ParameterizedTest
  @CsvSource({"false, '\"GET /ws HTTP/1.1\" 101'", "true, '\"CONNECT /ws HTTP/2\" 200'"})
  void aSocketIsOneLineWhenItHasEnded(boolean http2, String line) {
    Application application = application(o -> {});
    application.mapWebSocket("/ws", socket -> socket.receiveMessage());
    try (TestHost host = TestHost.start(application)) {
      TestRequest request = host.webSocket("/ws");
      TestFrames socket = (http2 ? request.http2() : request).connect().frames();
      host.clock().advance(Duration.ofMillis(61_500));
      assertThat(lines()).isEmpty();
      socket.close();
    }
    assertThat(lines()).containsExactly("ID client.test " + line + " 0 61500.000 ms");
  }

  @Test
  void theFormatMayBeAnother() {
    Consumer<HttpLoggingOptions> change =
        o -> o.format(e -> e.status() + " " + e.context().request().target());
    try (TestHost host = TestHost.start(application(change))) {
      host.get("/nowhere?a").send();
    }
    assertThat(lines()).containsExactly("404 /nowhere?a");
  }

  @Test
  void nobodyForgesALine() {
    Consumer<HttpLoggingOptions> change =
        o ->
            o.format(
                e -> "a\r\nb\t\u0085\u001B[2J\u2028" + e.context().request().headers().get("A"));
    try (TestHost host = TestHost.start(application(change))) {
      host.get("/").header("A", "\u009B2J ü").send();
    }
    assertThat(lines()).containsExactly("a\\x0D\\x0Ab\\x09\\x85\\x1B[2J\\u2028\\x9B2J ü");
  }

  @Test
  void textBetweenQuotesEndsWhereTheyEnd() {
    Consumer<HttpLoggingOptions> change =
        o ->
            o.format(e ->
                '"'
                    + HttpLogging.escaped(
                        String.valueOf(e.context().request().headers().get("User-Agent")))
                    + '"');
    try (TestHost host = TestHost.start(application(change))) {
      host.get("/").header("User-Agent", "a\" 200 \\").send();
    }
    assertThat(lines()).containsExactly("\"a\\x22 200 \\x5C\"");
  }

  @Test
  void whatDoesNotBlockStaysOnTheLoop() {
    Application application = new Application().use(HttpLogging.with(o -> {}));
    application.map(
        "/",
        Handler.nonBlocking(
            context -> context.response().write("" + Thread.currentThread().isVirtual())));
    try (TestHost host = TestHost.start(application)) {
      assertThat(host.get("/").send().text()).isEqualTo("false");
    }
    assertThat(lines()).hasSize(1);
  }
}
