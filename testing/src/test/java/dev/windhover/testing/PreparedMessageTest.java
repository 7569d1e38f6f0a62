package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One message to many sockets, in both forms. */
class PreparedMessageTest {
  private static final String TAKEOVER = "permessage-deflate";
  private static final String ALONE = "permessage-deflate; server_no_context_takeover";
  private static final String TEXT = "{\"user\":\"anna\",\"text\":\"hello\",\"room\":\"lobby\"}";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private final BlockingQueue<WebSocket> opened = new LinkedBlockingQueue<>();
  private final List<TestFrames> clients = new ArrayList<>();

  /** Both ends of a socket. */
  private record Pair(TestFrames client, WebSocket socket) {
    boolean send(PreparedMessage message, SendFlag... flags) throws Exception {
      return socket.send(message, flags);
    }

    Frame receive() {
      return client.receive();
    }
  }

  @BeforeEach
  void enable() {
    server.settings(settings -> settings.dangerousEnableCompression(true));
  }

  @AfterEach
  void close() {
    server.release();
    clients.forEach(TestFrames::answerClose);
  }

  private void start() {
    server.startMapped(socket -> {
      opened.add(socket);
      server.awaitRelease();
    });
  }

  /** Opens a socket that offers {@code extensions}, in the blocking form. */
  private Pair connect(String extensions) throws InterruptedException {
    TestFrames client =
        server
            .host()
            .webSocket("/")
            .header("Sec-WebSocket-Extensions", extensions)
            .connect()
            .frames();
    clients.add(client);
    WebSocket socket = opened.poll(10, TimeUnit.SECONDS);
    assertThat(socket).isNotNull();
    return new Pair(client, socket);
  }

  /** Opens the only socket, in either form. */
  private Pair only(Form form, String extensions) throws InterruptedException {
    if (form == Form.BLOCKING) {
      start();
      return connect(extensions);
    }
    TestFrames client = server.listen(new WebSocketListener() {}, extensions);
    return new Pair(client, server.socket());
  }

  private void end(Form form, Pair pair) {
    if (form == Form.LISTENER) {
      pair.client().close();
    }
  }

  private static String json(int items) {
    Random random = new Random(items);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < items; i++) {
      text.append("{\"id\":").append(random.nextInt(100_000)).append(",\"on\":true},");
    }
    return text.toString();
  }

  private static byte[] noise(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  // ---- The value

  @Test
  void whatWasPreparedDoesNotChange() {
    byte[] bytes = {1, 2, 3, 4};
    byte[] whole = {2, 3};
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 1, 2);
    List<PreparedMessage> messages =
        List.of(
            PreparedMessage.of(buffer, MessageType.BINARY),
            PreparedMessage.of(new Message.Binary(buffer)),
            PreparedMessage.binary(whole));
    bytes[1] = 9;
    whole[0] = 9;
    for (PreparedMessage message : messages) {
      assertThat(message.payload().position(1).remaining()).isOne();
      assertThat(message.payload()).isEqualTo(ByteBuffer.wrap(new byte[] {2, 3}));
      assertThat(message.size()).isEqualTo(2);
      assertThat(message.type()).isEqualTo(MessageType.BINARY);
      assertThatThrownBy(() -> message.payload().put((byte) 0))
          .isInstanceOf(ReadOnlyBufferException.class);
    }
    assertThat(PreparedMessage.of(new Message.Text("é")).payload()).isEqualTo(Frame.utf8("é"));
    assertThatThrownBy(() -> PreparedMessage.of(buffer, MessageType.CLOSE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a message cannot be of type CLOSE; use closeOutput");
  }

  // ---- Compressed once

  /** A second compression, or a copy of the payload, would show in the sender's allocations. */
  @ParameterizedTest
  @EnumSource(names = {"TEXT", "BINARY"})
  void furtherSocketsCostNoMemory(MessageType type) throws Exception {
    start();
    byte[] payload = type == MessageType.TEXT ? Frame.utf8(json(100_000)).array() : noise(800_000);
    PreparedMessage message = PreparedMessage.of(ByteBuffer.wrap(payload), type);
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      pairs.add(connect(ALONE));
    }
    pairs.get(0).send(message);
    pairs.get(1).send(message); // classes are loaded
    long before = allocated();
    for (Pair pair : pairs.subList(2, 12)) {
      pair.send(message);
    }
    assertThat(allocated() - before).isLessThan(400_000); // the first one takes 3 to 5 MB
    for (Pair pair : pairs) {
      assertThat(type == MessageType.TEXT).isEqualTo(isCompressed(pair, payload));
    }
  }

  private static boolean isCompressed(Pair pair, byte[] payload) {
    Frame frame = pair.receive();
    assertThat(frame.fin()).isTrue();
    assertThat(frame.bytes()).isEqualTo(payload);
    return frame.compressed();
  }

  private static long allocated() {
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    return threads.getCurrentThreadAllocatedBytes();
  }

  @Test
  void socketsOfAllSettingsCanReadIt() throws Exception {
    start();
    PreparedMessage message = PreparedMessage.text(json(3000));
    List<Pair> pairs = new ArrayList<>();
    for (int bits = 9; bits <= 15; bits++) {
      pairs.add(connect(ALONE + "; server_max_window_bits=" + bits));
      pairs.add(connect(TAKEOVER + "; server_max_window_bits=" + bits));
    }
    for (int i = 0; i < 2; i++) {
      for (Pair pair : pairs) {
        pair.send(message);
      }
      for (Pair pair : pairs) {
        assertThat(pair.receive()).isEqualTo(Frame.text(json(3000)).asCompressed());
      }
    }
    Pair plain = connect("x-none");
    plain.send(message);
    assertThat(plain.receive()).isEqualTo(Frame.text(json(3000)));
  }

  @Test
  void manyThreadsMaySendItToManySockets() throws Exception {
    start();
    PreparedMessage[] messages = new PreparedMessage[50];
    for (int i = 0; i < messages.length; i++) {
      messages[i] = PreparedMessage.text(TEXT + i);
    }
    List<Pair> pairs = List.of(connect(ALONE), connect(TAKEOVER), connect("x-none"));
    List<Background<?>> senders = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      senders.add(
          Background.start(() -> {
            for (PreparedMessage message : messages) {
              for (Pair pair : pairs) {
                pair.send(message);
                pair.socket().sendText("of its own: " + TEXT);
              }
            }
            return null;
          }));
    }
    for (Pair pair : pairs) {
      int[] times = new int[messages.length];
      for (int i = 0; i < 2 * 3 * messages.length; i++) {
        String text = pair.client().receiveText();
        if (text.startsWith(TEXT)) {
          times[Integer.parseInt(text.substring(TEXT.length()))]++;
        } else {
          assertThat(text).isEqualTo("of its own: " + TEXT);
        }
      }
      assertThat(times).containsOnly(3);
    }
    for (Background<?> sender : senders) {
      sender.join();
    }
  }

  /** The second one is too long for a loop to compress at once: the socket does it in slices. */
  @ParameterizedTest
  @ValueSource(strings = {TAKEOVER, ALONE})
  void onTheLoopALongOneIsCompressedToo(String extensions) throws Exception {
    Pair pair = only(Form.LISTENER, extensions);
    for (int items : new int[] {100, 3000, 100}) {
      PreparedMessage message = PreparedMessage.text(json(items));
      server.onLoop(() -> {
        pair.send(message);
        pair.socket().sendText(TEXT);
      });
      StringBuilder text = new StringBuilder();
      Frame frame;
      do {
        frame = pair.receive();
        text.append(frame.text());
      } while (!frame.fin());
      assertThat(text.toString()).isEqualTo(json(items));
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    }
    pair.client().close();
  }

  // ---- Among other messages

  @ParameterizedTest
  @EnumSource
  void aContextThatIsTakenOverGoesOnBehindIt(Form form) throws Exception {
    Pair pair = only(form, TAKEOVER);
    PreparedMessage message = PreparedMessage.text(TEXT + TEXT);
    for (int i = 0; i < 5; i++) {
      pair.socket().sendText(TEXT + i);
      pair.send(message);
      pair.socket().sendText(TEXT);
      pair.socket().sendText(TEXT + i);
    }
    for (int i = 0; i < 5; i++) {
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT + i).asCompressed());
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT + TEXT).asCompressed());
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT + i).asCompressed());
    }
    end(form, pair);
  }

  @Test
  void onTheLoopAContextGoesOnBehindItToo() throws Exception {
    Pair pair = only(Form.LISTENER, TAKEOVER);
    PreparedMessage message = PreparedMessage.text(json(5));
    pair.socket().sendText(TEXT);
    server.onLoop(() -> {
      pair.send(message);
      pair.socket().sendText(TEXT);
    });
    assertThat(pair.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    assertThat(pair.receive()).isEqualTo(Frame.text(json(5)).asCompressed());
    assertThat(pair.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    pair.client().close();
  }

  @ParameterizedTest
  @EnumSource
  void itWaitsForTheEndOfAnotherSendersMessage(Form form) throws Exception {
    Pair pair = only(form, TAKEOVER);
    PreparedMessage message = PreparedMessage.text(json(5));
    var writer = pair.socket().startMessage(MessageType.TEXT);
    writer.write(TEXT);
    var sending = Background.start(() -> pair.send(message));
    if (form == Form.BLOCKING) {
      sending.awaitBlocked();
    } else {
      sending.join();
    }
    writer.write(TEXT);
    writer.finish();
    sending.join();
    pair.socket().sendText(TEXT);
    assertThat(pair.client().receiveText()).isEqualTo(TEXT + TEXT);
    assertThat(pair.receive()).isEqualTo(Frame.text(json(5)).asCompressed());
    assertThat(pair.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
    end(form, pair);
  }

  @ParameterizedTest
  @EnumSource
  void itIsNoPieceOfAnotherMessage(Form form) throws Exception {
    Pair pair = only(form, TAKEOVER);
    pair.socket().send(Frame.utf8("Hel"), MessageType.TEXT, false);
    assertThatThrownBy(() -> pair.send(PreparedMessage.text(TEXT)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a message of this sender is under way; it must end first");
    pair.socket().send(Frame.utf8("lo"), MessageType.TEXT, true);
    assertThat(pair.client().receiveText()).isEqualTo("Hello");
    end(form, pair);
  }

  // ---- Plain

  @Nested
  class ItGoesOutPlain {
    @ParameterizedTest
    @EnumSource
    void withoutCompression(Form form) throws Exception {
      Pair pair = only(form, "x-none");
      pair.send(PreparedMessage.text(TEXT));
      pair.send(PreparedMessage.binary(noise(70_000)));
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT));
      assertThat(pair.receive()).isEqualTo(Frame.binary(noise(70_000)));
      end(form, pair);
    }

    @ParameterizedTest
    @EnumSource
    void belowTheThreshold(Form form) throws Exception {
      server.settings(settings -> settings.compressionThreshold(40));
      Pair pair = only(form, ALONE);
      pair.send(PreparedMessage.text("a".repeat(39)));
      pair.send(PreparedMessage.text("a".repeat(40)));
      pair.send(PreparedMessage.text(""));
      assertThat(pair.receive()).isEqualTo(Frame.text("a".repeat(39)));
      assertThat(pair.receive()).isEqualTo(Frame.text("a".repeat(40)).asCompressed());
      assertThat(pair.receive()).isEqualTo(Frame.text(""));
      end(form, pair);
    }

    @ParameterizedTest
    @EnumSource
    void ifItsSenderSaysSo(Form form) throws Exception {
      Pair pair = only(form, ALONE);
      PreparedMessage message = PreparedMessage.text(TEXT + TEXT);
      pair.send(message);
      pair.send(message, SendFlag.DISABLE_COMPRESSION);
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT + TEXT).asCompressed());
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT + TEXT));
      end(form, pair);
    }

    @ParameterizedTest
    @EnumSource
    void ifItDoesNotShrink(Form form) throws Exception {
      Pair pair = only(form, TAKEOVER);
      pair.send(PreparedMessage.binary(noise(5000)));
      pair.socket().sendText(TEXT);
      assertThat(pair.receive()).isEqualTo(Frame.binary(noise(5000)));
      assertThat(pair.receive()).isEqualTo(Frame.text(TEXT).asCompressed());
      end(form, pair);
    }
  }

  // ---- Bounds

  @ParameterizedTest
  @EnumSource
  void aSlowPeerGetsItAllTheSame(Form form) throws Exception {
    server.options(options -> options.limits(limits -> limits.sendQueue(100_000, 50_000)));
    Pair pair = only(form, "x-none");
    pair.client().stopTaking();
    PreparedMessage message = PreparedMessage.binary(noise(90_000));
    var sending =
        Background.start(() -> {
          pair.send(message);
          return pair.send(message);
        });
    if (form == Form.BLOCKING) {
      sending.awaitBlocked();
      assertThat(pair.socket().bufferedAmount()).isLessThanOrEqualTo(100_000);
    } else {
      sending.join();
      assertThatThrownBy(() -> pair.send(message))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("over its high mark of 100000");
    }
    pair.client().takeAll();
    sending.join();
    for (int i = 0; i < 2; i++) {
      assertThat(pair.client().receiveBinary()).isEqualTo(noise(90_000));
    }
    end(form, pair);
  }

  @Test
  void itCountsAsWhatItWasBeforeItWasCompressed() throws Exception {
    Pair pair = only(Form.BLOCKING, ALONE);
    pair.send(PreparedMessage.text(TEXT));
    assertThat(pair.receive().opcode()).isEqualTo(Opcode.TEXT);
    assertThat(server.events()).contains("sent TEXT " + TEXT.length());
  }

  @Test
  void withoutMemoryForItItGoesOutPlain() throws Exception {
    server.options(options -> options.limits(limits -> limits.compressionMemory(400_000)));
    start();
    Pair first = connect(ALONE);
    Pair second = connect(ALONE);
    first.socket().send(Frame.utf8(TEXT), MessageType.TEXT, false); // holds what there is
    assertThat(first.receive().compressed()).isTrue();
    second.send(PreparedMessage.text(TEXT));
    assertThat(second.receive()).isEqualTo(Frame.text(TEXT));
    first.socket().send(Frame.utf8(TEXT), MessageType.TEXT, true);
    assertThat(first.receive().compressed()).isTrue();
    second.send(PreparedMessage.text(TEXT + TEXT));
    assertThat(second.receive()).isEqualTo(Frame.text(TEXT + TEXT).asCompressed());
  }
}
