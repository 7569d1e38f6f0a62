package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class MaskingTest {
  /** 37 fa 21 3d on the wire: the lowest byte masks the first. */
  private static final int KEY = 0x3d21_fa37;

  enum Memory {
    HEAP,
    SLICED,
    DIRECT;

    ByteBuffer of(byte... bytes) {
      ByteBuffer buffer =
          switch (this) {
            case HEAP -> ByteBuffer.allocate(bytes.length);
            case SLICED -> ByteBuffer.allocate(bytes.length + 8).slice(3, bytes.length);
            case DIRECT -> ByteBuffer.allocateDirect(bytes.length);
          };
      return buffer.put(0, bytes);
    }
  }

  /** The two loops: they differ in speed and in what they tell. */
  enum Way {
    APPLY {
      @Override
      void mask(ByteBuffer bytes, int at, int length, int key) {
        Masking.apply(bytes, at, length, key);
      }
    },
    COMBINE {
      @Override
      void mask(ByteBuffer bytes, int at, int length, int key) {
        Masking.applyCombining(bytes, at, length, key);
      }
    };

    abstract void mask(ByteBuffer bytes, int at, int length, int key);
  }

  static List<Arguments> everyMemoryEveryWay() {
    return Stream.of(Memory.values())
        .flatMap(memory -> Stream.of(Way.values()).map(way -> arguments(memory, way)))
        .toList();
  }

  /** RFC 6455 5.3: octet i of the payload is masked with octet i modulo 4 of the key. */
  private static byte[] slowly(byte... payload) {
    byte[] masked = payload.clone();
    for (int i = 0; i < masked.length; i++) {
      masked[i] ^= Frames.KEY[i % 4];
    }
    return masked;
  }

  private static byte[] part(ByteBuffer buffer, int at, int length) {
    byte[] bytes = new byte[length];
    buffer.get(at, bytes);
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("everyMemoryEveryWay")
  void everyLengthIsMaskedAtEveryOffset(Memory memory, Way way) {
    for (int length = 0; length <= 40; length++) {
      for (int at = 0; at < 9; at++) {
        byte[] payload = Frames.pattern(length);
        ByteBuffer bytes = memory.of(Frames.join(new byte[at], payload));
        way.mask(bytes, at, length, KEY);
        assertThat(part(bytes, at, length))
            .as("%d bytes at %d", length, at)
            .isEqualTo(slowly(payload));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("everyMemoryEveryWay")
  void bytesAroundAreLeftAlone(Memory memory, Way way) {
    ByteBuffer bytes = memory.of(new byte[40]);
    way.mask(bytes, 11, 19, KEY);
    assertThat(part(bytes, 0, 11)).containsOnly(0);
    assertThat(part(bytes, 30, 10)).containsOnly(0);
  }

  @ParameterizedTest
  @MethodSource("everyMemoryEveryWay")
  void positionsAreLeftAlone(Memory memory, Way way) {
    ByteBuffer bytes = memory.of(new byte[20]).position(1);
    way.mask(bytes, 4, 9, KEY);
    assertThat(bytes.position()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void whatWasSeenTellsAsciiFromTheRest(Memory memory) {
    for (int length = 1; length <= 40; length++) {
      for (int bad = -1; bad < length; bad++) {
        byte[] payload = new byte[length];
        Arrays.fill(payload, (byte) 0x7F);
        if (bad >= 0) {
          payload[bad] = (byte) 0x80;
        }
        long seen = Masking.applyCombining(memory.of(slowly(payload)), 0, length, KEY);
        assertThat((seen & 0x8080_8080_8080_8080L) != 0)
            .as("%d bytes, the one beyond ASCII at %d", length, bad)
            .isEqualTo(bad >= 0);
      }
    }
  }

  @Test
  void aKeyAdvancesByTheBytesItMasked() {
    byte[] payload = Frames.pattern(23);
    for (int cut = 0; cut <= payload.length; cut++) {
      ByteBuffer bytes = Memory.HEAP.of(payload);
      Masking.apply(bytes, 0, cut, KEY);
      Masking.apply(bytes, cut, payload.length - cut, Masking.advance(KEY, cut));
      assertThat(part(bytes, 0, payload.length)).as("cut at %d", cut).isEqualTo(slowly(payload));
    }
  }
}
