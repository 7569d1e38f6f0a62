package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class EchoTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  @ParameterizedTest
  @EnumSource
  void messagesComeBack(Form form) {
    TestFrames client = server.echo(form);
    client.sendText("Käse").sendBinary(new byte[] {0, 1, -1}).sendText("");
    assertThat(client.receive()).isEqualTo(Frame.text("Käse"));
    assertThat(client.receive()).isEqualTo(Frame.binary((byte) 0, (byte) 1, (byte) -1));
    assertThat(client.receive()).isEqualTo(Frame.text(""));
    client.close();
    assertThat(server.ending())
        .isEqualTo(new Ending(Ending.By.PEER, CloseReason.of(1000), "the peer closed"));
  }

  /** The masked "Hello" of RFC 6455 5.7, in one frame and in fragments with a Ping between. */
  @ParameterizedTest
  @EnumSource
  void theExamplesOfTheRfcComeBack(Form form) {
    TestFrames client = server.echo(form);
    client.sendHex("81 85 37fa213d 7f9f4d5158"); // "Hello"
    assertThat(client.receiveText()).isEqualTo("Hello");
    client.sendHex("01 83 37fa213d 7f9f4d"); // "Hel"
    client.sendHex("89 85 37fa213d 7f9f4d5158"); // Ping "Hello"
    client.sendHex("80 82 37fa213d 5b95"); // "lo"
    assertThat(client.receive()).isEqualTo(Frame.pong("Hello"));
    assertThat(client.receiveText()).isEqualTo("Hello");
    client.close();
  }

  @Test
  void theAnswersToAReadAreFlushedOnce() {
    TestFrames client = server.echo(Form.LISTENER);
    ByteBuffer frame = client.frame(Opcode.TEXT, true, Frame.utf8("hello"));
    client.send(Collections.nCopies(100, frame).toArray(ByteBuffer[]::new));
    for (int i = 0; i < 100; i++) {
      assertThat(client.receiveText()).isEqualTo("hello");
    }
    assertThat(client.flushes()).isOne();
    client.close();
  }

  /** Although the batch has by then gathered more than is handed over ahead of time. */
  @ParameterizedTest
  @EnumSource
  void everyPingOfAReadIsAnsweredWhileThePeerTakesAll(Form form) {
    server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
    TestFrames client = server.echo(form);
    ByteBuffer[] frames = new ByteBuffer[11];
    frames[0] = client.frame(Opcode.BINARY, true, ByteBuffer.allocate(600));
    for (int i = 1; i <= 10; i++) {
      frames[i] = client.frame(Opcode.PING, true, Frame.utf8("ping " + i));
    }
    client.send(frames);
    List<Frame> received = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      received.add(client.receive());
    }
    Frame binary = new Frame(Opcode.BINARY, true, ByteBuffer.allocate(600));
    assertThat(received).containsOnlyOnce(binary); // of the handler's thread, it has no fixed place
    received.remove(binary);
    for (int i = 1; i <= 10; i++) {
      assertThat(received.get(i - 1)).isEqualTo(Frame.pong("ping " + i));
    }
    client.close();
  }

  /** All three forms of the length, at their borders, in reads of several sizes. */
  @ParameterizedTest
  @CsvSource({
    "BLOCKING, 125, 1", "BLOCKING, 126, 7", "BLOCKING, 65535, 1000", "BLOCKING, 65536, 70000",
    "LISTENER, 125, 1", "LISTENER, 126, 7", "LISTENER, 65535, 1000", "LISTENER, 65536, 70000"
  })
  void messagesOfEveryLengthFormComeBack(Form form, int length, int cut) {
    TestFrames client = server.echo(form);
    byte[] payload = new byte[length];
    for (int i = 0; i < length; i++) {
      payload[i] = (byte) (i * 31);
    }
    client.cutEvery(cut).send(Opcode.BINARY, true, ByteBuffer.wrap(payload));
    assertThat(client.receiveBinary()).isEqualTo(payload);
    client.close();
  }
}
