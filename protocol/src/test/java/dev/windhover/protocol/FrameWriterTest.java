package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameWriterTest {
  /** A generator whose every key is 37 fa 21 3d. */
  private static final class RfcKeys implements RandomGenerator {
    @Override
    public int nextInt() {
      return 0x37fa_213d;
    }

    @Override
    public long nextLong() {
      throw new AssertionError("a key is one int");
    }
  }

  private static FrameWriter writer(Role role) {
    return role == Role.SERVER ? FrameWriter.server() : FrameWriter.client(new RfcKeys());
  }

  private static String header(Role role, Opcode opcode, boolean fin, int bits, long length) {
    ByteBuffer out = ByteBuffer.allocate(FrameWriter.MAX_HEADER_BYTES);
    writer(role).header(out, opcode, fin, bits, length);
    return Hex.of(out.flip());
  }

  private static ByteBuffer frame(FrameWriter writer, Opcode opcode, byte... payload) {
    ByteBuffer out = ByteBuffer.allocate(payload.length + FrameWriter.MAX_HEADER_BYTES);
    writer.frame(out, opcode, true, ByteBuffer.wrap(payload));
    return out.flip();
  }

  /** RFC 6455 5.7. */
  @Nested
  class Examples {
    @Test
    void unmaskedText() {
      assertThat(Hex.of(frame(writer(Role.SERVER), Opcode.TEXT, Frames.utf8("Hello"))))
          .isEqualTo("810548656c6c6f");
    }

    @Test
    void maskedText() {
      assertThat(Hex.of(frame(writer(Role.CLIENT), Opcode.TEXT, Frames.utf8("Hello"))))
          .isEqualTo("818537fa213d7f9f4d5158");
    }

    @Test
    void fragmentedText() {
      FrameWriter writer = writer(Role.SERVER);
      ByteBuffer out = ByteBuffer.allocate(20);
      writer.frame(out, Opcode.TEXT, false, ByteBuffer.wrap(Frames.utf8("Hel")));
      writer.frame(out, Opcode.CONTINUATION, true, ByteBuffer.wrap(Frames.utf8("lo")));
      assertThat(Hex.of(out.flip())).isEqualTo("010348656c" + "80026c6f");
    }

    @Test
    void maskedPong() {
      assertThat(Hex.of(frame(writer(Role.CLIENT), Opcode.PONG, Frames.utf8("Hello"))))
          .isEqualTo("8a8537fa213d7f9f4d5158");
    }
  }

  @Nested
  class Header {
    @ParameterizedTest
    @CsvSource({
      "0, 8200",
      "1, 8201",
      "125, 827d",
      "126, 827e007e",
      "127, 827e007f",
      "128, 827e0080",
      "65535, 827effff",
      "65536, 827f0000000000010000",
      "65537, 827f0000000000010001",
      "9223372036854775807, 827f7fffffffffffffff"
    })
    void hasTheShortestLength(long length, String hex) {
      assertThat(header(Role.SERVER, Opcode.BINARY, true, 0, length)).isEqualTo(hex);
    }

    @ParameterizedTest
    @CsvSource({
      "0, 8280",
      "125, 82fd",
      "126, 82fe007e",
      "65535, 82feffff",
      "65536, 82ff0000000000010000"
    })
    void ofAClientEndsInItsKey(long length, String hex) {
      assertThat(header(Role.CLIENT, Opcode.BINARY, true, 0, length)).isEqualTo(hex + "37fa213d");
    }

    @ParameterizedTest
    @CsvSource({"CONTINUATION, 00", "TEXT, 01", "BINARY, 02", "CLOSE, 08", "PING, 09", "PONG, 0a"})
    void holdsTheOpcode(Opcode opcode, String hex) {
      assertThat(header(Role.SERVER, opcode, false, 0, 0)).isEqualTo(hex + "00");
    }

    @ParameterizedTest
    @CsvSource({"64, c1", "32, a1", "16, 91", "112, f1"})
    void holdsTheReservedBits(int bits, String hex) {
      assertThat(header(Role.SERVER, Opcode.TEXT, true, bits, 0)).isEqualTo(hex + "00");
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void isAsLongAsItsSizeSays(Role role) {
      for (long length : new long[] {0, 125, 126, 65535, 65536, 1L << 62}) {
        assertThat(writer(role).headerSize(length))
            .isEqualTo(header(role, Opcode.TEXT, true, 0, length).length() / 2);
      }
    }
  }

  @Nested
  class Payload {
    @ParameterizedTest
    @EnumSource(Role.class)
    void mayFollowInPieces(Role role) {
      byte[] payload = Frames.pattern(30);
      byte[] wire = Frames.to(role == Role.SERVER ? Role.CLIENT : Role.SERVER, 0x82, payload);
      for (int cut = 0; cut <= payload.length; cut++) {
        FrameWriter writer = writer(role);
        ByteBuffer out = ByteBuffer.allocate(wire.length);
        writer.header(out, Opcode.BINARY, true, 0, payload.length);
        writer.payload(ByteBuffer.wrap(payload, 0, cut), out);
        writer.payload(ByteBuffer.wrap(payload, cut, payload.length - cut), out);
        assertThat(out.array()).as("cut at %d", cut).isEqualTo(wire);
      }
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void isTakenAsFarAsThereIsRoom(Role role) {
      FrameWriter writer = writer(role);
      ByteBuffer payload = Hex.buffer("01 02 03 04 05");
      ByteBuffer out = ByteBuffer.allocate(writer.headerSize(5) + 3);
      writer.header(out, Opcode.BINARY, true, 0, 5);
      writer.payload(payload, out);
      assertThat(out.hasRemaining()).isFalse();
      assertThat(Hex.of(payload)).isEqualTo("0405");
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void isNotChanged(Role role) {
      byte[] payload = Frames.pattern(20);
      frame(writer(role), Opcode.BINARY, payload);
      assertThat(payload).isEqualTo(Frames.pattern(20));
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void mayLieInAnyMemory(Role role) {
      byte[] payload = Frames.pattern(50);
      ByteBuffer in = ByteBuffer.allocateDirect(57).position(7).put(payload).position(7);
      ByteBuffer out = ByteBuffer.allocateDirect(80).position(3);
      writer(role).frame(out, Opcode.BINARY, true, in.asReadOnlyBuffer());
      assertThat(Hex.of(out.flip().position(3)))
          .isEqualTo(Hex.of(frame(writer(role), Opcode.BINARY, payload)));
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void isRefusedWholeWhereThereIsNoRoom(Role role) {
      FrameWriter writer = writer(role);
      ByteBuffer out = ByteBuffer.allocate(writer.headerSize(5) + 4);
      ByteBuffer payload = Hex.buffer("01 02 03 04 05");
      assertThatExceptionOfType(BufferOverflowException.class)
          .isThrownBy(() -> writer.frame(out, Opcode.BINARY, true, payload));
      assertThat(out.position()).isZero();
      assertThat(payload.position()).isZero();
    }
  }

  @Nested
  class Keys {
    @Test
    void areFreshForEachFrame() {
      int[] next = {0x0102_0304, 0x0506_0708};
      int[] drawn = {0};
      RandomGenerator keys =
          new RandomGenerator() {
            @Override
            public int nextInt() {
              return next[drawn[0]++];
            }

            @Override
            public long nextLong() {
              throw new AssertionError("a key is one int");
            }
          };
      FrameWriter writer = FrameWriter.client(keys);
      ByteBuffer out = ByteBuffer.allocate(20);
      writer.frame(out, Opcode.PING, true, Hex.buffer("00"));
      writer.frame(out, Opcode.PING, true, Hex.buffer("00"));
      assertThat(Hex.of(out.flip())).isEqualTo("89810102030401" + "89810506070805");
    }
  }

  @Nested
  class Roundtrip {
    @ParameterizedTest
    @ValueSource(
        ints = {0, 1, 2, 3, 4, 7, 8, 9, 63, 124, 125, 126, 127, 128, 1000, 65535, 65536, 65537})
    void everyLengthComesBack(int length) {
      byte[] payload = Frames.pattern(length);
      for (Role role : Role.values()) {
        ByteBuffer wire = frame(writer(role), Opcode.BINARY, payload);
        byte[] bytes = new byte[wire.remaining()];
        wire.get(bytes);
        Role peer = role == Role.SERVER ? Role.CLIENT : Role.SERVER;
        assertThat(Recorder.told(peer, bytes)).containsExactly(Told.binary(payload));
      }
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void allocatesNothing(Role role) {
      FrameWriter writer = writer(role);
      ByteBuffer payload = ByteBuffer.wrap(Frames.pattern(300));
      ByteBuffer out = ByteBuffer.allocateDirect(400);
      assertThat(
              Allocations.of(
                  () -> writer.frame(out.clear(), Opcode.BINARY, true, payload.rewind())))
          .isZero();
    }
  }
}
