package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Opcode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Sockets of one loop take turns: none holds it for longer than a slice of its work. All tests stop
 * the loop, queue work for it, and let it go, so that the order in which it does that is known.
 */
class TurnsTest {
  private static final String OFFER = "permessage-deflate; client_max_window_bits";
  private static final int BIG = (System.getProperty("full") == null ? 8 : 32) << 20;

  /** After so many turns of the loop, another socket asks for its own. */
  private static final int TURNS = 10;

  /** What a socket may have sent by then: a slice of 16 KiB in each turn, and in the next ones. */
  private static final long SLICES = (TURNS + 2) * 16 * 1024;

  private static final byte[] INCOMPRESSIBLE = new byte[BIG];

  static {
    new SplittableRandom(14).nextBytes(INCOMPRESSIBLE);
  }

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private final CountDownLatch stopped = new CountDownLatch(1);

  /** What {@link #look} has seen, once the loop had done what was queued before it. */
  private final AtomicLong seen = new AtomicLong(-1);

  private void stopLoop() {
    server
        .host()
        .loop()
        .execute(() -> {
          try {
            stopped.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        });
  }

  /** Runs {@code task} on the loop when it has been through its queue so often. */
  private void afterTurns(int turns, Runnable task) {
    server.host().loop().execute(turns == 0 ? task : () -> afterTurns(turns - 1, task));
  }

  private void look(LongSupplier looked) {
    server.host().loop().execute(() -> seen.set(looked.getAsLong()));
  }

  /** Returns how much has come so far, of the last 1,000 frames. */
  private static long came(TestFrames client) {
    return client.wire().received().stream().mapToLong(frame -> frame.payload().remaining()).sum();
  }

  private TestFrames compressing(Form form) {
    server.settings(settings -> settings.dangerousEnableCompression(true));
    return switch (form) {
      case BLOCKING -> server.hold(OFFER);
      case LISTENER -> server.listen(new WebSocketListener() {}, OFFER);
    };
  }

  /** Another thread sends a big message; the loop has not seen it yet. */
  private Background<Boolean> sendBig(Form form, byte[] message) throws Exception {
    WebSocket socket = server.socket();
    var sending = Background.start(() -> socket.sendBinary(message));
    if (form == Form.BLOCKING) {
      return sending.awaitBlocked();
    }
    sending.join();
    return sending;
  }

  private static byte[] receiveBig(TestFrames client, Frame frame) {
    var message = new ByteArrayOutputStream(BIG);
    Frame piece = frame;
    while (true) {
      message.writeBytes(piece.bytes());
      if (piece.fin()) {
        return message.toByteArray();
      }
      piece = client.receive();
    }
  }

  /** The first bug of issue 14: this took as long as the compression of 32 MiB. */
  @ParameterizedTest
  @CsvSource({
    "BLOCKING, 1048576, 262144",
    "LISTENER, 1048576, 262144",
    "BLOCKING, 1024, 512",
    "LISTENER, 1024, 512"
  })
  void anotherSocketIsAnsweredWhileABigMessageIsCompressed(Form form, int high, int low)
      throws Exception {
    server.options(o -> o.limits(l -> l.sendQueue(high, low)));
    TestFrames client = compressing(form);
    TestFrames other = server.host().webSocket("/").connect().frames();
    byte[] big = high > 1024 ? INCOMPRESSIBLE : Arrays.copyOf(INCOMPRESSIBLE, 1 << 20);
    stopLoop();
    var sending = sendBig(form, big);
    afterTurns(
        TURNS,
        () -> {
          other.sendPing("other");
          look(() -> came(client));
        });
    stopped.countDown();
    other.expect(Frame.pong("other"));
    assertThat(receiveBig(client, client.receive())).isEqualTo(big);
    sending.join();
    server.host().awaitIdle();
    assertThat(seen.get()).as("bytes before the answer").isBetween(0L, SLICES);
    server.host().allowLeftOvers();
    client.reset();
    other.reset();
  }

  /** The same, where the listener itself sends. */
  @Test
  void anotherSocketIsAnsweredWhileAListenersMessageIsCompressed() throws Exception {
    server.settings(settings -> settings.dangerousEnableCompression(true));
    TestFrames client =
        server.listen(
            new WebSocketListener() {
              @Override
              public void onText(WebSocket socket, String text) throws Exception {
                socket.sendBinary(INCOMPRESSIBLE);
              }
            },
            OFFER);
    TestFrames other = server.host().webSocket("/").connect().frames();
    stopLoop();
    client.sendText("go");
    afterTurns(
        TURNS,
        () -> {
          other.sendPing("other");
          look(() -> came(client));
        });
    stopped.countDown();
    other.expect(Frame.pong("other"));
    assertThat(receiveBig(client, client.receive())).isEqualTo(INCOMPRESSIBLE);
    server.host().awaitIdle();
    assertThat(seen.get()).as("bytes before the answer").isBetween(0L, SLICES);
    client.close();
    other.close();
  }

  @ParameterizedTest
  @EnumSource
  void aPingOfTheSameSocketIsAnsweredBetweenTheFrames(Form form) throws Exception {
    TestFrames client = compressing(form);
    stopLoop();
    var sending = sendBig(form, INCOMPRESSIBLE);
    client.sendPing("same");
    stopped.countDown();
    long before = 0;
    Frame frame = client.receive();
    var message = new ByteArrayOutputStream(BIG);
    while (!frame.equals(Frame.pong("same"))) {
      assertThat(frame.fin()).as("the end of the message, before the answer").isFalse();
      message.writeBytes(frame.bytes());
      before += frame.payload().remaining();
      frame = client.receive();
    }
    assertThat(before).as("bytes before the answer").isLessThan(SLICES);
    message.writeBytes(receiveBig(client, client.receive()));
    assertThat(message.toByteArray()).isEqualTo(INCOMPRESSIBLE);
    sending.join();
    server.release();
    if (form == Form.BLOCKING) {
      client.answerClose();
    } else {
      client.close();
    }
  }

  /** Little on the wire, much work: it is a slice of what comes out that counts. */
  @ParameterizedTest
  @EnumSource
  void tinyMessagesThatInflateToMuchLeaveOthersTheirTurn(Form form) throws Exception {
    server.settings(settings -> settings.dangerousEnableCompression(true));
    TestFrames client =
        switch (form) {
          case BLOCKING ->
              server.open(
                  socket -> {
                    while (socket.receiveMessage() != null) {
                      // taken
                    }
                  },
                  OFFER);
          case LISTENER ->
              server.listen(
                  new WebSocketListener() {
                    @Override
                    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) {}
                  },
                  OFFER);
        };
    TestFrames other = server.host().webSocket("/").connect().frames();
    ByteBuffer[] messages = new ByteBuffer[50];
    for (int i = 0; i < messages.length; i++) {
      ByteBuffer coded = client.compress(ByteBuffer.allocate(1 << 20));
      assertThat(coded.remaining()).isLessThan(2_000);
      messages[i] = client.frame(Opcode.BINARY, true, Extension.RSV1, coded);
    }
    stopLoop();
    client.send(messages); // one read
    other.sendPing("other");
    look(() -> received());
    stopped.countDown();
    other.expect(Frame.pong("other"));
    server.host().awaitIdle();
    assertThat(seen.get()).as("messages read before the answer").isBetween(0L, 2L);
    assertThat(received()).isEqualTo(messages.length);
    client.close();
    other.close();
    assertThat(client.uncredited()).isZero();
  }

  private long received() {
    return server.events().stream().filter(line -> line.equals("received BINARY 1048576")).count();
  }
}
