package dev.windhover.samples.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.Iterator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TicksTest {
  private final Clock clock = new Clock();
  private final WebApplication app = Ticks.create(clock, "--urls", "http://127.0.0.1:0");
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeEach
  void start() throws Exception {
    app.start();
  }

  @AfterEach
  void stop() {
    app.stop();
    http.shutdownNow(); // a close would wait for bodies that nobody reads on
  }

  /** Opens the stream, which has been added when this returns, and reads to its first event. */
  private Iterator<String> listen(String... headers) throws Exception {
    int before = clock.listeners();
    var request = HttpRequest.newBuilder(uri("/ticks"));
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<Stream<String>> response = http.send(request.build(), BodyHandlers.ofLines());
    assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream");
    Iterator<String> lines = response.body().iterator();
    assertThat(lines.next()).isEqualTo("retry: 2000");
    assertThat(lines.next()).isEmpty();
    while (clock.listeners() == before) {
      Thread.onSpinWait();
    }
    return lines;
  }

  private URI uri(String path) {
    return URI.create(app.urls().getFirst() + path);
  }

  private static void expectTick(Iterator<String> lines, int number) {
    assertThat(lines.next()).isEqualTo("event: tick");
    assertThat(lines.next()).isEqualTo("id: " + number);
    String data = lines.next();
    assertThat(data).startsWith("data: ");
    assertThat(Instant.parse(data.substring("data: ".length()))).isBefore(Instant.now());
    assertThat(lines.next()).isEmpty();
  }

  @Test
  void everyListenerHearsEachTick() throws Exception {
    clock.tick();
    Iterator<String> one = listen();
    clock.tick();
    Iterator<String> other = listen();
    clock.tick();
    expectTick(one, 2);
    expectTick(one, 3);
    expectTick(other, 3);
  }

  @Test
  void whoComesBackGetsWhatItMissed() throws Exception {
    for (int i = 0; i < 100; i++) {
      clock.tick();
    }
    Iterator<String> back = listen("Last-Event-ID", "98");
    expectTick(back, 99);
    expectTick(back, 100);
    Iterator<String> late = listen("Last-Event-ID", "1");
    expectTick(late, 41); // as many as are kept
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "x", "99999999999999999999", "1000"})
  void anIdThatIsNoneOfOursIsIgnored(String id) throws Exception {
    clock.tick();
    Iterator<String> lines = listen("Last-Event-ID", id);
    clock.tick();
    expectTick(lines, 2);
  }

  @Test
  void aStopEndsTheStream() throws Exception {
    Iterator<String> lines = listen();
    Thread stop = Thread.ofVirtual().start(app::stop);
    assertThat(lines.hasNext()).isFalse();
    stop.join();
    assertThat(clock.listeners()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/ticks.js", "/ticks.css", "/favicon.svg"})
  void thePageIsServedAndLoadsNothingForeign(String path) throws Exception {
    var response = http.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofString());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'self'");
    assertThat(response.body()).doesNotContain("//cdn", "https://");
  }
}
