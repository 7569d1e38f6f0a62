package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.User;
import dev.windhover.protocol.CloseReason;
import dev.windhover.testing.TestFrames;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SocketConnectionTest {
  @Test
  void bytesGoBothWays() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      TestWebSocket client = host.webSocket("/c").connect();
      client.sendText("hello");
      client.expectText("hello");
      client.sendBinary(new byte[] {1, 2}); // the type of what comes does not matter
      client.expectText("\1\2");
      client.close();
      host.awaitIdle();
      assertThat(recorder.heard)
          .containsExactly("connected over WebSockets", "hello", "\1\2", "ended: NORMAL_CLOSURE");
    }
  }

  @Test
  void theFormatDecidesWhatIsSent() {
    try (TestHost host =
        Recorder.echoing().onOpen(c -> c.transferFormat(TransferFormat.BINARY)).start()) {
      TestWebSocket client = host.webSocket("/c").connect();
      client.sendText("x");
      client.expectBinary((byte) 'x');
      client.close();
    }
  }

  @Test
  void theRequestIsKept() {
    Recorder recorder = Recorder.echoing();
    try (TestHost host = recorder.start()) {
      TestWebSocket client =
          host.webSocket("/c?room=5").header("X-Mine", "yes").user("ann").connect();
      ConnectionContext connection = recorder.connection();
      assertThat(connection.request().query().get("room")).isEqualTo("5");
      assertThat(connection.request().headers().get("X-Mine")).isEqualTo("yes");
      assertThat(connection.user()).isEqualTo(User.of("ann"));
      connection.items().put("a", 1);
      assertThat(connection.items()).containsEntry("a", 1);
      client.close();
    }
  }

  @Test
  void aClientThatTakesNothingIsDroppedAfterTheTime() {
    Recorder recorder = new Recorder();
    try (TestHost host =
        recorder.start(options -> options.transportSendTimeout(Duration.ofSeconds(3)))) {
      TestFrames client = host.webSocket("/c").connect().frames().stopTaking();
      recorder.connection().send(bytes("x"));
      host.awaitIdle();
      host.clock().advance(Duration.ofSeconds(2));
      assertThat(recorder.heard).hasSize(1);
      host.clock().advance(Duration.ofSeconds(1));
      client.expectReset();
      host.awaitIdle();
      assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE, peer took no data for PT3S");
    }
  }

  @Test
  void aTokenOpensOneSocket() {
    try (TestHost host = Recorder.echoing().start()) {
      String token = Recorder.negotiate(host);
      TestWebSocket client = host.webSocket("/c?ID=" + token).connect();
      host.webSocket("/c?id=" + token).expectStatus(409).expectText("");
      host.get("/c?id=" + token)
          .expectStatus(400)
          .expectText("Cannot change transports mid-connection");
      host.request("POST", "/c?id=" + token)
          .body("x")
          .expectStatus(405)
          .expectText("POST requests are not allowed for WebSocket connections.");
      host.request("DELETE", "/c?id=" + token)
          .expectStatus(400)
          .expectText("Cannot terminate this connection using the DELETE endpoint.");
      client.close();
      host.awaitIdle();
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void anUnknownTokenIsRefusedBeforeTheUpgrade() {
    try (TestHost host = Recorder.echoing().start()) {
      host.webSocket("/c?id=nobody").expectStatus(404).expectText("");
    }
  }

  @Test
  void whereThereAreNoSocketsTheyAreRefused() {
    try (TestHost host =
        Recorder.echoing().start(o -> o.transports(EnumSet.of(TransportType.LONG_POLLING)))) {
      host.webSocket("/c")
          .expectStatus(404)
          .expectText("WebSockets transport not supported by this end point type");
    }
  }

  @Test
  void aBadHandshakeLeavesTheTokenOfNoUse() {
    try (TestHost host =
        Recorder.echoing().start(o -> o.webSockets(w -> w.subprotocol("not offered")))) {
      host.allowFailures();
      String token = Recorder.negotiate(host);
      host.webSocket("/c?id=" + token).expectStatus(500);
      host.awaitIdle();
      host.webSocket("/c?id=" + token).expectStatus(404);
    }
  }

  @Test
  void aPartOfAMessageIsDeliveredBeforeItsEnd() {
    Recorder recorder = new Recorder();
    try (TestHost host = recorder.start()) {
      TestWebSocket client = host.webSocket("/c").connect();
      client.frames().sendHex("0181000000006d"); // "m", in a message that goes on
      host.awaitIdle();
      assertThat(recorder.heard).containsExactly("connected over WebSockets", "m");
      client.abort();
      host.awaitIdle();
    }
  }

  @Test
  void noPingsAreSent() {
    try (TestHost host = Recorder.echoing().start()) {
      TestWebSocket client = host.webSocket("/c").connect();
      host.clock().advance(Duration.ofMinutes(10));
      client.sendText("still here");
      client.expectText("still here");
      client.close();
    }
  }

  @Nested
  class Close {
    @Test
    void ofTheClientIsAnsweredWith1000() {
      Recorder recorder = Recorder.echoing();
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        client.closeOutput(4000, "mine");
        client.expectClose(1000, "");
        TestWebSocket other = host.webSocket("/c").connect();
        TestFrames frames = other.frames().sendHex("888000000000"); // an empty Close
        assertThat(frames.receiveClose()).isEqualTo(new CloseReason(1000, ""));
        frames.expectEnd();
        host.awaitIdle();
        assertThat(recorder.heard).filteredOn(h -> h.startsWith("ended")).hasSize(2);
      }
    }

    @Test
    void ofTheApplicationFollowsWhatWasSent() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        ConnectionContext connection = recorder.connection();
        connection.send(bytes("last"));
        connection.close();
        assertThat(connection.send(bytes("too late"))).isTrue();
        client.expectText("last");
        client.expectClose(1000, "");
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE");
      }
    }

    @Test
    void becauseOfAnErrorIs1011() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        recorder.connection().close(new IllegalStateException("broken"));
        client.expectClose(1011, "");
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE, broken");
      }
    }

    @Test
    void followsAListenerThatThrows() {
      Recorder recorder =
          new Recorder()
              .onBytes((_, _) -> {
                throw new IllegalStateException("no");
              });
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        client.sendText("x");
        client.expectClose(1011, "");
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("x", "ended: NORMAL_CLOSURE, no");
      }
    }

    @Test
    void followsAHandlerThatThrows() {
      Recorder recorder =
          new Recorder()
              .onOpen(_ -> {
                throw new IllegalStateException("not today");
              });
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        client.expectClose(1011, "");
      }
    }

    @Test
    void doesNotWaitForTheClientToTellTheListener() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        recorder.connection().close();
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE");
        TestFrames frames = client.frames();
        frames.receiveClose();
        host.clock().advance(Duration.ofSeconds(5)); // the closing time limit
        frames.expectReset();
      }
    }

    @Test
    void abortDropsTheConnection() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        recorder.connection().abort();
        assertThat(client.receiveMessage()).isNull();
        assertThat(client.closeStatus()).isEqualTo(1006);
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE");
      }
    }

    @Test
    void aLostClientIsNoError() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        client.abort();
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("ended: NORMAL_CLOSURE");
      }
    }
  }

  @Nested
  class BackPressure {
    @Test
    void whatAListenerLeavesComesAgain() {
      Recorder recorder =
          new Recorder()
              .onBytes(
                  (_, bytes) -> bytes.position(bytes.position() + Math.min(2, bytes.remaining())));
      try (TestHost host = recorder.start()) {
        TestWebSocket client = host.webSocket("/c").connect();
        ConnectionContext connection = recorder.connection();
        client.sendText("abc");
        client.sendText("de");
        host.awaitIdle();
        assertThat(recorder.heard).containsExactly("connected over WebSockets", "abc");
        connection.resume();
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("abc", "c", "de");
        client.close();
      }
    }

    @Test
    void sendSaysWhenThereIsNoRoomAndWhenThereIsAgain() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start(o -> o.transportMaxBufferSize(1000))) {
        TestWebSocket client = host.webSocket("/c").connect();
        ConnectionContext connection = recorder.connection();
        client.stopTaking();
        boolean hasRoom = true;
        int sent = 0;
        while (hasRoom) {
          hasRoom = connection.send(ByteBuffer.allocate(100));
          sent++;
          host.awaitIdle();
        }
        assertThat(connection.bufferedAmount()).isBetween(900L, 1200L);
        assertThat(recorder.heard).doesNotContain("writable");
        client.takeAll();
        for (int i = 0; i < sent; i++) {
          client.expectText("\0".repeat(100));
        }
        host.awaitIdle();
        assertThat(recorder.heard).endsWith("writable");
        client.close();
      }
    }

    @Test
    void aClientThatReadsNothingIsDisconnectedAtTheBound() {
      Recorder recorder = new Recorder();
      try (TestHost host = recorder.start()) {
        host.allowLeftOvers();
        TestWebSocket client = host.webSocket("/c").connect();
        ConnectionContext connection = recorder.connection();
        client.stopTaking();
        for (int i = 0; i < 200; i++) { // of 16 KiB each
          connection.send(ByteBuffer.allocate(16 * 1024));
        }
        host.awaitIdle();
        assertThat(recorder.heard.getLast()).contains("client reads too slowly");
        assertThat(connection.bufferedAmount()).isLessThan(2 << 20);
      }
    }
  }

  /** A user whose token lives for a while. */
  private record Mortal(String name, @Nullable Instant expiresAt) implements User {}

  @Test
  void anExpiredUserIsSentAway() {
    Recorder recorder = new Recorder().onClosing(c -> c.send(bytes("bye")));
    try (TestHost host = recorder.start(o -> o.closeOnAuthenticationExpiration(true))) {
      Instant expiry = Instant.now().plusSeconds(3600);
      TestWebSocket client = host.webSocket("/c").user(new Mortal("ann", expiry)).connect();
      TestWebSocket immortal = host.webSocket("/c").user(new Mortal("bob", null)).connect();
      recorder.connection();
      host.clock().advance(Duration.ofHours(3));
      client.expectText("bye");
      client.expectClose(1000, "");
      immortal.close();
      host.awaitIdle();
      assertThat(recorder.heard).contains("closing", "ended: NORMAL_CLOSURE");
    }
  }

  @Test
  void aFormatThatTheTransportDoesNotCarryIsRefused() {
    Recorder recorder = new Recorder();
    try (TestHost host = recorder.start()) {
      String token = Recorder.negotiate(host);
      var events = host.get("/c?id=" + token).header("Accept", "text/event-stream").sendAsync();
      ConnectionContext connection = recorder.connection();
      assertThatThrownBy(() -> connection.transferFormat(TransferFormat.BINARY))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("transport ServerSentEvents does not carry Binary");
      connection.close();
      assertThat(Recorder.answer(events).text()).isEqualTo(":\r\n");
      assertThat(List.of(TransferFormat.values())).allMatch(TransportType.LONG_POLLING::carries);
    }
  }
}
