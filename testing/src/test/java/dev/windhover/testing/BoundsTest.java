package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.websocket.WebSocketLimits;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The bounds of design.md section 4 that sockets have. */
class BoundsTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  @Nested
  class Inbound {
    @Test
    void whatNobodyReadsIsKeptUpToTheBoundThenThePeerIsNotRead() throws Exception {
      TestFrames client = server.hold();
      byte[] message = new byte[1000];
      int sent = 0;
      while (client.isServerReading() && sent < 2000) {
        client.sendBinary(message);
        sent++;
      }
      assertThat(sent).isBetween(50, 66); // 64 KiB, with what a message costs beside its bytes
      assertThat(server.events()).containsOnlyOnce("limit inbound bytes");
      client.sendBinary(message).sendPing("behind");
      client.expectNothing();
      for (int i = 0; i <= sent; i++) {
        assertThat(server.socket().receiveMessage()).isNotNull();
      }
      assertThat(client.receive()).isEqualTo(Frame.pong("behind"));
      assertThat(client.isServerReading()).isTrue();
      server.release();
      client.answerClose();
      assertThat(client.uncredited()).isZero();
    }

    @Test
    void tinyMessagesCannotOutgrowTheBound() {
      TestFrames client = server.hold();
      int sent = 0;
      while (client.isServerReading() && sent < 2000) {
        client.sendText("");
        sent++;
      }
      assertThat(sent).isBetween(500, 1024);
      server.release();
      client.answerClose();
      assertThat(client.uncredited()).isZero();
    }

    @Test
    void readingGoesOnAtHalfOfTheBound() throws Exception {
      server.options(o -> o.limits(l -> l.inboundBytes(4096)));
      TestFrames client = server.hold();
      for (int i = 0; i < 8; i++) {
        client.sendBinary(new byte[600]);
      }
      assertThat(client.isServerReading()).isFalse();
      for (int i = 0; i < 8 && !client.isServerReading(); i++) {
        server.socket().receiveMessage();
        assertThat(client.isServerReading()).isEqualTo(i >= 3);
      }
      server.release();
      client.answerClose();
    }

    /** A transport that closes its window at 64 KiB without credit must not wait forever. */
    @ParameterizedTest
    @EnumSource
    void creditComesBackWhileTheApplicationReads(Form form) {
      TestFrames client = server.echo(form);
      for (int i = 0; i < 100; i++) {
        client.sendBinary(new byte[10_000]);
        assertThat(client.receiveBinary()).hasSize(10_000);
        assertThat(client.uncredited()).isLessThan(48 * 1024);
      }
      client.close();
      assertThat(client.uncredited()).isZero();
    }

    /**
     * The peer's window is closed, so nothing more comes with which the credit could be given back.
     */
    @Test
    void creditComesBackForWhatIsTakenLater() throws Exception {
      server.options(o -> o.limits(l -> l.inboundBytes(1 << 20)));
      TestFrames client = server.hold();
      for (int i = 0; i < 10; i++) {
        client.sendBinary(new byte[10_000]);
      }
      assertThat(client.uncredited()).isEqualTo(100_000);
      for (int i = 0; i < 10; i++) {
        server.socket().receiveMessage();
        assertThat(client.uncredited()).isLessThan(100_000 - i * 10_000 + 32 * 1024);
      }
      assertThat(client.uncredited()).isLessThan(32 * 1024);
      server.release();
      client.answerClose();
    }

    @Test
    void aMessageLargerThanTheBoundIsReceivedAllTheSame() throws Exception {
      TestFrames client = server.hold();
      client.cutEvery(1000).sendBinary(new byte[500_000]);
      assertThat(server.socket().receiveMessage()).isNotNull();
      server.release();
      client.answerClose();
    }

    @Test
    void aListenersMessageLargerThanTheBoundIsReceivedAllTheSame() {
      TestFrames client = server.echo(Form.LISTENER);
      client.cutEvery(1000).sendBinary(new byte[500_000]);
      assertThat(client.receiveBinary()).hasSize(500_000);
      client.close();
    }

    @Test
    void whatAHandlerLeftUnreadIsCredited() {
      TestFrames client = server.hold();
      client.sendBinary(new byte[100_000]).sendBinary(new byte[100]);
      server.host().awaitIdle();
      server.release();
      client.answerClose();
      assertThat(client.uncredited()).isZero();
    }
  }

  /** A header is 14 bytes; what it declares may be anything. */
  @Nested
  class DeclaredLengths {
    @ParameterizedTest
    @EnumSource
    void nothingIsAllocatedByThem(Form form) throws Exception {
      server.settings(settings -> settings.maxMessageSize(1L << 40));
      TestFrames client = form == Form.BLOCKING ? server.hold() : server.echo(form);
      client.sendText("warm").sendHex("02 81 00000000 01");
      server.host().awaitIdle();
      long before = server.allocatedOnLoop();
      client.sendHex("80 ff 0000000020000000 00000000 01"); // 512 MiB
      server.host().awaitIdle();
      assertThat(server.allocatedOnLoop() - before).isLessThan(100_000);
      client.reset();
      server.host().allowLeftOvers();
    }
  }

  @Nested
  class StalledWrites {
    @ParameterizedTest
    @EnumSource
    void aPeerThatTakesNothingFor30SecondsIsDropped(Form form) throws Exception {
      server.options(o -> o.keepAliveInterval(Duration.ZERO));
      TestFrames client = form == Form.BLOCKING ? server.hold() : server.echo(form);
      client.stopTaking();
      if (form == Form.BLOCKING) {
        server.socket().sendText("stuck");
      } else {
        client.sendText("stuck");
      }
      server.advance(Duration.ofSeconds(30).minusNanos(1));
      client.expectNothing();
      server.advance(Duration.ofNanos(1));
      client.expectReset();
      assertThat(server.ending())
          .isEqualTo(
              new Ending(Ending.By.SERVER, CloseReason.of(1006), "peer took no data for PT30S"));
      assertThat(server.events()).contains("limit stalled write");
    }

    @Test
    void aPeerThatTakesALittleIsNot() throws Exception {
      server.options(o -> o.keepAliveInterval(Duration.ZERO));
      TestFrames client = server.hold().stopTaking();
      server.socket().sendBinary(new byte[100]);
      server.host().awaitIdle();
      for (int i = 0; i < 5; i++) {
        server.advance(Duration.ofSeconds(29));
        client.take(1);
      }
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(100);
      server.advance(Duration.ofMinutes(5));
      server.release();
      client.answerClose();
    }

    @Test
    void theLimitCountsFromTheLastByteThatWasTaken() throws Exception {
      server.options(o -> o.keepAliveInterval(Duration.ZERO));
      TestFrames client = server.hold().stopTaking();
      server.socket().sendBinary(new byte[100]);
      server.advance(Duration.ofSeconds(1));
      client.take(1);
      server.advance(Duration.ofSeconds(30).minusNanos(1));
      client.expectNothing();
      server.advance(Duration.ofSeconds(1));
      client.expectReset();
    }

    /** A Pong could not be seen, but the Ping is output that the peer does not take. */
    @Test
    void aDeadPeerIsFoundByItWhileWeDoNotRead() {
      server.options(o -> o.limits(l -> l.inboundBytes(1024)));
      TestFrames client = server.hold();
      client.sendBinary(new byte[2000]).stopTaking();
      assertThat(client.isServerReading()).isFalse();
      server.advance(Duration.ofMinutes(2)); // the keep-alive interval
      assertThat(client.pending()).isEqualTo(10);
      server.advance(Duration.ofSeconds(30).minusNanos(1));
      client.expectNothing();
      server.advance(Duration.ofNanos(1));
      client.expectReset();
      assertThat(server.ending().why()).isEqualTo("peer took no data for PT30S");
    }

    @Test
    void aSenderThatIsBlockedIsWoken() throws Exception {
      server.options(o -> o.limits(l -> l.writeStallTimeout(Duration.ofSeconds(3))));
      TestFrames client = server.hold().stopTaking();
      var sending =
          Background.start(() -> server.socket().sendBinary(new byte[5_000_000])).awaitBlocked();
      server.advance(Duration.ofSeconds(3));
      assertThatThrownBy(sending::join).hasMessage("cannot send: the socket has ended");
      client.expectReset();
    }
  }

  /** The listener form: {@code send} says false, {@code onWritable} follows, more is refused. */
  @Nested
  class AListenersQueue {
    private final List<String> calls = new ArrayList<>(); // on the loop, read when it is idle

    private final class Recorded implements WebSocketListener {
      @Override
      public void onText(WebSocket socket, String text) throws Exception {
        try {
          calls.add(text + " " + socket.send(ByteBuffer.allocate(600), MessageType.BINARY, true));
        } catch (IllegalStateException e) {
          calls.add(text + " refused: " + e.getMessage());
        }
      }

      @Override
      public void onWritable(WebSocket socket) {
        calls.add("writable at " + socket.bufferedAmount());
      }
    }

    @Test
    void sendSaysWhetherItIsBelowItsMarkAndRefusesBeyondOneMessageMore() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.listen(new Recorded()).stopTaking();
      client.sendText("a").sendText("b").sendText("c");
      server.host().awaitIdle();
      assertThat(calls)
          .containsExactly(
              "a true",
              "b false",
              "c refused: send queue of 1208 bytes is over its high mark of 1024; wait for"
                  + " onWritable");
      assertThat(server.events()).containsOnlyOnce("limit send queue");
      client.take(100);
      assertThat(calls).hasSize(3);
      client.takeAll();
      assertThat(calls).last().isEqualTo("writable at 0");
      assertThat(client.receiveBinary()).hasSize(600);
      assertThat(client.receiveBinary()).hasSize(600);
      client.sendText("d");
      assertThat(client.receiveBinary()).hasSize(600);
      assertThat(calls).last().isEqualTo("d true");
      client.close();
    }

    @Test
    void onWritableIsToldBelowTheLowMarkWhileMoreWaits() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.listen(new Recorded()).stopTaking();
      client.sendText("a").sendText("b");
      client.take(1208 - 513);
      assertThat(calls).containsExactly("a true", "b false");
      client.take(513 - 255);
      assertThat(calls).last().isEqualTo("writable at 255");
      client.takeAll();
      client.receiveBinary();
      client.receiveBinary();
      client.close();
    }

    @Test
    void nobodyIsRefusedForWhatCameAfterTheLastAnswer() throws Exception {
      server.options(
          o -> o.limits(l -> l.sendQueue(1024, 512)).keepAliveInterval(Duration.ofSeconds(1)));
      TestFrames client = server.listen(new Recorded()).stopTaking();
      WebSocket socket = server.socket();
      for (int i = 0; i < 3; i++) { // so that no frame is cut, which a Ping would wait for
        assertThat(socket.sendBinary(new byte[196])).isTrue();
      }
      assertThat(socket.sendBinary(new byte[1023 - 600 - 4])).isTrue();
      server.host().awaitIdle();
      server.advance(Duration.ofSeconds(1)); // a Ping
      assertThat(socket.bufferedAmount()).isGreaterThan(1024);
      assertThat(socket.sendBinary(new byte[10])).isFalse();
      assertThatThrownBy(() -> socket.sendBinary(new byte[10]))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("wait for onWritable");
      client.takeAll();
      server.host().awaitIdle();
      assertThat(calls).containsExactly("writable at 0");
      assertThat(client.receiveBinary()).hasSize(196);
      assertThat(client.receiveBinary()).hasSize(196);
      client.expectPing(); // it overtook what waits
      assertThat(client.receiveBinary()).hasSize(196);
      assertThat(client.receiveBinary()).hasSize(419);
      assertThat(client.receiveBinary()).hasSize(10);
      client.close();
    }

    @Test
    void anotherThreadIsToldTheSame() throws Exception {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.listen(new Recorded()).stopTaking();
      WebSocket socket = server.socket();
      assertThat(socket.sendBinary(new byte[600])).isTrue();
      assertThat(socket.sendBinary(new byte[600])).isFalse();
      assertThatThrownBy(() -> socket.sendBinary(new byte[600]))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("wait for onWritable");
      client.takeAll();
      server.host().awaitIdle();
      assertThat(calls).hasSize(1).first().asString().startsWith("writable");
      socket.sendText("below");
      assertThat(client.receiveBinary()).hasSize(600);
      assertThat(client.receiveBinary()).hasSize(600);
      assertThat(client.receiveText()).isEqualTo("below");
      assertThat(calls).as("told once").hasSize(1);
      client.close();
    }

    @Test
    void aMessageOfAnySizeIsTakenBelowTheMark() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onText(WebSocket socket, String text) throws Exception {
                  socket.sendBinary(new byte[100_000]);
                }
              });
      client.sendText("now");
      assertThat(client.receiveBinary()).hasSize(100_000);
      client.close();
    }
  }

  @Test
  void limitsSayWhatTheyRefuse() {
    assertThatThrownBy(() -> new WebSocketLimits().inboundBytes(1023))
        .hasMessage("inboundBytes of 1023 bytes is less than 1024");
    assertThatThrownBy(() -> new WebSocketLimits().sendQueue(2048, 2048))
        .hasMessage("low mark of 2048 bytes is not between 1 and the high mark of 2048");
    assertThatThrownBy(() -> new WebSocketLimits().closeTimeout(Duration.ZERO))
        .hasMessage("closeTimeout PT0S is not positive");
    assertThatThrownBy(() -> new WebSocketLimits().maxMessageSize(0))
        .hasMessage("maxMessageSize of 0 bytes is less than 1");
  }
}
