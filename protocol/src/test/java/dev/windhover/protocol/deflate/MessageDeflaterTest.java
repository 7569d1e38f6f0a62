package dev.windhover.protocol.deflate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.protocol.Frames;
import dev.windhover.protocol.Hex;
import dev.windhover.protocol.deflate.MessageDeflater.End;
import dev.windhover.protocol.spi.DeflateStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageDeflaterTest {
  private static MessageDeflater deflater(int windowBits, int level, boolean takeover) {
    return new MessageDeflater(
        StreamSource.deflating(DeflateCodecs.jdk(), windowBits, level), takeover);
  }

  private static MessageDeflater plain() {
    return deflater(15, DeflateCodecs.DEFAULT_LEVEL, true);
  }

  /** Returns what comes out when {@code out} has the given room each time. */
  private static byte[] deflate(MessageDeflater deflater, ByteBuffer in, End end, int room) {
    var all = new ByteArrayOutputStream();
    ByteBuffer out = ByteBuffer.allocate(room);
    boolean done;
    do {
      done = deflater.deflate(in, out, end);
      all.write(out.array(), 0, out.position());
      out.clear();
    } while (!done);
    return all.toByteArray();
  }

  private static byte[] deflate(MessageDeflater deflater, byte... message) {
    return deflate(deflater, ByteBuffer.wrap(message), End.MESSAGE, 4096);
  }

  private static String hex(MessageDeflater deflater, String message) {
    return Hex.of(deflate(deflater, Frames.utf8(message)));
  }

  @Nested
  class ExamplesOfRfc7692 {
    @Test
    void oneBlock() { // 7.2.3.1
      assertThat(hex(plain(), "Hello")).isEqualTo("f248cdc9c90700");
    }

    @Test
    void sharingTheWindow() { // 7.2.3.2
      MessageDeflater deflater = plain();
      hex(deflater, "Hello");
      assertThat(hex(deflater, "Hello")).isEqualTo("f200110000");
    }

    @Test
    void withoutContextTakeover() { // 7.2.3.2
      MessageDeflater deflater = deflater(15, 6, false);
      hex(deflater, "Hello");
      assertThat(hex(deflater, "Hello")).isEqualTo("f248cdc9c90700");
    }

    @Test
    void storedBlock() { // 7.2.3.3
      assertThat(hex(deflater(15, 0, true), "Hello")).isEqualTo("000500faff48656c6c6f00");
    }

    @Test
    void emptyMessage() { // 7.2.3.6
      MessageDeflater deflater = plain();
      assertThat(hex(deflater, "")).isEqualTo("00");
      hex(deflater, "Hello");
      assertThat(hex(deflater, "")).isEqualTo("00");
    }
  }

  @Nested
  class Fragments {
    @Test
    void comeOutWholeAndOnlyTheLastIsStripped() {
      MessageDeflater deflater = plain();
      assertThat(Hex.of(deflate(deflater, Hex.buffer("48 65"), End.FRAGMENT, 100)))
          .endsWith("0000ffff");
      assertThat(Hex.of(deflate(deflater, Hex.buffer("6c 6c 6f"), End.MESSAGE, 100)))
          .doesNotEndWith("ffff");
    }

    @Test
    void mayBeEmpty() {
      MessageDeflater deflater = plain();
      ByteBuffer empty = ByteBuffer.allocate(0);
      byte[] payload =
          Frames.join(
              deflate(deflater, empty, End.FRAGMENT, 100),
              deflate(deflater, Hex.buffer("48 65"), End.FRAGMENT, 100),
              deflate(deflater, empty, End.FRAGMENT, 100),
              deflate(deflater, empty, End.MESSAGE, 100));
      assertThat(Hex.of(new ReferenceInflater(15, true).message(payload))).isEqualTo("4865");
      assertThat(Hex.of(payload)).endsWith("0000ffff" + "00");
    }
  }

  @Nested
  class Windows {
    /** The kinds of data: no matches, some, everything, and a distance a little over the window. */
    private static List<byte[]> messages(int windowBits) {
      Random random = new Random(windowBits);
      byte[] noise = new byte[700];
      random.nextBytes(noise);
      StringBuilder text = new StringBuilder();
      while (text.length() < (5 << windowBits) / 2) {
        text.append("{\"id\":").append(random.nextInt(1000)).append(",\"name\":\"n");
        text.append(Integer.toString(random.nextInt(), 36)).append("\",\"on\":true},");
      }
      byte[] far = new byte[(1 << windowBits) + 40];
      random.nextBytes(far);
      return List.of(
          new byte[0],
          noise,
          Arrays.copyOf(text.toString().getBytes(StandardCharsets.UTF_8), 300),
          text.toString().getBytes(StandardCharsets.UTF_8),
          new byte[3 << windowBits],
          Frames.join(far, far),
          "the end".getBytes(StandardCharsets.UTF_8),
          Frames.pattern(1 << windowBits));
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 10, 11, 12, 13, 14, 15})
    void arePeersOfExactlyThatSizeEnough(int windowBits) {
      List<byte[]> messages = messages(windowBits);
      for (int level : new int[] {0, 1, 3, 6, 9}) {
        for (boolean takeover : new boolean[] {true, false}) {
          for (int fragment : new int[] {Integer.MAX_VALUE, 1 << windowBits, 333}) {
            MessageDeflater deflater = deflater(windowBits, level, takeover);
            ReferenceInflater peer = new ReferenceInflater(windowBits, takeover);
            for (byte[] message : messages) {
              byte[] wire = fragments(deflater, message, fragment);
              assertThat(peer.message(wire))
                  .as("bits %d, level %d, takeover %s", windowBits, level, takeover)
                  .isEqualTo(message);
            }
            deflater.close();
          }
        }
      }
    }

    /** Cuts a message in pieces, each second of which ends a fragment; the rooms differ too. */
    private static byte[] fragments(MessageDeflater deflater, byte[] message, int size) {
      var wire = new ByteArrayOutputStream();
      ByteBuffer in = ByteBuffer.wrap(message);
      int limit = message.length;
      for (int i = 0; limit - in.position() > size; i++) {
        in.limit(in.position() + size);
        wire.writeBytes(deflate(deflater, in, i % 2 == 0 ? End.NONE : End.FRAGMENT, 16 + i % 50));
      }
      wire.writeBytes(deflate(deflater, in.limit(limit), End.MESSAGE, 100));
      return wire.toByteArray();
    }

    /** At the end, no output is pending unless it was held back for that. */
    @ParameterizedTest
    @ValueSource(ints = {1, 300, 511, 512, 513, 1024})
    void mayBeFilledBeforeAnEmptyEnd(int size) {
      MessageDeflater deflater = deflater(9, 6, true);
      byte[] wire =
          Frames.join(
              deflate(deflater, ByteBuffer.allocate(size), End.NONE, 100),
              deflate(deflater, ByteBuffer.allocate(0), End.MESSAGE, 100));
      assertThat(new ReferenceInflater(9, true).message(wire)).isEqualTo(new byte[size]);
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 12, 14, 15})
    void areUsed(int windowBits) {
      byte[] text = messages(windowBits).get(3);
      MessageDeflater deflater = deflater(windowBits, 6, true);
      ReferenceInflater peer = new ReferenceInflater(windowBits, true);
      peer.message(deflate(deflater, text));
      assertThat(peer.longestDistance()).isGreaterThan(1 << (windowBits - 1));
    }

    @Test
    void areSharedByMessagesThatFitIntoThem() {
      MessageDeflater deflater = deflater(9, 6, true);
      byte[] message = Frames.utf8("a message that is not very long, but says it twice");
      int first = deflate(deflater, message).length;
      assertThat(deflate(deflater, message)).hasSizeLessThan(first / 4);
    }
  }

  @ParameterizedTest
  @CsvSource({"15,6", "9,1"})
  void anyRoomDoesFrom16BytesOn(int windowBits, int level) {
    requireThatAnyRoomDoes(windowBits, level);
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource({"15,0", "9,6"})
  void anyRoomDoesAtOtherLevels(int windowBits, int level) {
    requireThatAnyRoomDoes(windowBits, level);
  }

  private static void requireThatAnyRoomDoes(int windowBits, int level) {
    byte[] message = Frames.join(new byte[300], Frames.pattern(1024), Frames.utf8("ends here"));
    for (int room = MessageDeflater.LEAST_ROOM; room < 150; room++) {
      MessageDeflater deflater = deflater(windowBits, level, true);
      ReferenceInflater peer = new ReferenceInflater(windowBits, true);
      for (int size = message.length - 80; size <= message.length; size++) {
        ByteBuffer in = ByteBuffer.wrap(message, 0, size);
        assertThat(peer.message(deflate(deflater, in, End.MESSAGE, room)))
            .isEqualTo(Arrays.copyOf(message, size));
      }
      deflater.close();
    }
  }

  @Test
  void lessRoomCountsAsNone() {
    ByteBuffer in = Hex.buffer("48");
    assertThat(plain().deflate(in, ByteBuffer.allocate(15), End.MESSAGE)).isFalse();
    assertThat(in.remaining()).isEqualTo(1);
  }

  @Test
  void directBuffersDoAsWell() {
    byte[] message = Frames.pattern(5000);
    ByteBuffer in = ByteBuffer.allocateDirect(5000).put(message).flip();
    ByteBuffer out = ByteBuffer.allocateDirect(6000);
    assertThat(plain().apply(in.asReadOnlyBuffer(), out, true)).isTrue();
    byte[] wire = new byte[out.flip().remaining()];
    out.get(wire);
    assertThat(new ReferenceInflater(15, true).message(wire)).isEqualTo(message);
  }

  /** Lends one stream, and counts. */
  private static final class OneStream implements StreamSource<DeflateStream> {
    final List<Boolean> given = new ArrayList<>();
    @Nullable DeflateStream stream = DeflateCodecs.jdk().deflate(15, 6);

    @Override
    public @Nullable DeflateStream take() {
      DeflateStream taken = stream;
      stream = null;
      return taken;
    }

    @Override
    public void give(DeflateStream returned, boolean reusable) {
      given.add(reusable);
      stream = returned;
    }
  }

  @Nested
  class Streams {
    private final OneStream source = new OneStream();

    @Test
    void areHeldDuringAMessageOnlyWithoutTakeover() {
      MessageDeflater deflater = new MessageDeflater(source, false);
      assertThat(deflater.holdsStream()).isFalse();
      deflate(deflater, Hex.buffer("48"), End.FRAGMENT, 100);
      assertThat(deflater.holdsStream()).isTrue();
      deflate(deflater, Hex.buffer("48"), End.MESSAGE, 100);
      assertThat(deflater.holdsStream()).isFalse();
      assertThat(source.given).containsExactly(true);
    }

    @Test
    void areKeptWithTakeoverUntilTheDeflaterRests() {
      MessageDeflater deflater = new MessageDeflater(source, true);
      hex(deflater, "Hello");
      assertThat(deflater.holdsStream()).isTrue();
      deflater.rest();
      assertThat(deflater.holdsStream()).isFalse();
      assertThat(hex(deflater, "Hello")).isEqualTo("f248cdc9c90700");
    }

    @Test
    void doNotRestInsideAMessage() {
      MessageDeflater deflater = new MessageDeflater(source, true);
      deflate(deflater, Hex.buffer("48"), End.NONE, 100);
      deflater.rest();
      assertThat(deflater.holdsStream()).isTrue();
    }

    @Test
    void areGivenBackOnceWhenTheConnectionEndsInsideAMessage() {
      MessageDeflater deflater = new MessageDeflater(source, true);
      deflate(deflater, Hex.buffer("48"), End.NONE, 100);
      deflater.close();
      deflater.close();
      assertThat(source.given).containsExactly(true);
    }

    @Test
    void carryNothingToTheNextConnection() {
      MessageDeflater cut = new MessageDeflater(source, true);
      deflate(cut, ByteBuffer.wrap(Frames.utf8("Hello")), End.NONE, 100);
      cut.close();
      assertThat(hex(new MessageDeflater(source, true), "Hello")).isEqualTo("f248cdc9c90700");
    }

    @Test
    void mayBeMissingAndThenTheMessageGoesOutPlain() {
      source.take();
      MessageDeflater deflater = new MessageDeflater(source, true);
      assertThat(deflater.begin()).isFalse();
      assertThatIllegalStateException()
          .isThrownBy(() -> hex(deflater, "Hello"))
          .withMessage("no compression context is available");
    }

    @Test
    void areBegunOnceAMessage() {
      MessageDeflater deflater = new MessageDeflater(source, true);
      assertThat(deflater.begin()).isTrue();
      assertThatIllegalStateException()
          .isThrownBy(deflater::begin)
          .withMessage("the previous message has not ended");
    }

    @Test
    void thatFailAreNotUsedAgain() {
      MessageDeflater deflater = new MessageDeflater(source, true);
      ByteBuffer readOnly = ByteBuffer.allocate(100).asReadOnlyBuffer();
      try {
        deflater.deflate(Hex.buffer("48"), readOnly, End.MESSAGE);
      } catch (RuntimeException e) {
        assertThat(source.given).containsExactly(false);
      }
      assertThat(source.given).hasSize(1);
    }
  }
}
