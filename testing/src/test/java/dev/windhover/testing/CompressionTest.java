package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** permessage-deflate (RFC 7692) on a socket, in both forms. */
class CompressionTest {
  private static final String OFFER = "permessage-deflate; client_max_window_bits"; // a browser's
  private static final String TEXT = "{\"user\":\"anna\",\"text\":\"hello\",\"room\":\"lobby\"}";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private void enable(Consumer<WebSocketAcceptContext> more) {
    server.settings(settings -> more.accept(settings.dangerousEnableCompression(true)));
  }

  private void enable() {
    enable(_ -> {});
  }

  private TestFrames echo(Form form) {
    return server.echo(form, OFFER);
  }

  private static ByteBuffer bytes(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (((i * i) >> 7) ^ i);
    }
    return ByteBuffer.wrap(bytes);
  }

  // ---- Negotiation

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          permessage-deflate                            | permessage-deflate
          permessage-deflate; client_max_window_bits    | permessage-deflate; client_max_window_bits=15
          permessage-deflate; server_max_window_bits=10 | permessage-deflate; server_max_window_bits=10
          permessage-deflate; unknown                   |
          permessage-deflateX                           |
          """)
  void whatWasAgreedIsAnswered(String offer, String answer) {
    enable();
    TestFrames client = server.echo(Form.BLOCKING, offer);
    assertThat(client.response().headers().get("Sec-WebSocket-Extensions")).isEqualTo(answer);
    client.close();
  }

  @Test
  void theSettingsOfTheSocketAreAnswered() {
    enable(settings ->
        settings
            .disableServerContextTakeover(true)
            .disableClientContextTakeover(true)
            .serverMaxWindowBits(14)
            .clientMaxWindowBits(12));
    TestFrames client = echo(Form.LISTENER);
    assertThat(client.response().headers().get("Sec-WebSocket-Extensions"))
        .isEqualTo(
            "permessage-deflate; client_max_window_bits=12; client_no_context_takeover;"
                + " server_no_context_takeover; server_max_window_bits=14");
    for (int i = 0; i < 3; i++) {
      client.sendCompressed(Opcode.TEXT, Frame.utf8(TEXT));
      assertThat(client.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    }
    client.close();
  }

  /** RFC 7692 7.1.2.2: 8 bits is what it uses; our own window for reading may be larger. */
  @ParameterizedTest
  @EnumSource
  void aClientThatLimitsItselfTo8BitsIsRead(Form form) {
    enable();
    TestFrames client = server.echo(form, "permessage-deflate; client_max_window_bits=8");
    assertThat(client.response().headers().get("Sec-WebSocket-Extensions"))
        .isEqualTo("permessage-deflate; client_max_window_bits=8");
    String text = TEXT.repeat(20);
    for (int i = 0; i < 3; i++) {
      client.sendCompressed(Opcode.TEXT, Frame.utf8(text));
      assertThat(client.receive()).isEqualTo(Frame.text(text).asCompressed());
    }
    client.close();
  }

  @Test
  void nothingIsCompressedUntilTheHandlerAsks() {
    TestFrames client = echo(Form.BLOCKING);
    assertThat(client.response().headers().contains("Sec-WebSocket-Extensions")).isFalse();
    client.send(client.frame(Opcode.TEXT, true, Extension.RSV1, Frame.utf8("x")));
    assertThat(client.answerClose().code()).isEqualTo(1002);
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    WebSocketAcceptContext settings = new WebSocketAcceptContext();
    assertThatThrownBy(() -> settings.serverMaxWindowBits(8))
        .hasMessage("serverMaxWindowBits 8 is not within 9-15");
    assertThatThrownBy(() -> settings.clientMaxWindowBits(16))
        .hasMessage("clientMaxWindowBits 16 is not within 9-15");
    assertThatThrownBy(() -> settings.compressionLevel(0))
        .hasMessage("compressionLevel 0 is not within 1-9");
    assertThatThrownBy(() -> settings.compressionThreshold(-1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  // ---- Messages

  @ParameterizedTest
  @EnumSource
  void messagesComeBackCompressed(Form form) {
    enable();
    TestFrames client = echo(form);
    for (int i = 0; i < 100; i++) {
      client.sendCompressed(Opcode.TEXT, Frame.utf8(TEXT + i));
    }
    for (int i = 0; i < 100; i++) {
      assertThat(client.receive()).isEqualTo(Frame.text(TEXT + i).asCompressed());
    }
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void whatIsBelowTheThresholdGoesOutPlain(Form form) {
    enable(settings -> settings.compressionThreshold(5));
    TestFrames client = echo(form);
    client.sendCompressed(Opcode.TEXT, Frame.utf8("hell"));
    assertThat(client.receive()).isEqualTo(Frame.text("hell"));
    client.sendCompressed(Opcode.TEXT, Frame.utf8("hello"));
    assertThat(client.receive()).isEqualTo(Frame.text("hello").asCompressed());
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void plainMessagesAreReadAmongCompressedOnes(Form form) {
    enable();
    TestFrames client = echo(form);
    client.sendText(TEXT).sendCompressed(Opcode.TEXT, Frame.utf8(TEXT)).sendText(TEXT);
    for (int i = 0; i < 3; i++) {
      assertThat(client.receiveText()).isEqualTo(TEXT);
    }
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void messagesOfEverySizeComeBack(Form form) {
    enable(settings -> settings.compressionThreshold(0).maxMessageSize(10_000_000));
    TestFrames client = echo(form);
    for (int size : List.of(0, 1, 2, 125, 126, 4096, 65_536, 1_000_000, 5_000_000, 0)) {
      client.sendCompressed(Opcode.BINARY, bytes(size));
      assertThat(ByteBuffer.wrap(client.receiveBinary())).isEqualTo(bytes(size));
    }
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void aCompressedMessageMayComeByteByByteInFragmentsWithPingsBetween(Form form) {
    enable();
    TestFrames client = echo(form).cutEvery(1);
    ByteBuffer message = client.compress(Frame.utf8(TEXT));
    int half = message.remaining() / 2;
    client.send(client.frame(Opcode.TEXT, false, Extension.RSV1, message.slice(0, half)));
    client.sendPing("between");
    client.send(Opcode.CONTINUATION, false, ByteBuffer.allocate(0));
    client.send(Opcode.CONTINUATION, true, message.slice(half, message.remaining() - half));
    assertThat(client.receive()).isEqualTo(Frame.pong("between"));
    assertThat(client.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    client.close();
  }

  @Test
  void aMessageInPiecesGoesOutInFragmentsOfOneCompressedMessage() throws Exception {
    enable();
    TestFrames client = server.hold(OFFER);
    WebSocket socket = server.socket();
    socket.send(Frame.utf8("Hel"), MessageType.TEXT, false);
    assertThat(client.receive()) // all of it is there to be read
        .isEqualTo(new Frame(Opcode.TEXT, false, Frame.utf8("Hel")).asCompressed());
    socket.send(Frame.utf8(""), MessageType.TEXT, false);
    assertThat(client.receive())
        .isEqualTo(new Frame(Opcode.CONTINUATION, false, Frame.utf8("")).asCompressed());
    socket.send(Frame.utf8("lo"), MessageType.TEXT, true);
    assertThat(client.receive())
        .isEqualTo(new Frame(Opcode.CONTINUATION, true, Frame.utf8("lo")).asCompressed());
    server.release();
    client.answerClose();
  }

  @Test
  void aMessageIsSentPlainIfItsSenderSaysSo() throws Exception {
    enable();
    TestFrames client = server.hold(OFFER);
    WebSocket socket = server.socket();
    SendFlag plain = SendFlag.DISABLE_COMPRESSION;
    socket.send(Frame.utf8(TEXT), MessageType.TEXT, true, plain);
    assertThat(client.receive()).isEqualTo(Frame.text(TEXT));
    socket.send(Frame.utf8(TEXT), MessageType.TEXT, false, plain);
    assertThatThrownBy(() -> socket.send(Frame.utf8(TEXT), MessageType.TEXT, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("DISABLE_COMPRESSION must be on all pieces of a message or on none");
    socket.send(Frame.utf8(TEXT), MessageType.TEXT, true, plain);
    assertThat(client.receive()).isEqualTo(new Frame(Opcode.TEXT, false, Frame.utf8(TEXT)));
    assertThat(client.receive()).isEqualTo(new Frame(Opcode.CONTINUATION, true, Frame.utf8(TEXT)));
    server.release();
    client.answerClose();
  }

  @ParameterizedTest
  @EnumSource
  void manyThreadsMaySendCompressedAndPlain(Form form) throws Exception {
    enable();
    TestFrames client =
        form == Form.BLOCKING
            ? server.hold(OFFER)
            : server.listen(new WebSocketListener() {}, OFFER);
    WebSocket socket = server.socket();
    List<Background<?>> senders = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      String name = "thread " + i + " " + TEXT;
      SendFlag[] flags = i == 3 ? new SendFlag[] {SendFlag.DISABLE_COMPRESSION} : new SendFlag[0];
      senders.add(
          Background.start(() -> {
            for (int n = 0; n < 200; n++) {
              socket.send(Frame.utf8(name + n), MessageType.TEXT, true, flags);
            }
            return null;
          }));
    }
    int[] next = new int[4];
    for (int i = 0; i < 800; i++) {
      String text = client.receiveText();
      int thread = text.charAt(7) - '0';
      assertThat(text).isEqualTo("thread " + thread + " " + TEXT + next[thread]++);
    }
    for (Background<?> sender : senders) {
      sender.join();
    }
    server.release();
    if (form == Form.BLOCKING) {
      client.answerClose();
    } else {
      client.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aQuietSocketGoesOnWhereItWas(Form form) {
    enable();
    TestFrames client = echo(form);
    for (int i = 0; i < 3; i++) {
      client.sendCompressed(Opcode.TEXT, Frame.utf8(TEXT)); // refers to the one before
      assertThat(client.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
      server.advance(Duration.ofSeconds(25)); // the streams were given back
    }
    client.close();
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void aMessageThatIsBeingSentIsFinishedBeforeTheClose(boolean compressed) throws Exception {
    enable();
    byte[] noise = new byte[5_000_000];
    new SplittableRandom(7).nextBytes(noise);
    TestFrames client = server.hold(compressed ? OFFER : "x-none").stopTaking();
    var sending = Background.start(() -> server.socket().sendBinary(ByteBuffer.wrap(noise)));
    sending.awaitBlocked();
    server.release();
    while (server.socket().state() == WebSocketState.OPEN) {
      Thread.onSpinWait(); // until the handler's end has come to the socket
    }
    client.takeAll();
    assertThat(client.receiveBinary()).isEqualTo(noise);
    assertThat(client.answerClose()).isEqualTo(CloseReason.of(1000));
    sending.join();
  }

  /** The size of a compressed message is known only after compressing it. */
  @ParameterizedTest
  @CsvSource({"1000", "5000", "9000", "13000"})
  void whatWaitsIsWithinTheBound(int size) throws Exception {
    int bound = 128 * 1024;
    server.options(options -> options.limits(limits -> limits.sendQueue(bound, bound / 4)));
    enable();
    byte[] noise = new byte[500_000];
    new SplittableRandom(7).nextBytes(noise);
    TestFrames client = server.hold(OFFER).stopTaking();
    int sent = 0;
    while (server.socket().bufferedAmount() + size < bound - 20 * 1024) {
      server.socket().sendBinary(ByteBuffer.wrap(noise, sent, size));
      server.host().awaitIdle();
      sent += size;
    }
    ByteBuffer rest = ByteBuffer.wrap(noise, sent, noise.length - sent);
    var sending = Background.start(() -> server.socket().sendBinary(rest)).awaitBlocked();
    server.host().awaitIdle();
    assertThat(server.socket().bufferedAmount()).isBetween(bound - 20L * 1024, (long) bound);
    client.takeAll();
    sending.join();
    var received = new ByteArrayOutputStream();
    while (received.size() < noise.length) {
      received.write(client.receiveBinary());
    }
    assertThat(received.toByteArray()).isEqualTo(noise);
    server.release();
    assertThat(client.answerClose()).isEqualTo(CloseReason.of(1000));
  }

  @Test
  void whatIsSentWhenThereIsRoomAgainGoesOut() {
    server.options(options -> options.limits(limits -> limits.sendQueue(1024, 512)));
    enable();
    TestFrames client =
        server.listen(
            new WebSocketListener() {
              @Override
              public void onText(WebSocket socket, String text) throws Exception {
                socket.send(bytes(1200), MessageType.BINARY, true, SendFlag.DISABLE_COMPRESSION);
              }

              @Override
              public void onWritable(WebSocket socket) throws Exception {
                socket.sendText(TEXT);
              }
            },
            OFFER);
    client.sendText("fill");
    assertThat(client.receiveBinary()).hasSize(1200);
    assertThat(client.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    client.close();
  }

  // ---- Bounds

  /** This many zero bytes, which deflate shrinks to a thousandth. */
  private static ByteBuffer bomb(TestFrames client, int size) {
    return client.frame(
        Opcode.BINARY, true, Extension.RSV1, client.compress(ByteBuffer.allocate(size)));
  }

  @ParameterizedTest
  @EnumSource
  void theLimitOfAMessageCountsWhatComesOut(Form form) {
    enable(settings -> settings.maxMessageSize(100_000));
    TestFrames client = echo(form);
    client.send(bomb(client, 100_000));
    assertThat(client.receiveBinary()).hasSize(100_000);
    client.send(bomb(client, 100_001));
    assertThat(client.answerClose().code()).isEqualTo(1009);
  }

  @ParameterizedTest
  @EnumSource
  void aBombIsNotInflatedBeyondTheLimit(Form form) throws Exception {
    enable();
    TestFrames client = echo(form);
    ByteBuffer bomb = bomb(client, 1 << 26);
    assertThat(bomb.remaining()).isLessThan(80_000);
    server.host().awaitIdle();
    long before = server.allocatedOnLoop();
    client.send(bomb);
    assertThat(client.answerClose().code()).isEqualTo(1009);
    // The limit of 1 MiB, as often as a growing buffer holds it, and what the test itself reads.
    assertThat(server.allocatedOnLoop() - before).isLessThan(16_000_000);
  }

  @ParameterizedTest
  @CsvSource({"BLOCKING, false", "BLOCKING, true", "LISTENER, false", "LISTENER, true"})
  void whatNobodyReceivesIsNotInflatedBeyondTheBound(Form form, boolean inManyReads)
      throws Exception {
    enable(settings -> settings.maxMessageSize(2_000_000));
    List<Integer> received = new ArrayList<>(); // read when the loop is idle, or after the end
    TestFrames client =
        switch (form) {
          case BLOCKING ->
              server.open(
                  socket -> {
                    server.awaitRelease();
                    for (Message message : socket) {
                      received.add(((Message.Binary) message).payload().remaining());
                    }
                  },
                  OFFER);
          case LISTENER ->
              server.listen(
                  new WebSocketListener() {
                    @Override
                    public void onOpen(WebSocket socket) {} // demands nothing

                    @Override
                    public void onBinary(WebSocket socket, ByteBuffer payload) {
                      received.add(payload.remaining());
                    }
                  },
                  OFFER);
        };
    List<ByteBuffer> frames = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      frames.add(bomb(client, 1_000_000));
    }
    frames.add(client.frame(Opcode.CLOSE, true, CloseReason.of(1000).toPayload()));
    if (inManyReads) {
      client.cutEvery(777).overrun(); // and some come behind the pause
    }
    server.host().awaitIdle();
    long before = server.allocatedOnLoop();
    client.send(frames.toArray(ByteBuffer[]::new)).end(); // 20 kB for 20 MB
    server.host().awaitIdle();
    assertThat(client.isServerReading()).isFalse();
    assertThat(server.allocatedOnLoop() - before).isLessThan(3_000_000);
    assertThat(received).isEmpty();
    server.release();
    if (form == Form.LISTENER) {
      for (int i = 0; i < 21; i++) {
        server.socket().demand(1);
      }
    }
    assertThat(client.receiveClose().code()).isEqualTo(1000);
    client.expectEnd();
    server.ending();
    assertThat(received).hasSize(20).containsOnly(1_000_000);
  }

  @Test
  void whenTheMemoryIsSpentNewSocketsAgreeToLess() {
    server.options(options -> options.limits(limits -> limits.compressionMemory(2_000_000)));
    enable();
    TestFrames first = echo(Form.LISTENER);
    List<String> agreed = new ArrayList<>();
    List<TestFrames> others = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      TestFrames other =
          server.host().webSocket("/").header("Sec-WebSocket-Extensions", OFFER).connect().frames();
      agreed.add(String.valueOf(other.response().headers().get("Sec-WebSocket-Extensions")));
      others.add(other);
    }
    assertThat(agreed).first().isEqualTo(OFFER + "=15");
    assertThat(agreed)
        .last()
        .isEqualTo(OFFER + "=15; client_no_context_takeover; server_no_context_takeover");
    assertThat(server.events()).contains("limit compression memory");
    for (TestFrames other : others) {
      other.sendCompressed(Opcode.TEXT, Frame.utf8(TEXT));
      assertThat(other.receiveText()).isEqualTo(TEXT);
      other.close();
    }
    first.close();
  }

  @Test
  void withoutMemoryNothingIsCompressed() {
    server.options(options -> options.limits(limits -> limits.compressionMemory(0)));
    enable();
    TestFrames client = echo(Form.BLOCKING);
    assertThat(client.response().headers().contains("Sec-WebSocket-Extensions")).isFalse();
    client.close();
    assertThat(server.events()).contains("limit compression memory");
  }

  // ---- Bad input

  @Nested
  class BadInput {
    @ParameterizedTest
    @CsvSource({
      "07, a block of a type that does not exist",
      "00 00 00 01 00, a stored block whose length does not fit its complement",
      "f2 48 cd c9 c9 07 00 ff, bytes behind the end that are no block",
    })
    void corruptDataClosesWith1007(String hex, String what) {
      enable();
      TestFrames client = echo(Form.BLOCKING);
      byte[] data = java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
      client.send(client.frame(Opcode.BINARY, true, Extension.RSV1, ByteBuffer.wrap(data)));
      assertThat(client.answerClose().code()).as(what).isEqualTo(1007);
    }

    @ParameterizedTest
    @EnumSource
    void textIsCheckedAsItComesOut(Form form) {
      enable();
      TestFrames client = echo(form);
      ByteBuffer message = client.compress(ByteBuffer.wrap(new byte[] {'a', (byte) 0xFF, 'b'}));
      client.send(client.frame(Opcode.TEXT, false, Extension.RSV1, message)); // not the end of it
      assertThat(client.answerClose().code()).isEqualTo(1007);
    }

    @Test
    void theBitBelongsOnTheFirstFrameOnly() {
      enable();
      TestFrames client = echo(Form.LISTENER);
      ByteBuffer message = client.compress(Frame.utf8(TEXT));
      client.send(client.frame(Opcode.TEXT, false, Extension.RSV1, message.slice(0, 4)));
      client.send(client.frame(Opcode.CONTINUATION, true, Extension.RSV1, message.slice(4, 4)));
      assertThat(client.answerClose().code()).isEqualTo(1002);
    }

    @Test
    void aControlFrameIsNeverCompressed() {
      enable();
      TestFrames client = echo(Form.BLOCKING);
      client.send(client.frame(Opcode.PING, true, Extension.RSV1, ByteBuffer.allocate(0)));
      assertThat(client.answerClose().code()).isEqualTo(1002);
    }

    /** The vectors of RFC 7692 7.2.3, among them a block with BFINAL set. */
    @ParameterizedTest
    @CsvSource({
      "f2 48 cd c9 c9 07 00, Hello",
      "00 05 00 fa ff 48 65 6c 6c 6f 00, Hello",
      "f3 48 cd c9 c9 07 00 00, Hello",
      "f2 48 05 00 00 00 ff ff ca c9 c9 07 00, Hello",
    })
    void theVectorsOfTheRfcAreReadAndTheNextMessageToo(String hex, String text) {
      enable(settings -> settings.compressionThreshold(100));
      TestFrames client = echo(Form.LISTENER);
      byte[] data = java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
      client.send(client.frame(Opcode.TEXT, true, Extension.RSV1, ByteBuffer.wrap(data)));
      assertThat(client.receive()).isEqualTo(Frame.text(text));
      byte[] next = {(byte) 0xF2, 0, 0x11, 0, 0}; // "Hello" again, by reference to the last one
      client.send(client.frame(Opcode.TEXT, true, Extension.RSV1, ByteBuffer.wrap(next)));
      assertThat(client.receive()).isEqualTo(Frame.text(text));
      client.close();
    }
  }
}
