package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The faults that a test may put into a connection. */
class TestConnectionTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @RegisterExtension final SocketFixture server = new SocketFixture();

  @Nested
  class OnTheWayToTheServer {
    @Test
    void bytesArriveInReadsOfTheGivenSize() {
      TestFrames client = server.echo(Form.LISTENER);
      ByteBuffer frame = client.frame(Opcode.TEXT, true, Frame.utf8("a")); // 7 bytes
      client.cutEvery(7).send(frame, frame, frame);
      client.expect(Frame.text("a")).expect(Frame.text("a")).expect(Frame.text("a"));
      assertThat(client.flushes()).isEqualTo(3); // one for each read
      client.close();
    }

    @Test
    void aFrameIsHeldBackInItsMiddle() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.holdAfter(8).sendHex("81 85 37fa213d 7f9f4d5158"); // "He", of "Hello"
      client.sendText("behind it").expectNothing();
      client.release().expect(Frame.text("Hello")).expect(Frame.text("behind it"));
      client.sendText("free").expect(Frame.text("free")).close();
    }

    @Test
    void anEndIsHeldBackToo() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.holdAfter(0).sendClose(1000, "").end().expectNothing();
      client.release();
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1000));
      client.expectEnd();
    }

    @Test
    void bytesAreDelayedAndKeepTheirOrder() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.delay(SECOND).sendText("late").delay(Duration.ZERO).sendText("not before");
      server.advance(SECOND.minusNanos(1));
      client.expectNothing();
      server.advance(Duration.ofNanos(1));
      client.expect(Frame.text("late")).expect(Frame.text("not before"));
      client.sendText("at once").expect(Frame.text("at once")).close();
    }

    @Test
    void aByteIsCorrupted() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.sendText("before").corruptAt(12); // the opcode of the second frame
      client.expect(Frame.text("before"));
      client.sendText("123456").sendText("123456"); // of 12 bytes each
      client.expect(Frame.text("123456"));
      assertThat(client.answerClose().code()).isEqualTo(1002);
    }
  }

  @Nested
  class OnTheWayFromTheServer {
    @Test
    void aSlowClientBlocksItsSender() throws Exception {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestWebSocket client = holdOneMore();
      client.stopTaking();
      WebSocket socket = server.recorder().socket();
      var sending = Background.start(() -> socket.sendBinary(new byte[5000])).awaitBlocked();
      assertThat(client.pending()).isPositive();
      client.take(1000).expectNothing();
      assertThat(sending.isDone()).isFalse();
      client.takeAll();
      sending.join();
      client.expectBinary(new byte[5000]).reset();
    }

    private TestWebSocket holdOneMore() {
      server.startMapped(_ -> server.awaitRelease());
      return server.host().webSocket("/").connect();
    }

    @Test
    void theConnectionIsLostBehindTheGivenByte() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.resetAfter(4 + 2);
      client.sendText("ab").expect(Frame.text("ab")); // 4 bytes with their header
      client.sendText("never whole");
      assertThat(server.ending().why()).isEqualTo("the peer reset the connection");
      client.expectNothing();
    }

    @Test
    void ofAFrameNothingIsLostUntilThen() {
      TestFrames client = server.echo(Form.LISTENER);
      client.resetAfter(4).sendText("ab").expect(Frame.text("ab"));
      assertThat(server.ending().by()).isEqualTo(Ending.By.CONNECTION);
    }

    @Test
    void resetAfterNoByteIsAReset() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.resetAfter(0);
      assertThat(server.ending().why()).isEqualTo("the peer reset the connection");
    }

    @Test
    void aWriteFailsInsideOfItsCall() {
      List<String> seen = new CopyOnWriteArrayList<>();
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload)
                    throws Exception {
                  socket.send(payload, type, true);
                  seen.add("sent");
                }

                @Override
                public void onEnded(WebSocket socket, Ending ending) {
                  seen.add("ended: " + ending.why());
                }
              });
      client.failWriteAfter(5).sendText("ab").expect(Frame.text("ab"));
      client.expectNothing().sendText("cd");
      server.ending();
      server.host().awaitIdle();
      assertThat(seen).containsExactly("sent", "sent", "ended: a write failed");
    }
  }

  @Nested
  class Frames {
    @Test
    void areComparedWhole() {
      TestFrames client = server.echo(Form.BLOCKING);
      client.sendBinary(new byte[] {1, 2, 3});
      assertThatThrownBy(() -> client.expect(Frame.binary((byte) 1, (byte) 2, (byte) 4)))
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith(
              "expected BINARY 010204 [3 bytes]\n but got BINARY 010203 [3 bytes]\n"
                  + "they differ at byte 2\nthe server has sent:");
      client.sendPing("?");
      assertThatThrownBy(client::expectPing)
          .hasMessageStartingWith("expected a Ping, got PONG 3f [1 bytes]");
      client.close();
    }

    @Test
    void areCompressedIfTheySaySo() {
      server.settings(s -> s.dangerousEnableCompression(true));
      TestFrames client = server.echo(Form.BLOCKING, "permessage-deflate");
      client.send(Frame.text("a".repeat(50)).asCompressed());
      client.expect(Frame.text("a".repeat(50)).asCompressed());
      client.send(new Frame(Opcode.TEXT, false, Frame.utf8("in "), true));
      client.send(new Frame(Opcode.CONTINUATION, true, Frame.utf8("two"), true));
      client.expect(Frame.text("in two"));
      client.close();
    }

    @Test
    void areRememberedWithWhatIsBelowMessages() {
      TestFrames client = server.echo(Form.BLOCKING).sendPing("p");
      assertThat(client.received()).containsExactly(Frame.pong("p"));
      client.expectNothing().expect(Frame.pong("p")).close();
      assertThat(client.received()).containsExactly(Frame.pong("p"), Frame.close(1000, ""));
    }
  }

  @Test
  void aFaultThatCannotBeIsRefused() {
    TestFrames client = server.echo(Form.BLOCKING);
    assertThatThrownBy(() -> client.cutEvery(0)).hasMessage("0 is not positive");
    assertThatThrownBy(() -> client.take(-1)).hasMessage("-1 is negative");
    assertThatThrownBy(() -> client.delay(Duration.ofNanos(-1))).hasMessage("-1 is negative");
    client.close();
  }
}
