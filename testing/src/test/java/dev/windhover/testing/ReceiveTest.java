package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Receiving in the blocking form: buffer by buffer, and whole messages. */
class ReceiveTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static String textOf(ByteBuffer buffer) {
    return StandardCharsets.UTF_8.decode(buffer.duplicate().flip()).toString();
  }

  private static ReceiveResult text(int count, boolean end) {
    return new ReceiveResult(count, MessageType.TEXT, end);
  }

  private static final ReceiveResult CLOSE = new ReceiveResult(0, MessageType.CLOSE, true);

  /** Spec 4.4: what the reference's own loop sees. */
  @Nested
  class BufferByBuffer {
    @Test
    void aBufferThatIsFullEndsACall() throws Exception {
      TestFrames client = server.hold();
      client.sendText("Hello");
      ByteBuffer buffer = ByteBuffer.allocate(3);
      assertThat(server.socket().receive(buffer)).isEqualTo(text(3, false));
      assertThat(textOf(buffer)).isEqualTo("Hel");
      assertThat(server.socket().receive(buffer.clear())).isEqualTo(text(2, true));
      assertThat(textOf(buffer)).isEqualTo("lo");
      server.release();
      client.answerClose();
    }

    @Test
    void aFrameThatIsExhaustedEndsACall() throws Exception {
      TestFrames client = server.hold();
      client.send(
          client.frame(Opcode.TEXT, false, Frame.utf8("Hel")),
          client.frame(Opcode.CONTINUATION, true, Frame.utf8("lo")));
      ByteBuffer buffer = ByteBuffer.allocate(100);
      assertThat(server.socket().receive(buffer)).isEqualTo(text(3, false));
      assertThat(server.socket().receive(buffer)).isEqualTo(text(2, true));
      assertThat(textOf(buffer)).isEqualTo("Hello");
      server.release();
      client.answerClose();
    }

    /** Each call returns all of the frame or fills the buffer; it never returns early. */
    @Test
    void aFrameThatComesInPiecesIsOneResult() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer buffer = ByteBuffer.allocate(100);
      var receiving = Background.start(() -> server.socket().receive(buffer)).awaitBlocked();
      client.sendHex("81 85 37fa213d 7f 9f"); // "He", of "Hello"
      server.host().awaitIdle();
      assertThat(receiving.isDone()).isFalse();
      client.sendHex("4d 51 58");
      assertThat(receiving.join()).isEqualTo(text(5, true));
      assertThat(textOf(buffer)).isEqualTo("Hello");
      server.release();
      client.answerClose();
    }

    @Test
    void aFrameThatWasHereInPartIsOneResultToo() throws Exception {
      TestFrames client = server.hold();
      client.sendHex("81 85 37fa213d 7f 9f"); // "He", of "Hello"
      server.host().awaitIdle();
      ByteBuffer buffer = ByteBuffer.allocate(100);
      var receiving = Background.start(() -> server.socket().receive(buffer)).awaitBlocked();
      client.cutEvery(1).sendHex("4d 51 58");
      assertThat(receiving.join()).isEqualTo(text(5, true));
      assertThat(textOf(buffer)).isEqualTo("Hello");
      server.release();
      client.answerClose();
    }

    @Test
    void aBufferIsFilledFromItsPosition() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer buffer = ByteBuffer.allocate(10).position(2).limit(6);
      var receiving = Background.start(() -> server.socket().receive(buffer)).awaitBlocked();
      client.sendText("Hello");
      assertThat(receiving.join()).isEqualTo(text(4, false));
      assertThat(buffer.position()).isEqualTo(6);
      assertThat(buffer.get(2)).isEqualTo((byte) 'H');
      assertThat(buffer.get(1)).isZero();
      assertThat(server.socket().receive(buffer.clear())).isEqualTo(text(1, true));
      server.release();
      client.answerClose();
    }

    @Test
    void aBufferThatTakesNothingIsRefusedBeforeAnythingComes() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      var receiving = Background.start(() -> server.socket().receive(buffer.asReadOnlyBuffer()));
      assertThatThrownBy(receiving::join).isInstanceOf(ReadOnlyBufferException.class);
      client.sendText("Hello");
      assertThat(server.socket().receive(buffer)).isEqualTo(text(5, true));
      server.release();
      client.answerClose();
    }

    @Test
    void anEmptyFragmentIsAResult() throws Exception {
      TestFrames client = server.hold();
      client.send(
          client.frame(Opcode.TEXT, false, Frame.utf8("")),
          client.frame(Opcode.CONTINUATION, true, Frame.utf8("")));
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertThat(server.socket().receive(buffer)).isEqualTo(text(0, false));
      assertThat(server.socket().receive(buffer)).isEqualTo(text(0, true));
      server.release();
      client.answerClose();
    }

    @Test
    void aBufferWithoutRoomWaitsForAMessageAndTakesNothing() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer none = ByteBuffer.allocate(0);
      var waiting = Background.start(() -> server.socket().receive(none)).awaitBlocked();
      client.sendText("Hello");
      assertThat(waiting.join()).isEqualTo(text(0, false));
      assertThat(server.socket().receive(none)).isEqualTo(text(0, false));
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("Hello"));
      server.release();
      client.answerClose();
    }

    @Test
    void aBufferWithoutRoomIsEnoughForAnEmptyMessage() throws Exception {
      TestFrames client = server.hold();
      client.sendText("");
      assertThat(server.socket().receive(ByteBuffer.allocate(0))).isEqualTo(text(0, true));
      server.release();
      client.answerClose();
    }

    @Test
    void aCloseIsAResultAndTheHandlerMayStillSend() throws Exception {
      TestFrames client = server.hold();
      client.sendClose(4000, "bye");
      WebSocket socket = server.socket();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertThat(socket.receive(buffer)).isEqualTo(CLOSE);
      assertThat(socket.state()).isEqualTo(WebSocketState.CLOSE_RECEIVED);
      assertThat(socket.closeStatus()).isEqualTo(4000);
      assertThat(socket.closeStatusDescription()).isEqualTo("bye");
      assertThat(socket.receive(buffer)).as("every time").isEqualTo(CLOSE);
      socket.sendText("one thing more");
      socket.close(socket.closeStatus(), socket.closeStatusDescription());
      assertThat(client.receiveText()).isEqualTo("one thing more");
      assertThat(client.receiveClose()).isEqualTo(new CloseReason(4000, "bye"));
      client.expectEnd();
    }

    /** The reference's echo loop, word for word. */
    @Test
    void theReferencesEchoLoopWorks() {
      TestFrames client =
          server.open(socket -> {
            ByteBuffer buffer = ByteBuffer.allocate(4);
            ReceiveResult received = socket.receive(buffer);
            while (!received.isClose()) {
              socket.send(buffer.flip(), received.type(), received.endOfMessage());
              received = socket.receive(buffer.clear());
            }
            socket.close(socket.closeStatus(), socket.closeStatusDescription());
          });
      client.sendText("Hello, world").sendBinary(new byte[] {1, 2, 3, 4});
      assertThat(client.receiveText()).isEqualTo("Hello, world");
      assertThat(client.receiveBinary()).containsExactly(1, 2, 3, 4);
      client.send(Opcode.CLOSE, true, ByteBuffer.allocate(0));
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1000));
      client.expectEnd();
    }

    @Test
    void aMessageHasNoLimit() throws Exception {
      server.settings(settings -> settings.maxMessageSize(10));
      TestFrames client = server.hold();
      client.sendText("x".repeat(5000));
      ByteBuffer buffer = ByteBuffer.allocate(10_000);
      assertThat(server.socket().receive(buffer)).isEqualTo(text(5000, true));
      server.release();
      client.answerClose();
    }

    @Test
    void textThatIsNotUtf8IsNotShown() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      var receiving = Background.start(() -> server.socket().receive(buffer)).awaitBlocked();
      client.sendHex("81 85 00000000 6161"); // "aa"
      server.host().awaitIdle();
      client.sendHex("61 61 ff");
      assertThat(receiving.join()).as("what was good").isEqualTo(text(2, false));
      assertThat(server.socket().receive(buffer)).isEqualTo(CLOSE);
      assertThat(client.receiveClose().code()).isEqualTo(1007);
      client.expectEnd();
    }

    @Test
    void textThatIsNotUtf8IsNotKept() throws Exception {
      TestFrames client = server.hold();
      client.sendHex("01 82 00000000 6161"); // "aa"
      client.sendHex("80 82 00000000 61ff");
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertThat(server.socket().receive(buffer)).isEqualTo(text(2, false));
      assertThat(server.socket().receive(buffer)).isEqualTo(CLOSE);
      assertThat(client.receiveClose().code()).isEqualTo(1007);
      client.expectEnd();
    }

    @Test
    void whatArrivedOfACutFrameComesBeforeTheEnd() throws Exception {
      TestFrames client = server.hold();
      client.sendHex("81 85 37fa213d 7f 9f").end(); // "He", of "Hello"
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertThat(server.socket().receive(buffer)).isEqualTo(text(2, false));
      assertThat(server.socket().receive(buffer)).isEqualTo(CLOSE);
      assertThat(server.socket().closeStatus()).isEqualTo(1006);
      client.expectEnd();
    }
  }

  @Nested
  class WholeMessages {
    @Test
    void fragmentsBecomeOneMessage() throws Exception {
      TestFrames client = server.hold();
      client.send(
          client.frame(Opcode.TEXT, false, ByteBuffer.wrap(new byte[] {'K', (byte) 0xC3})),
          client.frame(Opcode.PING, true, Frame.utf8("between")),
          client.frame(Opcode.CONTINUATION, false, ByteBuffer.wrap(new byte[] {(byte) 0xA4})),
          client.frame(Opcode.CONTINUATION, true, Frame.utf8("se")));
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("Käse"));
      assertThat(client.receive()).isEqualTo(Frame.pong("between"));
      server.release();
      client.answerClose();
    }

    @Test
    void binaryIsBytesThatAreTheReceiversOwn() throws Exception {
      TestFrames client = server.hold();
      client.sendBinary(new byte[] {1, 2}).sendBinary(new byte[] {3});
      Message first = server.socket().receiveMessage();
      Message second = server.socket().receiveMessage();
      assertThat(first).isEqualTo(new Message.Binary(ByteBuffer.wrap(new byte[] {1, 2})));
      assertThat(second).isEqualTo(new Message.Binary(ByteBuffer.wrap(new byte[] {3})));
      server.release();
      client.answerClose();
    }

    @Test
    void theEndIsNull() throws Exception {
      TestFrames client = server.hold();
      client.sendText("last").sendClose(1000, "");
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("last"));
      assertThat(server.socket().receiveMessage()).isNull();
      assertThat(server.socket().receiveMessage()).as("every time").isNull();
      server.release();
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.expectEnd();
    }

    /** It did where a thread looked for a message, then for the end, and both came in between. */
    @Test
    void theEndNeverOvertakesTheLastMessage() {
      List<Integer> received = Collections.synchronizedList(new ArrayList<>());
      TestFrames client = server.open(socket -> received.add(countWithoutWaiting(socket)));
      for (int i = 0; i < 300; i++) {
        client.cutEvery(7).sendText("first").sendText("last").sendClose(1000, "");
        client.receiveClose();
        client.expectEnd();
        client = server.host().webSocket("/").connect().frames();
      }
      client.close();
      assertThat(received.subList(0, 300)).containsOnly(2);
    }

    private int countWithoutWaiting(WebSocket socket) throws InterruptedException {
      for (int count = 0; ; ) {
        try {
          if (socket.receiveMessage(Duration.ZERO) == null) {
            return count;
          }
          count++;
        } catch (TimeoutException e) {
          Thread.onSpinWait();
        }
      }
    }

    @Test
    void theLoopAnswersTheCloseByItself() {
      TestFrames client =
          server.open(socket -> {
            for (Message message : socket) {
              socket.send(message);
            }
            assertThat(socket.state()).isEqualTo(WebSocketState.CLOSED);
            assertThatThrownBy(() -> socket.iterator().next())
                .isInstanceOf(java.util.NoSuchElementException.class);
          });
      client.sendText("a").sendClose(1001, "leaving");
      assertThat(client.receiveText()).isEqualTo("a");
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1001));
      client.expectEnd();
    }

    @Test
    void theFormsMayAlternateBetweenMessages() throws Exception {
      TestFrames client = server.hold();
      client.sendText("a").sendText("b").sendText("c");
      ByteBuffer buffer = ByteBuffer.allocate(10);
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("a"));
      assertThat(server.socket().receive(buffer)).isEqualTo(text(1, true));
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("c"));
      server.release();
      client.answerClose();
    }

    @Test
    void theFormsMayNotAlternateInsideAMessage() throws Exception {
      TestFrames client = server.hold();
      client.sendText("abc");
      ByteBuffer buffer = ByteBuffer.allocate(2);
      server.socket().receive(buffer);
      assertThatThrownBy(() -> server.socket().receiveMessage())
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("receive has begun this message; go on with it");
      assertThat(server.socket().receive(buffer.clear())).isEqualTo(text(1, true));
      client.send(Opcode.TEXT, false, Frame.utf8("d"));
      assertThatThrownBy(() -> receiveForNoTime(server.socket()))
          .isInstanceOf(TimeoutException.class);
      assertThatThrownBy(() -> server.socket().receive(buffer))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("receiveMessage has begun this message; go on with it");
      server.socket().abort();
      client.expectReset();
    }

    private @Nullable Message receiveForNoTime(WebSocket socket) throws Exception {
      server.host().awaitIdle();
      return socket.receiveMessage(Duration.ZERO);
    }

    @Test
    void anInterruptedLoopThrowsAndLeavesTheInterruptSet() throws Exception {
      TestFrames client = server.hold();
      var looping =
          Background.start(
                  () -> {
                    assertThatThrownBy(() -> server.socket().iterator().hasNext())
                        .isInstanceOf(UncheckedIOException.class)
                        .hasMessageContaining("interrupted while waiting for a message");
                    return Thread.interrupted();
                  })
              .awaitBlocked();
      looping.interrupt();
      assertThat(looping.join()).isTrue();
      server.release();
      client.answerClose();
    }
  }

  @Nested
  class WithoutWaitingForEver {
    @Test
    void aTimeLimitLosesNothingAndTheSocketLivesOn() throws Exception {
      TestFrames client = server.hold();
      var receiving = Background.start(() -> server.socket().receiveMessage(SECOND)).awaitBlocked();
      client.send(Opcode.TEXT, false, Frame.utf8("Hel"));
      server.advance(SECOND.minusNanos(1));
      assertThat(receiving.isDone()).isFalse();
      server.advance(Duration.ofNanos(1));
      assertThatThrownBy(receiving::join)
          .isInstanceOf(TimeoutException.class)
          .hasMessage("nothing was received in time");
      client.send(Opcode.CONTINUATION, true, Frame.utf8("lo"));
      assertThat(server.socket().receiveMessage(SECOND)).isEqualTo(new Message.Text("Hello"));
      server.release();
      client.answerClose();
    }

    @Test
    void aTimeLimitInsideAFrameReturnsWhatIsHere() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      var receiving =
          Background.start(() -> server.socket().receive(buffer, SECOND)).awaitBlocked();
      client.sendHex("81 85 37fa213d 7f 9f"); // "He", of "Hello"
      server.advance(SECOND);
      assertThat(receiving.join()).isEqualTo(text(2, false));
      assertThatThrownBy(() -> server.socket().receive(buffer, Duration.ZERO))
          .isInstanceOf(TimeoutException.class);
      client.sendHex("4d 51 58");
      assertThat(server.socket().receive(buffer)).isEqualTo(text(3, true));
      assertThat(textOf(buffer)).isEqualTo("Hello");
      server.release();
      client.answerClose();
    }

    @Test
    void withoutAnyTimeItTakesWhatIsHere() throws Exception {
      TestFrames client = server.hold();
      assertThatThrownBy(() -> server.socket().receiveMessage(Duration.ZERO))
          .isInstanceOf(TimeoutException.class);
      client.sendText("a");
      server.host().awaitIdle();
      assertThat(server.socket().receiveMessage(Duration.ZERO)).isEqualTo(new Message.Text("a"));
      assertThatThrownBy(() -> server.socket().receiveMessage(Duration.ofSeconds(-1)))
          .isInstanceOf(IllegalArgumentException.class);
      server.release();
      client.answerClose();
    }

    @Test
    void anInterruptLosesNothingAndTheSocketLivesOn() throws Exception {
      TestFrames client = server.hold();
      var receiving = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
      client.send(Opcode.TEXT, false, Frame.utf8("Hel"));
      server.host().awaitIdle();
      receiving.interrupt();
      assertThatThrownBy(receiving::join).isInstanceOf(InterruptedException.class);
      client.send(Opcode.CONTINUATION, true, Frame.utf8("lo"));
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("Hello"));
      server.release();
      client.answerClose();
    }

    @Test
    void anInterruptInsideAFrameReturnsWhatIsHereAndStaysSet() throws Exception {
      TestFrames client = server.hold();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      var receiving =
          Background.start(() ->
                  List.of(server.socket().receive(buffer), Thread.currentThread().isInterrupted()))
              .awaitBlocked();
      client.sendHex("81 85 37fa213d 7f 9f"); // "He", of "Hello"
      server.host().awaitIdle();
      receiving.interrupt();
      assertThat(receiving.join()).isEqualTo(List.of(text(2, false), true));
      client.sendHex("4d 51 58");
      assertThat(server.socket().receive(buffer)).isEqualTo(text(3, true));
      server.release();
      client.answerClose();
    }

    @Test
    void aSecondReceiverIsRefusedAndTheFirstGoesOn() throws Exception {
      TestFrames client = server.hold();
      WebSocket socket = server.socket();
      var first = Background.start(socket::receiveMessage).awaitBlocked();
      ByteBuffer buffer = ByteBuffer.allocate(10);
      List<ThrowingCallable> receivers =
          List.of(
              socket::receiveMessage,
              () -> socket.receiveMessage(Duration.ZERO),
              () -> socket.receive(buffer),
              () -> socket.receive(buffer, SECOND),
              () -> socket.iterator().hasNext(),
              () -> socket.inputStream().read());
      for (ThrowingCallable second : receivers) {
        assertThatThrownBy(second)
            .isInstanceOf(IllegalStateException.class)
            .hasMessage(
                "thread #%d is already receiving from this socket; only one may at a time",
                first.threadId());
      }
      client.sendText("a").sendText("b");
      assertThat(first.join()).isEqualTo(new Message.Text("a"));
      assertThat(socket.receiveMessage()).isEqualTo(new Message.Text("b"));
      server.release();
      client.answerClose();
    }

    @Test
    void anotherThreadReceivesWhenTheFirstIsDone() throws Exception {
      TestFrames client = server.hold();
      var first = Background.start(() -> server.socket().receiveMessage(SECOND)).awaitBlocked();
      server.advance(SECOND);
      assertThatThrownBy(first::join).isInstanceOf(TimeoutException.class);
      var second = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
      second.interrupt();
      assertThatThrownBy(second::join).isInstanceOf(InterruptedException.class);
      var third = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
      client.sendText("a");
      assertThat(third.join()).isEqualTo(new Message.Text("a"));
      server.release();
      client.answerClose();
    }

    @Test
    void anEndWakesWhoeverWaits() throws Exception {
      TestFrames client = server.hold();
      var one = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
      client.reset();
      assertThat(one.join()).isNull();
    }

    @Test
    void abortWakesWhoeverWaits() throws Exception {
      TestFrames client = server.hold();
      var one = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
      server.socket().abort();
      assertThat(one.join()).isNull();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.ABORTED);
      client.expectReset();
    }
  }
}
