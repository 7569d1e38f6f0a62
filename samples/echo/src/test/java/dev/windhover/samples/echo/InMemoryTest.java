package dev.windhover.samples.echo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Message;
import dev.windhover.protocol.CloseCode;
import dev.windhover.testing.TestFrames;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The application without a port, in the hands of good clients and of bad ones. */
class InMemoryTest {
  private final TestHost host = TestHost.start(Echo.create());

  @AfterEach
  void close() {
    host.close(); // fails if a handler failed, or something came that no test received
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/ws/messages", "/ws/controller", "/ws/background"})
  void whatIsSentComesBack(String path) {
    TestWebSocket client = host.webSocket(path).subprotocols("chat").compressed().connect();
    client.sendText("Grüße");
    client.expectText("Grüße");
    client.sendBinary(new byte[] {1, 2, 3});
    client.expectBinary((byte) 1, (byte) 2, (byte) 3);
    assertThat(client.subprotocol()).isEqualTo("chat");
    client.close(CloseCode.GOING_AWAY, "enough");
    assertThat(client.closeStatus()).isEqualTo(CloseCode.GOING_AWAY);
  }

  @Test
  void theServerClosesAndDropsWhenItIsAskedTo() {
    TestWebSocket closed = host.webSocket("/ws").connect();
    closed.sendText("ServerClose");
    closed.expectClose(CloseCode.NORMAL_CLOSURE, "Closing from Server");
    TestWebSocket dropped = host.webSocket("/ws").connect();
    dropped.sendText("ServerAbort");
    dropped.expectReset();
  }

  @Test
  void aClientThatAnswersPingsStays() {
    TestWebSocket client = host.webSocket("/ws/messages").connect();
    host.clock().advance(Duration.ofDays(1));
    client.sendText("still here");
    client.expectText("still here").close();
  }

  @Test
  void aClientThatIsSilentIsDropped() {
    TestFrames client = host.webSocket("/ws/messages").connect().frames(); // answers no Ping
    host.clock().advance(Duration.ofMinutes(2)); // keepAliveInterval
    client.expectPing();
    host.clock().advance(Duration.ofSeconds(20)); // keepAliveTimeout
    client.expectReset();
  }

  /** That its handler ends is seen by the host, which waits for it when it closes. */
  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/ws/messages", "/ws/controller", "/ws/background"})
  void aClientMayGoInTheMiddleOfAMessage(String path) {
    host.webSocket(path).connect().holdAfter(3).sendText("never whole");
    host.webSocket(path).connect().resetAfter(3).sendText("never whole either");
  }

  @Test
  void aSlowClientWaitsForItselfAlone() {
    TestWebSocket slow = host.webSocket("/ws/messages").connect();
    slow.stopTaking();
    byte[] payload = new byte[100_000];
    for (int i = 0; i < 50; i++) {
      slow.sendBinary(payload);
    }
    host.awaitIdle();
    assertThat(slow.isServerReading()).isFalse();

    TestWebSocket other = host.webSocket("/ws/messages").connect();
    other.sendText("hello");
    other.expectText("hello").close();

    slow.takeAll();
    for (int i = 0; i < 50; i++) {
      slow.expectBinary(payload);
    }
    slow.sendText("done");
    assertThat(slow.receiveMessage()).isEqualTo(new Message.Text("done"));
    slow.close();
  }

  @Test
  void thePageIsServed() {
    assertThat(host.get("/").send().text()).contains("<title>Windhover");
    assertThat(host.get("/nothing").send().status()).isEqualTo(404);
  }
}
