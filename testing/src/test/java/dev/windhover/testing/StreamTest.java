package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.Opcode;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sockets as streams: spec 1.7. */
class StreamTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Nested
  class Reading {
    @Test
    void allMessagesAreOneStreamThatEndsWithTheClose() throws Exception {
      TestFrames client = server.hold();
      client.sendText("Hel").sendText("").sendText("lo").sendClose(1000, "");
      InputStream in = server.socket().inputStream();
      assertThat(text(in.readAllBytes())).isEqualTo("Hello");
      assertThat(in.read()).isEqualTo(-1);
      server.release();
      client.receiveClose();
      client.expectEnd();
    }

    @Test
    void readsAreOneByteOrSeveralOrNone() throws Exception {
      TestFrames client = server.hold();
      client.sendBinary(new byte[] {(byte) 0xFF, 1, 2});
      InputStream in = server.socket().inputStream();
      assertThat(in.read()).isEqualTo(0xFF);
      assertThat(in.read(new byte[0])).isZero();
      byte[] bytes = new byte[4];
      assertThat(in.read(bytes, 1, 3)).isEqualTo(2);
      assertThat(bytes).containsExactly(0, 1, 2, 0);
      in.close();
      assertThatThrownBy(in::read)
          .isInstanceOf(IOException.class)
          .hasMessage("the stream is closed");
      client.sendText("the socket lives on");
      assertThat(server.socket().receiveMessage())
          .isEqualTo(new Message.Text("the socket lives on"));
      server.release();
      client.answerClose();
    }

    @Test
    void oneMessageEndsItsStream() throws Exception {
      TestFrames client = server.hold();
      client.send(Opcode.TEXT, false, Frame.utf8("on"));
      client.send(Opcode.CONTINUATION, false, Frame.utf8(""));
      client.send(Opcode.CONTINUATION, true, Frame.utf8("e"));
      client.sendText("").sendText("three");
      for (String expected : new String[] {"one", "", "three"}) {
        try (InputStream in = server.socket().messageInputStream()) {
          assertThat(text(in.readAllBytes())).isEqualTo(expected);
        }
      }
      server.release();
      client.answerClose();
    }

    @Test
    void aMessageThatIsNotReadToItsEndAbortsTheSocket() throws Exception {
      TestFrames client = server.hold();
      client.sendText("Hello");
      try (InputStream in = server.socket().messageInputStream()) {
        assertThat(in.read()).isEqualTo('H');
      }
      client.expectReset();
    }

    @Test
    void whereNoMessageComesTheStreamIsEmpty() throws Exception {
      TestFrames client = server.hold();
      client.sendClose(1000, "");
      try (InputStream in = server.socket().messageInputStream()) {
        assertThat(in.read()).isEqualTo(-1);
      }
      server.release();
      client.receiveClose();
      client.expectEnd();
    }

    @Test
    void anEndInsideAMessageIsNoEndOfTheStream() throws Exception {
      TestFrames client = server.hold();
      client.send(Opcode.TEXT, false, Frame.utf8("Hel")).end();
      InputStream in = server.socket().inputStream();
      assertThatThrownBy(in::readAllBytes)
          .isInstanceOf(EOFException.class)
          .hasMessage("the socket ended inside a message");
      client.expectEnd();
    }

    @Test
    void anInterruptIsToldAndStays() throws Exception {
      TestFrames client = server.hold();
      var reading =
          Background.start(
                  () -> {
                    assertThatThrownBy(() -> server.socket().inputStream().read())
                        .isInstanceOf(InterruptedIOException.class);
                    return Thread.interrupted();
                  })
              .awaitBlocked();
      reading.interrupt();
      assertThat(reading.join()).isTrue();
      server.release();
      client.answerClose();
    }
  }

  @Nested
  class Writing {
    @Test
    void everyWriteIsAMessage() throws Exception {
      TestFrames client = server.hold();
      try (OutputStream out = server.socket().outputStream(MessageType.TEXT)) {
        out.write(utf8("Hello"));
        out.flush();
        out.write('!');
        out.write(utf8("none of it"), 0, 0);
      }
      assertThat(client.receive()).isEqualTo(Frame.text("Hello"));
      assertThat(client.receive()).isEqualTo(Frame.text("!"));
      assertThat(client.receive()).isEqualTo(Frame.text(""));
      client.expectNothing();
      server.release();
      client.answerClose();
    }

    @Test
    void everyWriteIsAPieceAndTheEndAnEmptyOne() throws Exception {
      TestFrames client = server.hold();
      OutputStream out = server.socket().messageOutputStream(MessageType.BINARY);
      out.write(new byte[] {1, 2});
      out.write(3);
      out.close();
      out.close();
      assertThat(client.receive())
          .isEqualTo(new Frame(Opcode.BINARY, false, ByteBuffer.wrap(new byte[] {1, 2})));
      assertThat(client.receive())
          .isEqualTo(new Frame(Opcode.CONTINUATION, false, ByteBuffer.wrap(new byte[] {3})));
      assertThat(client.receive())
          .isEqualTo(new Frame(Opcode.CONTINUATION, true, ByteBuffer.allocate(0)));
      assertThatThrownBy(() -> out.write(4)).hasMessage("the stream is closed");
      server.release();
      client.answerClose();
    }

    @Test
    void aStreamIsNeverOfTypeClose() throws Exception {
      TestFrames client = server.hold();
      assertThatThrownBy(() -> server.socket().outputStream(MessageType.CLOSE))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> server.socket().messageOutputStream(MessageType.CLOSE))
          .isInstanceOf(IllegalArgumentException.class);
      server.release();
      client.answerClose();
    }

    @Test
    void behindOurCloseWritingFailsAndBehindThePeersItDoesNot() throws Exception {
      TestFrames client = server.hold();
      OutputStream out = server.socket().outputStream(MessageType.TEXT);
      client.sendClose(1000, "");
      assertThat(server.socket().inputStream().read()).isEqualTo(-1);
      out.write(utf8("still"));
      assertThat(client.receiveText()).isEqualTo("still");
      server.socket().close();
      assertThatThrownBy(() -> out.write(1)).isInstanceOf(WebSocketClosedException.class);
      client.receiveClose();
      client.expectEnd();
    }
  }
}
