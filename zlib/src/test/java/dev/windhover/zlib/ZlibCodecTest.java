package dev.windhover.zlib;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageDeflater.End;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same zlib inflates with exactly the window that was agreed, as a peer would. */
class ZlibCodecTest {
  private static final DeflateCodec JDK = DeflateCodecs.jdk();

  private final DeflateCodec codec = DeflateCodecs.best(DeflateCodecs.DEFAULT_MEMORY_LEVEL);

  @BeforeEach
  void aZlibIsHere() {
    assumeThat(codec).isNotSameAs(JDK);
  }

  private static MessageDeflater deflater(DeflateCodec codec, int bits, int level, boolean taken) {
    return new MessageDeflater(StreamSource.deflating(codec, bits, level), taken);
  }

  private static MessageInflater inflater(DeflateCodec codec, int bits, boolean takeover) {
    return new MessageInflater(StreamSource.inflating(codec, bits), takeover);
  }

  private static byte[] through(Extension.Transform transform, byte[] message, int room)
      throws PayloadException {
    return through(transform, ByteBuffer.wrap(message), ByteBuffer.allocate(room), true);
  }

  private static byte[] through(
      Extension.Transform transform, ByteBuffer in, ByteBuffer out, boolean end)
      throws PayloadException {
    var all = new ByteArrayOutputStream();
    boolean done;
    do {
      done = transform.apply(in, out, end);
      byte[] piece = new byte[out.flip().remaining()];
      out.get(piece).clear();
      all.writeBytes(piece);
    } while (!done);
    return all.toByteArray();
  }

  private static byte[] hex(String bytes) {
    return HexFormat.of().parseHex(bytes.replace(" ", ""));
  }

  private static byte[] noise(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static byte[] text(int length) {
    Random random = new Random(1);
    StringBuilder text = new StringBuilder();
    while (text.length() < length) {
      text.append("{\"id\":").append(random.nextInt(1000)).append(",\"on\":true},");
    }
    return Arrays.copyOf(text.toString().getBytes(UTF_8), length);
  }

  private static byte[] twice(byte[] bytes) {
    byte[] both = Arrays.copyOf(bytes, 2 * bytes.length);
    System.arraycopy(bytes, 0, both, bytes.length, bytes.length);
    return both;
  }

  @Nested
  class Windows {
    @ParameterizedTest
    @CsvSource({"9,8", "9,1", "10,9", "11,8", "12,4"})
    void arePeersOfExactlyThatSizeEnough(int bits, int memoryLevel) throws PayloadException {
      requirePeerOfThatSize(bits, memoryLevel);
    }

    @Tag("full")
    @ParameterizedTest
    @CsvSource({"13,8", "14,8", "15,8", "15,9"})
    void arePeersOfExactlyThatLargeSizeEnough(int bits, int memoryLevel) throws PayloadException {
      requirePeerOfThatSize(bits, memoryLevel);
    }

    private void requirePeerOfThatSize(int bits, int memoryLevel) throws PayloadException {
      DeflateCodec of = DeflateCodecs.best(memoryLevel);
      List<byte[]> messages =
          List.of(
              new byte[0],
              noise(700),
              text(300),
              text(5 << (bits - 1)),
              new byte[3 << bits],
              twice(noise((1 << bits) + 40)),
              text(40_000),
              "the end".getBytes(UTF_8));
      for (int level : new int[] {0, 1, 3, 6, 9}) {
        for (boolean takeover : new boolean[] {true, false}) {
          MessageDeflater deflater = deflater(of, bits, level, takeover);
          MessageInflater exact = inflater(of, bits, takeover);
          MessageInflater jdk = inflater(JDK, bits, takeover);
          for (byte[] message : messages) {
            byte[] wire = through(deflater, message, 100);
            assertThat(through(exact, wire, 1)).isEqualTo(message);
            assertThat(through(jdk, wire, 1000)).isEqualTo(message);
          }
          deflater.close();
          exact.close();
          jdk.close();
        }
      }
    }

    /** A byte at a time zlib refuses what refers beyond its window, so it can be a witness. */
    @ParameterizedTest
    @ValueSource(ints = {9, 12, 14})
    void areNotExceededUnnoticed(int bits) throws PayloadException {
      byte[] wire = through(deflater(codec, 15, 6, true), twice(noise((1 << bits) + 1)), 70_000);
      assertThatThrownBy(() -> through(inflater(codec, bits, true), wire, 1))
          .isInstanceOf(PayloadException.class);
    }

    /** What the JDK's history, cut in our own way, comes to by the same witness. */
    @ParameterizedTest
    @ValueSource(ints = {9, 10, 11, 12, 13, 14, 15})
    void ofTheJdksCodecAreEnoughForThisOne(int bits) throws PayloadException {
      MessageDeflater deflater = deflater(JDK, bits, 6, true);
      MessageInflater exact = inflater(codec, bits, true);
      for (int i = 0; i < 10; i++) {
        byte[] message = twice(text((1 << bits) + 100 * i));
        assertThat(through(exact, through(deflater, message, 100), 1)).isEqualTo(message);
      }
    }
  }

  @Nested
  class Buffers {
    @ParameterizedTest
    @CsvSource({"false,false", "true,false", "false,true", "true,true"})
    void ofEitherKindDo(boolean directIn, boolean directOut) throws PayloadException {
      for (int size : new int[] {1, 5000, 16_384, 40_000, 200_000}) {
        byte[] message = twice(noise(size));
        for (int room : new int[] {16, 1000, 16_384, 500_000}) {
          MessageDeflater deflater = deflater(codec, 15, 1, true);
          MessageInflater inflater = inflater(codec, 15, true);
          byte[] wire = through(deflater, buffer(message, directIn), room(room, directOut), true);
          assertThat(through(inflater, buffer(wire, directIn), room(room, directOut), true))
              .isEqualTo(message);
          deflater.close();
          inflater.close();
        }
      }
    }

    /** With its bytes between others, and no way to write to it. */
    private static ByteBuffer buffer(byte[] bytes, boolean direct) {
      return room(bytes.length + 9, direct)
          .put(3, bytes)
          .limit(3 + bytes.length)
          .position(3)
          .asReadOnlyBuffer();
    }

    private static ByteBuffer room(int size, boolean direct) {
      return direct ? ByteBuffer.allocateDirect(size) : ByteBuffer.allocate(size);
    }
  }

  @Nested
  class Messages {
    @Test
    void areThoseOfRfc7692() throws PayloadException { // 7.2.3
      MessageDeflater deflater = deflater(codec, 15, 6, true);
      MessageInflater inflater = inflater(codec, 15, true);
      for (String wire : List.of("f248cdc9c90700", "f200110000")) {
        assertThat(through(deflater, "Hello".getBytes(UTF_8), 100)).isEqualTo(hex(wire));
        assertThat(through(inflater, hex(wire), 100)).isEqualTo("Hello".getBytes(UTF_8));
      }
      assertThat(through(deflater, new byte[0], 100)).isEqualTo(hex("00"));
      assertThat(through(inflater, hex("00"), 100)).isEmpty();
    }

    @Test
    void mayHaveFragments() throws PayloadException {
      MessageDeflater deflater = deflater(codec, 9, 6, true);
      ByteBuffer out = ByteBuffer.allocate(1000);
      assertThat(deflater.deflate(ByteBuffer.wrap(text(50)), out, End.FRAGMENT)).isTrue();
      assertThat(deflater.deflate(ByteBuffer.wrap(text(50)), out, End.NONE)).isTrue();
      assertThat(deflater.deflate(ByteBuffer.allocate(0), out, End.MESSAGE)).isTrue();
      assertThat(through(inflater(codec, 9, true), out.flip(), ByteBuffer.allocate(9), true))
          .isEqualTo(twice(text(50)));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "f3 48 cd c9 c9 07 00  f2 00 11 00 00", // refers to what is before it
          "f3 48 cd c9 c9 07 00  f3 48 cd c9 c9 07 00  00",
          "f3 48 cd c9 c9 07 00  f3 00 11 00  01",
        })
    void areNotEndedByBlocksWithBfinal(String wire) throws PayloadException {
      MessageInflater inflater = inflater(codec, 15, true);
      assertThat(through(inflater, hex(wire), 3)).isEqualTo("HelloHello".getBytes(UTF_8));
      assertThat(through(inflater, hex("f2 00 11 00 00"), 100)).isEqualTo("Hello".getBytes(UTF_8));
    }

    @Test
    void goOnFromTheWindowOfAStreamThatRests() throws PayloadException {
      MessageInflater inflater = inflater(codec, 9, true);
      MessageDeflater deflater = deflater(codec, 9, 6, true);
      for (int size = 1; size < 3000; size = 2 * size + 3) {
        byte[] message = text(size);
        assertThat(through(inflater, through(deflater, message, 5000), 5000)).isEqualTo(message);
        inflater.rest();
      }
    }

    @Test
    void thatAreCorruptBehindWhatFillsTheRoomAreRefusedAfterIt() throws PayloadException {
      MessageInflater inflater = inflater(codec, 15, true);
      ByteBuffer wire = ByteBuffer.wrap(hex("00 05 00 fa ff 48 65 6c 6c 6f 06"));
      ByteBuffer out = ByteBuffer.allocate(5);
      assertThat(inflater.apply(wire, out, true)).isFalse();
      assertThat(out.hasRemaining()).isFalse();
      assertThatThrownBy(() -> inflater.apply(wire, ByteBuffer.allocate(5), true))
          .hasMessage("compressed data is corrupt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"06", "00 05 00 fa fe 48", "f2 00 11 00 00", "fc ff ff ff"})
    void thatAreCorruptAreRefused(String wire) {
      assertThatThrownBy(() -> through(inflater(codec, 15, true), hex(wire), 100))
          .isInstanceOf(PayloadException.class)
          .hasMessage("compressed data is corrupt");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "00 05 00 fa ff 48 65",
          "00 05",
          "f2 48 cd c9",
          "f2 48 cd c9 c9 07",
          "f3 48 cd c9 c9 07 00",
          "f2 48 cd c9 c9 07 00 00 00 ff ff",
        })
    void thatEndInsideABlockAreRefused(String wire) {
      assertThatThrownBy(() -> through(inflater(codec, 15, true), hex(wire), 100))
          .isInstanceOf(PayloadException.class)
          .hasMessage("compressed message ends inside a block");
    }

    /** Without takeover the rest of a stream means nothing to the next message. */
    @Test
    void thatAreRefusedSpoilNothing() throws PayloadException {
      InflateStream stream = codec.inflate(15);
      assertThatThrownBy(() -> stream.inflate(ByteBuffer.wrap(hex("06")), ByteBuffer.allocate(9)))
          .isInstanceOf(PayloadException.class);
      stream.reset();
      ByteBuffer out = ByteBuffer.allocate(9);
      stream.inflate(ByteBuffer.wrap(hex("f248cdc9c90700")), out);
      stream.endMessage();
      assertThat(out.position()).isEqualTo(5);
      stream.end();
    }

    @Test
    void comeOutNoFasterThanTheyAreTaken() throws PayloadException {
      byte[] bomb = through(deflater(codec, 15, 9, true), new byte[1 << 26], 1 << 16);
      ByteBuffer in = ByteBuffer.wrap(bomb);
      ByteBuffer out = ByteBuffer.allocate(8192);
      MessageInflater inflater = inflater(codec, 15, true);
      for (int taken = 0; taken < 1 << 20; taken += out.capacity()) {
        assertThat(inflater.apply(in, out.clear(), true)).isFalse();
      }
      assertThat(in.position()).isLessThan(4096);
    }
  }

  @Nested
  class TheJvm {
    @ParameterizedTest
    @CsvSource({
      "15,8,deflate",
      "9,8,deflate",
      "9,4,deflate",
      "12,1,deflate",
      "15,8,inflate",
      "9,8,inflate"
    })
    @EnabledOnOs(OS.LINUX)
    @Tag("full")
    void givesAContextNoMoreMemoryThanItIsCountedFor(int bits, int memoryLevel, String direction)
        throws IOException {
      DeflateCodec of = DeflateCodecs.best(memoryLevel);
      int stated = direction.equals("deflate") ? of.deflateBytes(bits) : of.inflateBytes(bits);
      String measured =
          outputOf(
              List.of(
                  "--enable-native-access=ALL-UNNAMED",
                  "-Xint", // a JIT compiler's memory would count too
                  "-XX:+UseSerialGC",
                  "-Xms64m",
                  "-Xmx64m",
                  "-XX:+AlwaysPreTouch"),
              "ContextMemory",
              "" + bits,
              "" + memoryLevel,
              direction);
      assertThat(Integer.parseInt(measured.trim()))
          .isBetween((int) (0.8 * stated), (int) (1.1 * stated));
    }

    private static String outputOf(List<String> flags, String program, String... arguments)
        throws IOException {
      List<String> command = new ArrayList<>();
      command.add(System.getProperty("java.home") + "/bin/java");
      command.addAll(flags);
      String path = System.getProperty("jdk.module.path", System.getProperty("java.class.path"));
      command.addAll(
          List.of("-cp", "target/test-classes:" + path, "dev.windhover.zlib." + program));
      command.addAll(List.of(arguments));
      Process jvm = new ProcessBuilder(command).redirectErrorStream(true).start();
      return new String(jvm.getInputStream().readAllBytes(), UTF_8);
    }
  }

  @Nested
  class Streams {
    @Test
    void thatHaveEndedAreNotTouched() {
      DeflateStream stream = codec.deflate(15, 6);
      stream.end();
      stream.end();
      assertThatIllegalStateException()
          .isThrownBy(() -> stream.deflate(ByteBuffer.allocate(1), ByteBuffer.allocate(9), true))
          .withMessage("the stream has ended");
      assertThatIllegalStateException().isThrownBy(stream::reset);
    }

    @Test
    void haveWindowsThatZlibCanDo() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> codec.deflate(8, 6))
          .withMessage("window of 8 bits is not within 9-15");
      assertThatIllegalArgumentException().isThrownBy(() -> codec.inflate(16));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> codec.deflate(9, 10))
          .withMessage("level of 10 is not within 0-9");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DeflateCodecs.best(0))
          .withMessage("memory level of 0 is not within 1-9");
    }
  }
}
