package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.answer;
import static dev.windhover.hubs.connections.Recorder.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestResponse;
import dev.windhover.testing.TestWebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What a stop of the application does. */
class StopTest {
  private static Recorder saysBye() {
    return new Recorder().onClosing(connection -> connection.send(bytes("bye")));
  }

  @Test
  void aSocketHearsLastWordsAndACloseOf1000() {
    Recorder recorder = saysBye();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      TestWebSocket client = host.webSocket("/c?id=" + token).connect();
      host.stop();
      client.expectText("bye");
      client.expectClose(1000, "");
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("closing", "ended: APP_SHUTDOWN");
    }
  }

  @Test
  void aPollHearsLastWordsAndAnEventStreamEnds() {
    Recorder recorder = saysBye();
    try (TestHost host = recorder.start(options -> options.drainTime(Duration.ZERO))) {
      String polling = Recorder.poll(host);
      CompletableFuture<TestResponse> poll = host.get("/c?id=" + polling).sendAsync();
      CompletableFuture<TestResponse> events =
          host.get("/c?id=" + Recorder.negotiate(host))
              .header("Accept", "text/event-stream")
              .sendAsync();
      host.awaitIdle();
      host.stop();
      answer(poll).expectText("bye");
      answer(events).expectText(":\r\ndata: bye\r\n\r\n");
      host.get("/c?id=" + polling).expectStatus(204);
    }
  }

  @Test
  void nobodyIsLetInAnyMore() {
    try (TestHost host = saysBye().start()) {
      host.stop();
      host.request("POST", "/c/negotiate").expectStatus(503);
      host.webSocket("/c").expectStatus(503);
    }
  }

  @Test
  void manyEndOneAfterTheOther() {
    Recorder recorder = new Recorder();
    try (TestHost host = recorder.start(options -> options.drainTime(Duration.ofMillis(400)))) {
      List<TestWebSocket> clients = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        clients.add(host.webSocket("/c").connect());
      }
      host.stop();
      long[] closed = new long[4];
      for (int i = 0; i < closed.length; i++) {
        host.clock().advance(Duration.ofMillis(100));
        host.awaitIdle();
        closed[i] = recorder.heard.stream().filter("closing"::equals).count();
      }
      assertThat(closed[0]).isBetween(20L, 30L);
      assertThat(closed[1]).isBetween(45L, 55L);
      assertThat(closed[3]).isEqualTo(100);
      clients.forEach(client -> client.expectClose(1000, ""));
    }
  }
}
