package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.protocol.CloseReason;
import dev.windhover.testing.TestFrames;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where clients may come back to their connection on another WebSocket. */
class ComeBackTest {
  private static TestHost start(Recorder recorder) {
    return recorder.start(options -> options.allowStatefulReconnects(true));
  }

  private static String negotiate(TestHost host) {
    return Recorder.negotiate(host, "&useStatefulReconnect=true");
  }

  @Test
  void aLostSocketIsReplacedByTheNext() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      TestWebSocket first = host.webSocket("/c?id=" + token).connect();
      ConnectionContext connection = recorder.connection();
      assertThat(connection.isStateful()).isTrue();
      first.sendText("one");
      first.expectText("one");
      first.abort();
      host.awaitIdle();
      connection.send(bytes("sent meanwhile"));
      host.clock().advance(Duration.ofSeconds(14));

      TestWebSocket second = host.webSocket("/c?id=" + token).connect();
      second.expectText("again"); // which is sent ahead
      second.expectText("sent meanwhile");
      second.sendText("two");
      second.expectText("two");
      second.close();
      host.awaitIdle();
      assertThat(recorder.heard)
          .containsExactly(
              "connected over WebSockets",
              "one",
              "lost",
              "restored",
              "two",
              "ended: NORMAL_CLOSURE");
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void aNewSocketCutsOneThatIsHalfDead() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      TestFrames first = host.webSocket("/c?id=" + token).connect().frames();
      recorder.connection();
      first.sendHex("0181000000006d"); // "m", of a message whose rest never comes
      assertThat(first.receiveText()).isEqualTo("m");

      TestWebSocket second = host.webSocket("/c?id=" + token).connect();
      second.expectText("again");
      assertThat(first.receiveClose()).isEqualTo(new CloseReason(1000, ""));
      host.clock().advance(Duration.ofMillis(100)); // it does not answer
      first.expectReset();
      second.sendText("two");
      second.expectText("two");
      assertThat(recorder.heard).containsSubsequence("m", "lost", "restored", "two");
      second.close();
    }
  }

  @Test
  void whatTheListenerHadNotTakenIsThrownAway() {
    Recorder recorder = new Recorder().onBytes((_, _) -> {}); // takes nothing
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      TestWebSocket first = host.webSocket("/c?id=" + token).connect();
      recorder.connection();
      first.sendText("half a mess");
      host.awaitIdle();
      first.abort();
      host.awaitIdle();
      recorder.onBytes((_, bytes) -> bytes.position(bytes.limit()));
      TestWebSocket second = host.webSocket("/c?id=" + token).connect();
      second.expectText("again");
      second.sendText("new");
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("restored", "new");
      second.close();
    }
  }

  @Test
  void whatHasLeftMayBeSentAgainAndWhatHasNotStillWaits() {
    Recorder recorder = Recorder.echoing().keepingSent();
    try (TestHost host = start(recorder)) {
      host.allowLeftOvers();
      String token = negotiate(host);
      TestWebSocket first = host.webSocket("/c?id=" + token).connect();
      ConnectionContext connection = recorder.connection();
      first.stopTaking();
      for (int i = 0; i < 50; i++) { // more than a socket takes
        connection.send(bytes(i + "x".repeat(10_000)));
      }
      host.awaitIdle();
      assertThat(connection.bufferedAmount()).isGreaterThan(400_000);
      first.abort();
      host.awaitIdle();
      int left = recorder.sent.size();
      assertThat(left).isBetween(5, 40);
      TestWebSocket second = host.webSocket("/c?id=" + token).connect();
      second.expectText("again");
      for (int i = 0; i < 50; i++) {
        second.expectText(i + "x".repeat(10_000));
      }
      second.close();
    }
  }

  @Test
  void whatIsHeldBackIsOvertaken() {
    Recorder recorder = Recorder.echoing().onOpen(connection -> connection.holdBack(true));
    try (TestHost host = start(recorder)) {
      TestWebSocket client = host.webSocket("/c?id=" + negotiate(host)).connect();
      ConnectionContext connection = recorder.connection();
      connection.send(bytes("held"));
      connection.loop().execute(() -> connection.sendAhead(bytes("ahead")));
      client.expectText("ahead");
      connection.loop().execute(() -> connection.holdBack(false));
      client.expectText("held");
      client.close();
    }
  }

  @Test
  void whatIsHeldBackLeavesBeforeTheClose() {
    Recorder recorder = Recorder.echoing().onOpen(connection -> connection.holdBack(true));
    try (TestHost host = start(recorder)) {
      TestWebSocket client = host.webSocket("/c?id=" + negotiate(host)).connect();
      ConnectionContext connection = recorder.connection();
      for (int i = 0; i < 30; i++) { // more than a socket has room for
        connection.send(bytes(i + "x".repeat(10_000)));
      }
      connection.close();
      for (int i = 0; i < 30; i++) {
        client.expectText(i + "x".repeat(10_000));
      }
      client.expectClose(1000, "");
    }
  }

  @Test
  void tooMuchForAClientThatIsAwayEndsItsConnection() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      host.webSocket("/c?id=" + negotiate(host)).connect().abort();
      host.awaitIdle();
      ConnectionContext connection = recorder.connection();
      connection.loop().execute(() -> connection.sendBound(1_000));
      host.awaitIdle();
      for (int i = 0; i < 15; i++) { // each costs a little more than its bytes
        connection.send(bytes("x".repeat(10)));
      }
      host.awaitIdle();
      assertThat(recorder.heard)
          .endsWith("lost", "ended: NORMAL_CLOSURE, client is away, and 1036 bytes wait for it");
      assertThat(connection.bufferedAmount()).isZero();
    }
  }

  @Test
  void aClientThatTakesNothingIsLostAfterTheTime() {
    Recorder recorder = Recorder.echoing().keepingSent();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      TestFrames first = host.webSocket("/c?id=" + token).connect().frames().stopTaking();
      ConnectionContext connection = recorder.connection();
      connection.send(bytes("x"));
      host.awaitIdle();
      host.clock().advance(Duration.ofSeconds(9));
      assertThat(recorder.heard).doesNotContain("lost");
      host.clock().advance(Duration.ofSeconds(1));
      first.expectReset();
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("lost");
      TestWebSocket second = host.webSocket("/c?id=" + token).connect();
      second.expectText("again");
      second.expectText("x");
      second.close();
    }
  }

  @Test
  void aClientThatDoesNotComeBackTimesOut() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      host.webSocket("/c?id=" + token).connect().abort();
      host.awaitIdle();
      host.clock().advance(Duration.ofSeconds(17));
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("lost", "ended: TIMEOUT");
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void aCloseIsTheEnd() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      host.webSocket("/c?id=" + token).connect().close();
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE").doesNotContain("lost");
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void aClientThatBreaksTheRulesIsNotLostButSentAway() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      TestFrames client = host.webSocket("/c?id=" + negotiate(host)).connect().frames();
      client.sendHex("810178"); // without a mask
      assertThat(client.receiveClose().code()).isEqualTo(1002);
      client.expectEnd();
      client.end();
      host.awaitIdle();
      assertThat(recorder.heard).doesNotContain("lost");
      assertThat(recorder.heard.getLast()).startsWith("ended: NORMAL_CLOSURE, ").contains("mask");
    }
  }

  @Test
  void aClientThatCannotComeBackIsGoneWhenItIsLost() {
    Recorder recorder = Recorder.echoing().onOpen(ConnectionContext::disableReconnect);
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      host.webSocket("/c?id=" + token).connect().abort();
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE").doesNotContain("lost");
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void anEndWhileTheClientIsAwayIsTheEnd() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      host.webSocket("/c?id=" + token).connect().abort();
      host.awaitIdle();
      recorder.connection().close();
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("lost", "ended: NORMAL_CLOSURE");
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void lastWordsLeaveBeforeTheClose() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      TestWebSocket client = host.webSocket("/c?id=" + negotiate(host)).connect();
      ConnectionContext connection = recorder.connection();
      for (int i = 0; i < 100; i++) {
        connection.send(bytes("message " + i));
      }
      connection.close();
      for (int i = 0; i < 100; i++) {
        client.expectText("message " + i);
      }
      client.expectClose(1000, "");
    }
  }

  @Test
  void onlyWebSocketsAreReplaced() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = start(recorder)) {
      String token = negotiate(host);
      var events = host.get("/c?id=" + token).header("Accept", "text/event-stream").sendAsync();
      ConnectionContext connection = recorder.connection();
      assertThat(connection.isStateful()).isFalse();
      host.get("/c?id=" + token).header("Accept", "text/event-stream").expectStatus(409);
      connection.close();
      Recorder.answer(events);
    }
  }

  @Test
  void whoeverIsRefusedOnTheLoopHearsOfRoomAfterwards() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host =
        recorder.start(o -> o.allowStatefulReconnects(true).transportMaxBufferSize(100))) {
      TestWebSocket client = host.webSocket("/c?id=" + negotiate(host)).connect();
      ConnectionContext connection = recorder.connection();
      connection
          .loop()
          .execute(() -> {
            boolean hasRoom = connection.send(bytes("x".repeat(200)));
            recorder.heard.add("sent, room: " + hasRoom);
          });
      client.expectText("x".repeat(200));
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("sent, room: false", "writable");
      client.close();
    }
  }

  @Test
  @Tag("full")
  void thousandsOfClientsComeBackAtOnce() {
    Recorder recorder = Recorder.echoing();
    int clients = 5_000;
    try (TestHost host =
        recorder.start(
            options -> options.allowStatefulReconnects(true).maxUnfinishedNegotiations(clients))) {
      List<String> tokens = new ArrayList<>();
      List<TestWebSocket> sockets = new ArrayList<>();
      for (int i = 0; i < clients; i++) {
        tokens.add(negotiate(host));
        sockets.add(host.webSocket("/c?id=" + tokens.getLast()).connect());
      }
      sockets.forEach(TestWebSocket::abort);
      host.awaitIdle();
      for (String token : tokens) {
        TestWebSocket again = host.webSocket("/c?id=" + token).connect();
        again.expectText("again");
        again.close();
      }
      host.awaitIdle();
      assertThat(recorder.heard.stream().filter("restored"::equals)).hasSize(clients);
      assertThat(recorder.heard.stream().filter("ended: NORMAL_CLOSURE"::equals)).hasSize(clients);
    }
  }
}
