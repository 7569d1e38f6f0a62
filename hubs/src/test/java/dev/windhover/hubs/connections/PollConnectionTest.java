package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.answer;
import static dev.windhover.hubs.connections.Recorder.bytes;
import static dev.windhover.hubs.connections.Recorder.contentType;
import static dev.windhover.hubs.connections.Recorder.poll;
import static dev.windhover.hubs.connections.Recorder.post;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.User;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class PollConnectionTest {
  private static final String BYTES = "application/octet-stream";

  @Test
  void theFirstPollIsAnsweredAtOnce() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      TestResponse first = host.get("/c?id=" + token + "&_=1").expectStatus(200).expectText("");
      assertThat(contentType(first)).isEqualTo(BYTES);
      assertThat(first.headers().get("Content-Length")).isEqualTo("0");
      assertThat(first.headers().get("Cache-Control")).isEqualTo("no-cache, no-store");
      assertThat(first.headers().get("Pragma")).isEqualTo("no-cache");
      assertThat(first.headers().get("Expires")).isEqualTo("Thu, 01 Jan 1970 00:00:00 GMT");
      assertThat(recorder.heard).containsExactly("connected over LongPolling");
    }
  }

  @Test
  void aPollWaitsForWhatIsSent() {
    try (TestHost host = Recorder.echoing().start()) {
      String token = poll(host);
      CompletableFuture<TestResponse> waiting = host.get("/c?id=" + token).sendAsync();
      host.awaitIdle();
      assertThat(waiting).isNotDone();
      post(host, token, "hello"); // while it polls
      TestResponse answer = answer(waiting).expectText("hello");
      assertThat(answer.status()).isEqualTo(200);
      assertThat(contentType(answer)).isEqualTo(BYTES);
    }
  }

  @Test
  void whatWasSentBetweenPollsComesTogether() {
    try (TestHost host = Recorder.echoing().start()) {
      String token = poll(host);
      post(host, token, "a");
      post(host, token, "");
      post(host, token, "b");
      host.get("/c?id=" + token).expectStatus(200).expectText("ab");
    }
  }

  @Test
  void aPollWithNothingToSayEndsAfterItsTime() {
    try (TestHost host = Recorder.echoing().start(o -> o.pollTimeout(Duration.ofSeconds(30)))) {
      String token = poll(host);
      for (int i = 0; i < 3; i++) { // polling is a sign of life
        CompletableFuture<TestResponse> waiting = host.get("/c?id=" + token).sendAsync();
        host.awaitIdle();
        host.clock().advance(Duration.ofSeconds(30));
        TestResponse answer = answer(waiting).expectText("");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(contentType(answer)).isEqualTo("text/plain");
      }
    }
  }

  @Test
  void aNewerPollEndsTheOlder() {
    try (TestHost host = Recorder.echoing().start()) {
      String token = poll(host);
      CompletableFuture<TestResponse> older = host.get("/c?id=" + token).sendAsync();
      host.awaitIdle();
      CompletableFuture<TestResponse> newer = host.get("/c?id=" + token).sendAsync();
      assertThat(answer(older).status()).isEqualTo(204);
      post(host, token, "x");
      answer(newer).expectText("x");
    }
  }

  @Test
  void aClientThatNeverPollsAgainTimesOut() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = poll(host);
      host.clock().advance(Duration.ofSeconds(14));
      assertThat(recorder.heard).hasSize(1);
      host.clock().advance(Duration.ofSeconds(2));
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("ended: TIMEOUT");
      host.request("POST", "/c?id=" + token).body("x").expectStatus(404);
    }
  }

  @Test
  void aPostThatEndsTheConnectionWasTaken() {
    Recorder recorder = new Recorder().onBytes((connection, _) -> connection.close());
    try (TestHost host = recorder.start(options -> options.applicationMaxBufferSize(1))) {
      String token = poll(host);
      post(host, token, "goodbye");
      host.request("POST", "/c?id=" + token).body("x").expectStatus(404);
    }
  }

  @Test
  void aPollWhoseClientIsGoneKeepsNothing() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = poll(host);
      host.get("/c?id=" + token).sendAndLeave();
      host.awaitIdle();
      post(host, token, "x");
      host.get("/c?id=" + token).expectStatus(200).expectText("x");
    }
  }

  @Test
  void everyPollRefreshesTheUser() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      host.get("/c?id=" + token).user("ann").expectStatus(200);
      ConnectionContext connection = recorder.connection();
      assertThat(connection.user()).isEqualTo(User.of("ann"));
      connection.send(bytes("x"));
      host.get("/c?id=" + token).user("ann", "admin").expectStatus(200);
      assertThat(connection.user()).isEqualTo(User.of("ann", "admin"));
    }
  }

  @Test
  void errorLinesNameItsPathItsUserAndItsClient() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      TestResponse _ = host.get("/c?secret=1&id=" + token).user("ann").expectStatus(200);
      ConnectionContext connection = recorder.connection();
      assertThat(connection)
          .hasToString(
              "connection "
                  + connection.connectionId()
                  + " (/c over LongPolling) of ann from "
                  + connection.request().connection().remoteAddress());
    }
  }

  @Test
  void otherTransportsAreRefusedOnItsToken() {
    try (TestHost host = Recorder.echoing().start()) {
      String token = poll(host);
      host.webSocket("/c?id=" + token).expectStatus(400);
      host.get("/c?id=" + token).header("Accept", "text/event-stream").expectStatus(400);
    }
  }

  @Nested
  class End {
    @Test
    void deleteEndsThePollAndTheConnection() {
      Recorder recorder = Recorder.echoing();
      try (TestHost host = recorder.start()) {
        String token = poll(host);
        CompletableFuture<TestResponse> waiting = host.get("/c?id=" + token).sendAsync();
        host.awaitIdle();
        TestResponse deleted = host.request("DELETE", "/c?id=" + token).expectStatus(202);
        assertThat(contentType(deleted)).isEqualTo("text/plain");
        assertThat(answer(waiting).status()).isEqualTo(204);
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("closing", "ended: NORMAL_CLOSURE");
      }
    }

    @Test
    void lastWordsAndTheEndAreTwoPolls() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        String token = poll(host);
        ConnectionContext connection = recorder.connection();
        connection.send(bytes("last"));
        connection.close();
        host.awaitIdle();
        host.request("POST", "/c?id=" + token).body("x").expectStatus(404);
        host.request("DELETE", "/c?id=" + token).expectStatus(404);
        host.get("/c?id=" + token).expectStatus(200).expectText("last");
        host.get("/c?id=" + token).expectStatus(204);
      }
    }

    @Test
    void anAbortDropsWhatWaits() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        String token = poll(host);
        ConnectionContext connection = recorder.connection();
        connection.send(bytes("never read"));
        connection.abort();
        host.awaitIdle();
        host.get("/c?id=" + token).expectStatus(204);
      }
    }

    @Test
    void aPollWithADeadTokenOfOursGets204() { // Swift's client polls again at once after 404
      try (TestHost host = Recorder.echoing().start()) {
        String token = poll(host);
        host.request("DELETE", "/c?id=" + token).expectStatus(202);
        host.awaitIdle();
        for (int i = 0; i < 2; i++) {
          host.get("/c?id=" + token).expectStatus(204);
          host.clock().advance(Duration.ofHours(1));
        }
        host.get("/c?id=AAAAAAAAAAAAAAAAAAAAAA")
            .expectStatus(404)
            .expectText("No Connection with that ID");
      }
    }

    @Test
    void whatNobodyFetchesIsForgotten() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        String token = poll(host);
        recorder.connection().send(bytes("last"));
        host.request("DELETE", "/c?id=" + token).expectStatus(202);
        host.awaitIdle();
        host.clock().advance(Duration.ofSeconds(17));
        host.get("/c?id=" + token).expectStatus(204);
      }
    }
  }

  @Nested
  class Posting {
    @Test
    void beforeATransportIsKept() {
      Recorder recorder = Recorder.echoing();
      try (TestHost host = recorder.start()) {
        String token = Recorder.negotiate(host);
        post(host, token, "early");
        assertThat(recorder.heard).isEmpty();
        host.get("/c?id=" + token).expectStatus(200);
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("early");
        host.get("/c?id=" + token).expectStatus(200).expectText("early");
      }
    }

    @Test
    void withoutATransportIsForgotten() {
      Recorder recorder = Recorder.echoing();
      try (TestHost host = recorder.start()) {
        String token = Recorder.negotiate(host);
        post(host, token, "early");
        host.awaitIdle();
        host.clock().advance(Duration.ofSeconds(17));
        host.awaitIdle();
        host.request("POST", "/c?id=" + token).body("late").expectStatus(404);
        assertThat(recorder.heard).isEmpty();
      }
    }

    @Test
    void waitsForTheListener() {
      Recorder recorder = new Recorder().onBytes((_, _) -> {}); // takes nothing
      try (TestHost host = recorder.start(o -> o.applicationMaxBufferSize(1000))) {
        String token = poll(host);
        ConnectionContext connection = recorder.connection();
        post(host, token, "a".repeat(900));
        CompletableFuture<TestResponse> waiting =
            host.request("POST", "/c?id=" + token).body("b".repeat(200)).sendAsync();
        host.awaitIdle(); // two requests on their way at once have no order
        CompletableFuture<TestResponse> next =
            host.request("POST", "/c?id=" + token).body("c").sendAsync();
        host.awaitIdle();
        assertThat(waiting).isNotDone();
        assertThat(next).isNotDone();

        recorder.onBytes((_, bytes) -> bytes.position(bytes.limit()));
        connection.resume();
        assertThat(answer(waiting).status()).isEqualTo(200);
        assertThat(answer(next).status()).isEqualTo(200);
        host.awaitIdle();
        assertThat(String.join("", recorder.heard.subList(1, recorder.heard.size())))
            .isEqualTo("a".repeat(1800) + "b".repeat(200) + "c");
      }
    }

    @Test
    void withoutEndIsHeldBackAndEndsWithTheConnection() {
      Recorder recorder = new Recorder().onBytes((_, _) -> {});
      try (TestHost host = recorder.start()) {
        String token = poll(host);
        ConnectionContext connection = recorder.connection();
        CompletableFuture<TestResponse> upload =
            host.request("POST", "/c?id=" + token).body(new byte[1 << 20]).sendAsync();
        host.awaitIdle();
        assertThat(upload).isNotDone();
        connection.abort();
        assertThat(answer(upload).status()).isEqualTo(404);
      }
    }
  }

  @Test
  void aClientThatFetchesNothingIsDisconnectedAtTheBound() {
    Recorder recorder = new Recorder();
    try (TestHost host = recorder.start()) {
      String token = poll(host);
      ConnectionContext connection = recorder.connection();
      boolean hasRoom = true;
      int sent = 0;
      for (; hasRoom; sent++) {
        hasRoom = connection.send(ByteBuffer.allocate(1024));
      }
      assertThat(sent).isBetween(58, 64); // of a KiB and what a message costs, in 64 KiB
      host.get("/c?id=" + token).expectStatus(200);
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("writable");
      for (int i = 0; i < 1100; i++) {
        connection.send(ByteBuffer.allocate(1024));
      }
      host.awaitIdle();
      assertThat(recorder.heard.getLast()).contains("client reads too slowly");
    }
  }
}
