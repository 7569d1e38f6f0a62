package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Listeners that take messages in parts. */
class PartsTest {
  private static final String DEFLATE = "permessage-deflate";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  /** Notes the parts; a bar follows the end of a message. */
  private static final class Parts implements WebSocketListener {
    private final List<String> parts = new ArrayList<>();
    private final long demand;

    Parts(long demand) {
      this.demand = demand;
    }

    @Override
    public boolean takesParts() {
      return true;
    }

    @Override
    public void onOpen(WebSocket socket) {
      socket.demand(demand);
    }

    @Override
    public void onPart(WebSocket socket, MessageType type, ByteBuffer part, boolean end) {
      parts.add(StandardCharsets.ISO_8859_1.decode(part) + (end ? "|" : ""));
    }

    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) {
      throw new AssertionError("a whole message was delivered");
    }

    @Override
    public void onEnded(WebSocket socket, Ending ending) {
      parts.add("ended");
    }
  }

  private static ByteBuffer utf8(String text) {
    return Frame.utf8(text);
  }

  @Test
  void comeBeforeTheEndOfTheirMessage() {
    Parts listener = new Parts(Long.MAX_VALUE);
    TestFrames client = server.listen(listener);
    client.send(Opcode.TEXT, false, utf8("one "));
    server.host().awaitIdle();
    assertThat(listener.parts).containsExactly("one ");
    client.send(Opcode.CONTINUATION, true, utf8("two"));
    client.send(Opcode.TEXT, true, utf8(""));
    server.host().awaitIdle();
    assertThat(listener.parts).containsExactly("one ", "two|", "|");
    client.close();
  }

  @Test
  void ofAFrameComeAsItsBytesDo() {
    Parts listener = new Parts(Long.MAX_VALUE);
    TestFrames client = server.listen(listener).cutEvery(1);
    client.sendText("abc");
    server.host().awaitIdle();
    assertThat(String.join("", listener.parts)).isEqualTo("abc|");
    assertThat(listener.parts).hasSizeGreaterThan(1);
    client.close();
  }

  @Test
  void haveNoLimitOnTheSizeOfTheirMessage() {
    server.settings(settings -> settings.maxMessageSize(1000));
    Parts listener = new Parts(Long.MAX_VALUE);
    TestFrames client = server.listen(listener);
    client.sendBinary(new byte[2_000_000]);
    server.host().awaitIdle();
    assertThat(listener.parts.stream().mapToInt(String::length).sum()).isEqualTo(2_000_001);
    client.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void countForTheDemand(int demand) {
    Parts listener = new Parts(demand);
    TestFrames client = server.listen(listener);
    for (int i = 0; i < 10; i++) {
      client.sendText("m" + i);
    }
    server.host().awaitIdle();
    assertThat(listener.parts).hasSize(demand);
    server.socket().demand(Long.MAX_VALUE);
    server.host().awaitIdle();
    assertThat(String.join("", listener.parts)).isEqualTo("m0|m1|m2|m3|m4|m5|m6|m7|m8|m9|");
    client.close();
  }

  @Test
  void ofCompressedMessagesAreDecompressed() {
    server.settings(settings -> settings.dangerousEnableCompression(true));
    Parts listener = new Parts(Long.MAX_VALUE);
    TestFrames client = server.listen(listener, DEFLATE);
    String text = "0123456789".repeat(10_000);
    client.sendCompressed(Opcode.TEXT, utf8(text));
    server.host().awaitIdle();
    assertThat(String.join("", listener.parts)).isEqualTo(text + "|");
    assertThat(listener.parts).allMatch(part -> part.length() <= 4097);
    client.close();
  }

  @Test
  void ofAMessageThatIsCutAreNotTakenBack() {
    Parts listener = new Parts(Long.MAX_VALUE);
    TestFrames client = server.listen(listener);
    client.send(Opcode.TEXT, false, utf8("half"));
    client.reset();
    server.host().awaitIdle();
    assertThat(listener.parts).containsExactly("half", "ended");
  }

  @Test
  void mayCutACharacterButMustBeUtf8() {
    Parts listener = new Parts(Long.MAX_VALUE);
    TestFrames client = server.listen(listener);
    client.sendHex("0181000000 00c3".replace(" ", "")); // the first byte of é
    client.sendHex("8081000000 00a9".replace(" ", ""));
    server.host().awaitIdle();
    assertThat(listener.parts).containsExactly("\u00c3", "\u00a9|");
    client.sendHex("8181000000 00ff".replace(" ", ""));
    assertThat(client.receiveClose().code()).isEqualTo(1007);
    client.expectEnd();
  }
}
