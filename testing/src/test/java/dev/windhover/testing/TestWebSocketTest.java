package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The client message by message: a {@code WebSocket} whose other end is the server's. */
class TestWebSocketTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  private TestWebSocket echo() {
    server.echo(Form.BLOCKING).close();
    return server.host().webSocket("/").connect();
  }

  private TestWebSocket connect(String... subprotocols) {
    return server.host().webSocket("/").subprotocols(subprotocols).connect();
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length);
    for (int value : values) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }

  @Nested
  class Messages {
    @Test
    void goAndComeAsTheyDoForAHandler() {
      TestWebSocket client = echo();
      assertThat(client.sendText("Käse")).isTrue();
      client.sendBinary(new byte[] {0, 1, -1});
      client.send(new Message.Text("a message"));
      client.send(new Message.Binary(bytes(7)));
      client.send(PreparedMessage.text("prepared"));
      assertThat(client.receiveMessage()).isEqualTo(new Message.Text("Käse"));
      assertThat(client.receiveMessage()).isEqualTo(new Message.Binary(bytes(0, 1, -1)));
      client.expectText("a message").expectBinary((byte) 7).expectText("prepared");
      client.close();
    }

    @Test
    void fragmentsAreSentAndAssembled() throws Exception {
      server.startMapped(socket -> {
        ByteBuffer room = ByteBuffer.allocate(100);
        ReceiveResult piece = socket.receive(room);
        while (!piece.isClose()) {
          socket.send(room.flip(), piece.type(), piece.endOfMessage()); // fragment by fragment
          piece = socket.receive(room.clear());
        }
      });
      TestWebSocket client = connect();
      client.send(bytes(0xC3), MessageType.TEXT, false); // half of an ä
      client.send(bytes(0xA4), MessageType.TEXT, true);
      try (MessageWriter message = client.startMessage(MessageType.TEXT)) {
        message.write("a\uD83D");
        message.write("\uDE00b"); // half of a surrogate pair in each piece
        message.finish();
      }
      client.expectText("ä").expectText("a😀b");
      assertThat(client.received())
          .startsWith(
              new Frame(Opcode.TEXT, false, bytes(0xC3)),
              new Frame(Opcode.CONTINUATION, true, bytes(0xA4)));
      client.close();
    }

    @Test
    void areReceivedBufferByBuffer() {
      TestWebSocket client = echo();
      client.sendText("hello");
      client.sendBinary(bytes());
      ByteBuffer room = ByteBuffer.allocate(3);
      assertThat(client.receive(room)).isEqualTo(new ReceiveResult(3, MessageType.TEXT, false));
      assertThat(StandardCharsets.UTF_8.decode(room.flip()).toString()).isEqualTo("hel");
      assertThatThrownBy(client::receiveMessage).isInstanceOf(IllegalStateException.class);
      assertThat(client.receive(room.clear()))
          .isEqualTo(new ReceiveResult(2, MessageType.TEXT, true));
      assertThat(client.receive(room)).isEqualTo(new ReceiveResult(0, MessageType.BINARY, true));
      client.close();
    }

    @Test
    void areDecompressedAndCompressedWhereThatWasAgreed() {
      server.settings(s -> s.dangerousEnableCompression(true));
      server.echo(Form.BLOCKING).close();
      TestWebSocket client = server.host().webSocket("/").compressed().connect();
      String text = "compressible ".repeat(100);
      for (int i = 0; i < 3; i++) {
        client.sendText(text);
        client.expectText(text);
      }
      client.send(Frame.utf8("compressible "), MessageType.TEXT, false);
      client.send(Frame.utf8("in two"), MessageType.TEXT, true);
      client.expectText("compressible in two");
      assertThat(client.received().getFirst().compressed()).isTrue();
      client.close();
    }

    @Test
    void aTimeLimitThatPassesLosesNothing() throws Exception {
      TestWebSocket client = echo();
      assertThatThrownBy(() -> client.receiveMessage(Duration.ofMillis(1)))
          .isInstanceOf(TimeoutException.class);
      client.sendText("later");
      assertThat(client.receiveMessage(Duration.ofSeconds(10)))
          .isEqualTo(new Message.Text("later"));
      client.close();
    }

    @Test
    void anotherThreadsMessageWaits() throws Exception {
      TestWebSocket client = echo();
      client.send(Frame.utf8("first, "), MessageType.TEXT, false);
      var other = Background.start(() -> client.sendText("second")).awaitBlockedIn("Semaphore");
      client.send(Frame.utf8("in two"), MessageType.TEXT, true);
      other.join();
      client.expectText("first, in two").expectText("second");
      client.close();
    }
  }

  @Nested
  class Pings {
    @Test
    void areAnsweredByTheClientItself() {
      server.options(o -> o.keepAliveInterval(Duration.ofMinutes(2)));
      TestWebSocket client = echo();
      for (int i = 0; i < 3; i++) {
        server.advance(Duration.ofMinutes(2));
      }
      client.sendText("alive");
      client.expectText("alive").close();
      assertThat(client.received()).filteredOn(frame -> frame.opcode() == Opcode.PING).hasSize(3);
    }

    @Test
    void areTheTestsToAnswerFrameByFrame() {
      server.options(o -> o.keepAliveInterval(Duration.ofMinutes(2)));
      TestFrames client = echo().frames();
      server.advance(Duration.ofMinutes(2));
      client.send(new Frame(Opcode.PONG, true, client.expectPing().payload()));
      server.advance(Duration.ofMinutes(2));
      client.expectPing();
      server.advance(Duration.ofSeconds(20)); // keepAliveTimeout
      client.expectReset();
    }
  }

  @Nested
  class Ends {
    @Test
    void closeIsTheWholeClosingHandshake() {
      TestWebSocket client = echo();
      assertThat(client.state()).isEqualTo(WebSocketState.OPEN);
      assertThat(client.closeStatus()).isZero();
      client.close(4000, "enough");
      assertThat(client.state()).isEqualTo(WebSocketState.CLOSED);
      assertThat(client.closeStatus()).isEqualTo(4000);
      assertThat(client.receiveMessage()).isNull();
      assertThat(client.ending())
          .isEqualTo(
              new Ending(Ending.By.APPLICATION, new CloseReason(4000, ""), "this end closed"));
      client.close(); // does nothing
    }

    @Test
    void messagesBeforeTheServersCloseStay() {
      server.startMapped(socket -> {
        socket.receiveMessage();
        socket.sendText("before");
        socket.sendText("the Close");
      });
      TestWebSocket client = connect();
      client.sendText("go");
      client.close();
      List<Message> messages = new ArrayList<>();
      client.forEach(messages::add);
      assertThat(messages)
          .containsExactly(new Message.Text("before"), new Message.Text("the Close"));
    }

    @Test
    void theLoopEndsWithTheServersCloseAndAnswersIt() {
      server.startMapped(socket -> {
        socket.sendText("one");
        socket.close(4001, "bye");
      });
      TestWebSocket client = connect();
      for (Message message : client) {
        assertThat(message).isEqualTo(new Message.Text("one"));
      }
      assertThat(client.closeStatus()).isEqualTo(4001);
      assertThat(client.closeStatusDescription()).isEqualTo("bye");
      assertThat(client.ending())
          .isEqualTo(new Ending(Ending.By.PEER, new CloseReason(4001, "bye"), "the server closed"));
      assertThat(server.ending().by()).isEqualTo(Ending.By.APPLICATION);
    }

    @Test
    void aCloseIsAResultBufferByBufferAndMayBeAnsweredLater() {
      server.startMapped(socket -> {
        socket.closeOutput(4001, "");
        assertThat(socket.receiveMessage()).isEqualTo(new Message.Text("still open"));
        socket.receiveMessage();
      });
      TestWebSocket client = connect();
      assertThat(client.receive(ByteBuffer.allocate(0)).isClose()).isTrue();
      assertThat(client.state()).isEqualTo(WebSocketState.CLOSE_RECEIVED);
      client.sendText("still open");
      client.close(client.closeStatus(), client.closeStatusDescription());
      assertThat(client.state()).isEqualTo(WebSocketState.CLOSED);
    }

    @Test
    void theEndingIsKnownAsSoonAsTheServersCloseHasCome() {
      server.startMapped(socket -> socket.close(4001, "bye"));
      TestWebSocket client = connect();
      assertThat(client.ending()).isNull();
      assertThat(client.receiveMessage()).isNull();
      assertThat(client.state()).isEqualTo(WebSocketState.CLOSE_RECEIVED);
      assertThat(client.ending())
          .isEqualTo(new Ending(Ending.By.PEER, new CloseReason(4001, "bye"), "the server closed"));
      client.close();
    }

    @Test
    void expectCloseAnswersIt() {
      server.startMapped(socket -> {});
      TestWebSocket client = connect();
      client.expectClose(1000, "");
      assertThat(client.state()).isEqualTo(WebSocketState.CLOSED);
      assertThat(server.ending().why()).isEqualTo("the handler ended");
    }

    @Test
    void abortIsSeenByTheServer() {
      TestWebSocket client = echo();
      server.host().awaitIdle();
      client.abort();
      assertThat(client.state()).isEqualTo(WebSocketState.ABORTED);
      assertThat(client.receiveMessage()).isNull();
      assertThat(client.closeStatus()).isEqualTo(1006);
      assertThatThrownBy(() -> client.sendText("late"))
          .isInstanceOf(UncheckedIOException.class)
          .hasCauseInstanceOf(WebSocketClosedException.class);
    }

    @Test
    void aDroppedConnectionIsTheEnd() {
      server.startMapped(WebSocket::abort);
      TestWebSocket client = connect();
      assertThat(client.receiveMessage()).isNull();
      assertThat(client.state()).isEqualTo(WebSocketState.ABORTED);
      assertThat(client.ending())
          .isEqualTo(
              new Ending(
                  Ending.By.CONNECTION,
                  CloseReason.of(1006),
                  "the connection was dropped by the server"));
      client.expectReset();
    }

    @Test
    void soIsOneThatThisEndLoses() {
      TestWebSocket client = echo();
      client.resetAfter(3).sendText("hello");
      assertThat(client.receiveMessage()).isNull();
      assertThat(client.state()).isEqualTo(WebSocketState.ABORTED);
    }

    @Test
    void anAbandonedMessageFailsTheSocket() throws Exception {
      TestWebSocket client = echo();
      try (MessageWriter message = client.startMessage(MessageType.TEXT)) {
        message.write("never finished");
      }
      client.expectClose(1011, "");
    }

    @Test
    void thereIsNoListenerForm() {
      TestWebSocket client = echo();
      assertThatThrownBy(() -> client.demand(1)).isInstanceOf(IllegalStateException.class);
      client.close();
    }
  }

  @Nested
  class Expectations {
    @Test
    void sayWhatWasExpectedWhatCameAndWhatCameBefore() {
      TestWebSocket client = echo();
      client.sendText("hello");
      client.expectText("hello").sendText("hullo");
      assertThatThrownBy(() -> client.expectText("hello"))
          .isInstanceOf(AssertionError.class)
          .hasMessage(
              """
              expected TEXT "hello" [5 bytes]
               but got TEXT "hullo" [5 bytes]
              they differ at byte 1
              the server has sent:
                TEXT "hello" [5 bytes]
                TEXT "hullo" [5 bytes]\
              """);
      client.sendBinary(new byte[] {0x2a, -1});
      assertThatThrownBy(() -> client.expectText("hello"))
          .hasMessageStartingWith(
              "expected TEXT \"hello\" [5 bytes]\n but got BINARY 2aff [2 bytes]\nthe server");
      client.closeOutput(1000, "");
      assertThatThrownBy(() -> client.expectText("hello"))
          .hasMessageStartingWith(
              "expected TEXT \"hello\" [5 bytes]\n but the socket has ended: Close 1000");
    }

    @Test
    void nameTheHandlersFailureAsTheCause() {
      IllegalStateException failure = new IllegalStateException("no luck");
      server.expectError("failed");
      server.startMapped(socket -> {
        throw failure;
      });
      TestWebSocket client = connect();
      assertThatThrownBy(() -> client.expectText("hello"))
          .hasMessageEndingWith("a handler has failed: java.lang.IllegalStateException: no luck")
          .hasCause(failure);
      assertThat(server.host().expectFailure()).isSameAs(failure);
    }

    @Test
    void aCloseIsComparedWhole() {
      server.startMapped(socket -> socket.close(4001, "bye"));
      TestWebSocket client = connect();
      assertThatThrownBy(() -> client.expectClose(4001, "good bye"))
          .hasMessageStartingWith(
              "expected CLOSE 4001 \"good bye\" [10 bytes]\n but got CLOSE 4001 \"bye\"");
      client.expectClose(4001, "bye");
    }

    @Test
    void whatWasLookedAtIsNotLeftOver() {
      TestWebSocket client = echo();
      client.sendText("a");
      assertThat(client.received()).containsExactly(Frame.text("a"));
      client.expectNothing().sendText("b");
      assertThatThrownBy(client::expectNothing)
          .hasMessageStartingWith("expected nothing, got [TEXT \"b\" [1 bytes]]");
      client.expectText("a").expectText("b").close();
    }

    @Test
    void nothingIsExpectedOnceHandlersWait() {
      server.startMapped(socket -> {
        socket.receiveMessage();
        long end = System.nanoTime() + Duration.ofMillis(50).toNanos();
        while (System.nanoTime() - end < 0) {
          Thread.onSpinWait(); // computes for a while
        }
        socket.sendText("at last");
        socket.receiveMessage();
      });
      TestWebSocket client = connect();
      client.sendText("go");
      assertThatThrownBy(client::expectNothing).hasMessageContaining("at last");
      client.expectText("at last").close();
    }
  }

  @Test
  void theHandshakeIsPartOfIt() {
    server.settings(s -> s.subprotocolSelector(List::getLast));
    server.startMapped(socket -> socket.receiveMessage());
    TestWebSocket client = connect("chat", "superchat");
    assertThat(client.subprotocol()).isEqualTo("superchat");
    assertThat(client.response().status()).isEqualTo(101);
    client.close();
    TestWebSocket over2 = server.host().webSocket("/").subprotocols("x").http2().connect();
    assertThat(over2.response().status()).isEqualTo(200);
    over2.close();
  }

  @Test
  void theServerMayBeMetAsItIsByCodeForBothEnds() throws Exception {
    assertThat(greeted(echo())).isEqualTo(new Message.Text("hello"));
  }

  /** What is written for a handler's socket takes the client's too. */
  private static Message greeted(WebSocket socket) throws Exception {
    socket.sendText("hello");
    Message answer = socket.receiveMessage();
    socket.close();
    return java.util.Objects.requireNonNull(answer);
  }
}
