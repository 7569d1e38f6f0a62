package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An unfinished message that we hold has to come at 240 bytes a second, after 5 s. */
class MessageRateTest {
  private static final Duration GRACE = Duration.ofSeconds(5);
  private static final Frame SLOW =
      Frame.close(1008, "message came at less than 240 bytes a second");

  @RegisterExtension final SocketFixture server = new SocketFixture();

  @BeforeEach
  void keepQuiet() {
    server.options(o -> o.keepAliveInterval(Duration.ZERO));
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocate(size);
  }

  @ParameterizedTest
  @EnumSource
  void aMessageThatDoesNotGoOnFailsItsSocket(Form form) {
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, bytes(10_000));
    server.advance(GRACE.minusNanos(1));
    client.expectNothing();
    server.advance(Duration.ofNanos(1));
    assertThat(client.receive()).isEqualTo(SLOW);
    client.expectEnd();
    client.end();
    assertThat(server.ending())
        .isEqualTo(
            new Ending(
                Ending.By.SERVER,
                new CloseReason(1008, "message came at less than 240 bytes a second"),
                "message came at less than 240 bytes a second"));
    assertThat(server.events()).contains("limit message rate");
  }

  @ParameterizedTest
  @EnumSource
  void noMatterHowMuchTheBytesBecome(Form form) {
    server.settings(s -> s.dangerousEnableCompression(true));
    TestFrames client = server.echo(form, "permessage-deflate");
    ByteBuffer zeros = client.compress(bytes(1_000_000));
    int first = zeros.remaining() - 100;
    client.send(client.frame(Opcode.BINARY, false, Extension.RSV1, zeros.slice(0, first)));
    server.advance(GRACE);
    assertThat(client.receive()).isEqualTo(SLOW);
    client.expectEnd();
  }

  @ParameterizedTest
  @EnumSource
  void aFrameThatDoesNotGoOnFailsItsSocket(Form form) {
    TestFrames client = server.echo(form);
    client.sendHex("82 fe 0100 00000000 01 02 03"); // 256 bytes, of which there are 3
    server.advance(GRACE);
    assertThat(client.receive()).isEqualTo(SLOW);
    client.expectEnd();
  }

  @ParameterizedTest
  @EnumSource
  void aSlowMessageThatIsFastEnoughIsReceived(Form form) {
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, bytes(240));
    for (int i = 0; i < 60; i++) {
      server.advance(Duration.ofSeconds(1));
      client.send(Opcode.CONTINUATION, false, bytes(240));
    }
    client.send(Opcode.CONTINUATION, true, bytes(0));
    assertThat(client.receiveBinary()).hasSize(61 * 240);
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void oneThatIsNearlyFastEnoughFailsInTheEnd(Form form) {
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, bytes(200));
    int seconds = 0;
    while (client.received().isEmpty() && seconds < 100) {
      client.send(Opcode.CONTINUATION, false, bytes(200));
      server.advance(Duration.ofSeconds(1));
      seconds++;
    }
    assertThat(seconds).isBetween(20, 40); // a sixth of each is missing
    assertThat(client.receive()).isEqualTo(SLOW);
    client.expectEnd();
  }

  /** Neither the time between two messages counts, nor that of the one before. */
  @ParameterizedTest
  @EnumSource
  void eachMessageBeginsWithAllItsGrace(Form form) {
    Duration nearly = GRACE.minusMillis(1);
    TestFrames client = server.echo(form);
    for (int i = 0; i < 3; i++) {
      client.send(Opcode.BINARY, false, bytes(10));
      server.advance(nearly);
      client.send(Opcode.CONTINUATION, true, bytes(10));
      assertThat(client.receiveBinary()).hasSize(20);
      server.advance(nearly);
    }
    client.close();
  }

  /** Even if both come in one read. */
  @ParameterizedTest
  @EnumSource
  void aMessageBeginsWithAllItsGraceRightAfterAnother(Form form) {
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, bytes(10));
    for (int i = 0; i < 3; i++) {
      server.advance(GRACE.minusMillis(1));
      // The end of one, and the beginning of the next.
      client.sendHex("80 80 00000000 02 81 00000000 78");
      assertThat(client.receiveBinary()).isNotEmpty();
    }
    client.send(Opcode.CONTINUATION, true, bytes(0));
    client.receiveBinary();
    client.close();
  }

  /** A Ping is a sign of life, but not of the message. */
  @ParameterizedTest
  @EnumSource
  void pingsDoNotCount(Form form) {
    TestFrames client = server.echo(form);
    client.send(Opcode.TEXT, false, bytes(1));
    for (int i = 0; i < 5; i++) {
      client.sendPing("x".repeat(125));
      client.receive();
      server.advance(Duration.ofSeconds(1));
    }
    assertThat(client.receive()).isEqualTo(SLOW);
    client.expectEnd();
  }

  @ParameterizedTest
  @EnumSource
  void timeBetweenMessagesDoesNotCount(Form form) {
    TestFrames client = server.echo(form);
    for (int i = 0; i < 3; i++) {
      client.send(Opcode.BINARY, false, bytes(10)).send(Opcode.CONTINUATION, true, bytes(10));
      assertThat(client.receiveBinary()).hasSize(20);
      server.advance(Duration.ofMinutes(1));
    }
    client.close();
  }

  /** The application takes the bytes as they come, so we hold none. */
  @Test
  void theBufferFormIsExempt() {
    TestFrames client =
        server.open(socket -> {
          ByteBuffer buffer = ByteBuffer.allocate(100);
          while (!socket.receive(buffer.clear()).endOfMessage()) {
            socket.sendText("on");
          }
        });
    client.send(Opcode.BINARY, false, bytes(10));
    assertThat(client.receiveText()).isEqualTo("on");
    server.advance(Duration.ofMinutes(10));
    client.send(Opcode.CONTINUATION, false, bytes(10));
    assertThat(client.receiveText()).isEqualTo("on");
    server.advance(Duration.ofMinutes(10));
    client.send(Opcode.CONTINUATION, true, bytes(10));
    client.answerClose();
  }

  /** What is asked for in vain goes on to be held. */
  @Test
  void aReceiveThatWasGivenUpDoesNotStopTheTime() throws Exception {
    TestFrames client = server.hold();
    client.send(Opcode.BINARY, false, bytes(10));
    server.host().awaitIdle(); // so that there is something to hold
    assertThatThrownBy(() -> server.socket().receiveMessage(Duration.ZERO))
        .isInstanceOf(TimeoutException.class);
    server.advance(GRACE.multipliedBy(2));
    assertThat(server.socket().receiveMessage()).isNull();
    assertThat(client.receive()).isEqualTo(SLOW);
    client.expectEnd();
  }

  /** It is not the peer that is slow. */
  @Test
  void timeInWhichThePeerIsNotReadDoesNotCount() {
    server.options(o -> o.limits(l -> l.inboundBytes(1024)));
    TestFrames client =
        server.listen(
            new WebSocketListener() {
              @Override
              public void onOpen(WebSocket socket) {
                socket.demand(1);
              }

              @Override
              public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) {}
            });
    client.sendText("first").send(Opcode.BINARY, false, bytes(2000));
    assertThat(client.isServerReading()).isFalse();
    server.advance(Duration.ofMinutes(10));
    client.expectNothing();
    client.reset();
  }

  @ParameterizedTest
  @EnumSource
  void itIsALimitOfTheOptions(Form form) {
    server.options(o -> o.limits(l -> l.minMessageRate(1000, Duration.ofSeconds(1))));
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, bytes(10_000));
    server.advance(Duration.ofSeconds(1));
    assertThat(client.receive())
        .isEqualTo(Frame.close(1008, "message came at less than 1000 bytes a second"));
    client.expectEnd();
  }

  @ParameterizedTest
  @EnumSource
  void itCanBeSwitchedOff(Form form) {
    server.options(o -> o.limits(l -> l.minMessageRate(0, GRACE)));
    TestFrames client = server.echo(form);
    client.send(Opcode.BINARY, false, bytes(10));
    server.advance(Duration.ofHours(1));
    client.send(Opcode.CONTINUATION, true, bytes(10));
    assertThat(client.receiveBinary()).hasSize(20);
    client.close();
  }
}
