package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.Opcode;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Text with a lone surrogate cannot be sent as UTF-8, and nothing of it leaves. */
class MalformedTextTest {
  /** What is left of a smiley if text is cut in its middle. */
  private static final String CUT = "smile \uD83D";

  private static final String WHY =
      "text is not well-formed UTF-16: lone surrogate U+D83D at index 6";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static void assertRefused(ThrowingCallable sending) {
    assertThatThrownBy(sending).isInstanceOf(IllegalArgumentException.class).hasMessage(WHY);
  }

  @ParameterizedTest
  @EnumSource
  void isRefusedWhereItIsSentAndTheSocketLivesOn(Form form) throws Exception {
    TestFrames client =
        switch (form) {
          case BLOCKING -> server.hold();
          case LISTENER -> server.listen(new WebSocketListener() {});
        };
    WebSocket socket = server.socket();
    assertRefused(() -> socket.sendText(CUT));
    assertRefused(() -> socket.send(new Message.Text(CUT)));
    assertRefused(() -> socket.trySendText(CUT));
    assertRefused(() -> socket.trySend(new Message.Text(CUT)));
    assertRefused(() -> socket.closeOutput(4000, CUT));
    socket.sendText("still here");
    assertThat(client.receiveText()).isEqualTo("still here");
    switch (form) {
      case BLOCKING -> {
        server.release();
        client.answerClose();
      }
      case LISTENER -> client.close();
    }
  }

  @Test
  void isRefusedWhenItIsPrepared() {
    assertRefused(() -> PreparedMessage.text(CUT));
    assertRefused(() -> PreparedMessage.of(new Message.Text(CUT)));
  }

  @Test
  void isRefusedByAWriterWhichGoesOn() throws Exception {
    TestFrames client = server.hold();
    try (MessageWriter message = server.socket().startMessage(MessageType.TEXT)) {
      assertRefused(() -> message.write("smile \uD83D!"));
      message.write("ok");
      message.finish();
    }
    assertThat(client.receive()).isEqualTo(new Frame(Opcode.TEXT, false, Frame.utf8("ok")));
    client.receive();
    server.release();
    client.answerClose();
  }

  @Test
  void aCharacterThatAPieceLeavesHalfMustBeFinishedByTheNext() throws Exception {
    TestFrames client = server.hold();
    try (MessageWriter message = server.socket().startMessage(MessageType.TEXT)) {
      message.write(CUT);
      assertThatThrownBy(() -> message.write("!"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "text is not well-formed UTF-16: the piece before ends with half a character");
      assertThatThrownBy(message::finish)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "text is not well-formed UTF-16: the piece before ends with half a character");
      message.write("\uDE00");
      message.finish();
    }
    assertThat(client.receiveText()).isEqualTo("smile 😀");
    server.release();
    client.answerClose();
  }

  @Test
  void isRefusedByTheTestKitsClients() {
    server.startMapped(socket -> {
      for (Message message : socket) {
        socket.send(message);
      }
    });
    TestWebSocket client = server.host().webSocket("/").connect();
    assertRefused(() -> client.sendText(CUT));
    assertRefused(() -> client.trySendText(CUT));
    assertRefused(() -> client.send(new Message.Text(CUT)));
    assertRefused(() -> client.closeOutput(4000, CUT));
    try (MessageWriter message = client.startMessage(MessageType.TEXT)) {
      message.write(CUT);
      assertThatThrownBy(message::finish).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> message.write("!")).isInstanceOf(IllegalArgumentException.class);
      message.write("\uDE00");
      message.finish();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    client.expectText("smile 😀").close();
    TestFrames frames = server.host().webSocket("/").connect().frames();
    assertRefused(() -> frames.sendText(CUT));
    frames.sendText("a");
    assertThat(frames.receiveText()).isEqualTo("a");
    frames.close();
  }
}
