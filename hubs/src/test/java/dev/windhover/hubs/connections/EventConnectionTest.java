package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.answer;
import static dev.windhover.hubs.connections.Recorder.bytes;
import static dev.windhover.hubs.connections.Recorder.post;
import static dev.windhover.hubs.connections.Recorder.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestRequest;
import dev.windhover.testing.TestResponse;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class EventConnectionTest {
  private static TestRequest events(TestHost host, String token) {
    return host.get("/c?id=" + token).header("Accept", "text/event-stream");
  }

  @Test
  void messagesAreEvents() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      CompletableFuture<TestResponse> stream = events(host, token).sendAsync();
      ConnectionContext connection = recorder.connection();
      post(host, token, "hello");
      host.awaitIdle();
      connection.send(bytes("a\nb\r\nc\rd\n"));
      connection.close();
      TestResponse answer = answer(stream);
      answer.expectText(
          String.join(
              "\r\n",
              ":",
              "data: hello",
              "",
              "data: a",
              "data: b",
              "data: c",
              "data: d",
              "data: ",
              "",
              ""));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.headers().get("Content-Type")).isEqualTo("text/event-stream");
      assertThat(answer.headers().get("Cache-Control")).isEqualTo("no-cache,no-store");
      assertThat(answer.headers().get("Pragma")).isEqualTo("no-cache");
      assertThat(answer.headers().get("Content-Encoding")).isEqualTo("identity");
      assertThat(answer.headers().get("X-Accel-Buffering")).isEqualTo("no");
      assertThat(answer.headers().contains("Expires")).isFalse();
      host.awaitIdle();
      assertThat(recorder.heard)
          .containsExactly("connected over ServerSentEvents", "hello", "ended: NORMAL_CLOSURE");
    }
  }

  @Test
  void aTokenOpensOneStream() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      CompletableFuture<TestResponse> stream = events(host, token).sendAsync();
      ConnectionContext connection = recorder.connection();
      events(host, token).expectStatus(409).expectText("");
      host.get("/c?id=" + token).expectStatus(400);
      host.request("DELETE", "/c?id=" + token).expectStatus(400);
      connection.close();
      answer(stream);
      events(host, token).expectStatus(404).expectText("No Connection with that ID");
    }
  }

  @Test
  void onlyTheExactMediaTypeAsksForEvents() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      for (String accept : new String[] {"text/event-stream;q=0.9", "*/*", "text/*"}) {
        String token = Recorder.negotiate(host);
        host.get("/c?id=" + token).header("Accept", accept).expectStatus(200).expectText("");
        assertThat(recorder.connection().transport()).isEqualTo(TransportType.LONG_POLLING);
      }
      for (String accept : new String[] {"text/html, text/event-stream", "TEXT/EVENT-STREAM"}) {
        String token = Recorder.negotiate(host);
        var stream = host.get("/c?id=" + token).header("Accept", accept).sendAsync();
        recorder.connection().close();
        answer(stream).expectText(":\r\n");
      }
    }
  }

  @Test
  void aClientThatLeavesEndsTheConnection() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      events(host, token).sendAndLeave();
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE");
      host.request("POST", "/c?id=" + token).body("x").expectStatus(404);
    }
  }

  @Test
  void linesOfAMessageBecomeFieldsOfAnEvent() {
    assertThat(text(EventTransport.data(bytes("")))).isEqualTo("data: ");
    assertThat(text(EventTransport.data(bytes("é\n\nb"))))
        .isEqualTo("data: é\r\ndata: \r\ndata: b");
    assertThat(text(EventTransport.data(bytes("a\r\n")))).isEqualTo("data: a\r\ndata: ");
  }
}
