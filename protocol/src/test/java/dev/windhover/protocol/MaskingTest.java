package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MaskingTest {
  /** 37 fa 21 3d on the wire: the lowest byte masks the first. */
  private static final int KEY = 0x3d21_fa37;

  /** RFC 6455 5.3: octet i of the payload is masked with octet i modulo 4 of the key. */
  private static byte[] slowly(byte... payload) {
    byte[] masked = payload.clone();
    for (int i = 0; i < masked.length; i++) {
      masked[i] ^= Frames.KEY[i % 4];
    }
    return masked;
  }

  private static byte[] apply(ByteBuffer source, int from, ByteBuffer target, int to, int length) {
    Masking.apply(source, from, target, to, length, KEY);
    byte[] result = new byte[length];
    target.get(to, result);
    return result;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyLengthIsMaskedAtEveryOffset(boolean direct) {
    for (int length = 0; length <= 40; length++) {
      byte[] payload = Frames.pattern(length);
      for (int from = 0; from < 9; from++) {
        for (int to = 0; to < 9; to++) {
          ByteBuffer source = ByteBuffer.allocate(from + length).put(from, payload);
          ByteBuffer target =
              direct ? ByteBuffer.allocateDirect(to + length) : ByteBuffer.allocate(to + length);
          assertThat(apply(source, from, target, to, length))
              .as("%d bytes from %d to %d", length, from, to)
              .isEqualTo(slowly(payload));
        }
      }
    }
  }

  @Test
  void bytesAreMaskedWhereTheyLie() {
    for (int length = 0; length <= 40; length++) {
      ByteBuffer bytes = ByteBuffer.wrap(Frames.pattern(length));
      assertThat(apply(bytes, 0, bytes, 0, length)).isEqualTo(slowly(Frames.pattern(length)));
    }
  }

  @Test
  void bytesAroundAreLeftAlone() {
    byte[] bytes = new byte[40];
    Masking.apply(ByteBuffer.allocate(19), 0, ByteBuffer.wrap(bytes), 11, 19, KEY);
    assertThat(Arrays.copyOf(bytes, 11)).containsOnly(0);
    assertThat(Arrays.copyOfRange(bytes, 30, 40)).containsOnly(0);
  }

  @Test
  void positionsAreLeftAlone() {
    ByteBuffer source = ByteBuffer.allocate(20).position(1);
    ByteBuffer target = ByteBuffer.allocate(20).position(2);
    Masking.apply(source, 4, target, 5, 9, KEY);
    assertThat(source.position()).isEqualTo(1);
    assertThat(target.position()).isEqualTo(2);
  }

  @Test
  void maskingTwiceGivesThePayloadBack() {
    ByteBuffer bytes = ByteBuffer.wrap(Frames.pattern(1000));
    Masking.apply(bytes, 0, bytes, 0, 1000, KEY);
    Masking.apply(bytes, 0, bytes, 0, 1000, KEY);
    assertThat(bytes.array()).isEqualTo(Frames.pattern(1000));
  }

  @Test
  void whatWasSeenTellsAsciiFromTheRest() {
    for (int length = 1; length <= 40; length++) {
      for (int bad = -1; bad < length; bad++) {
        byte[] payload = new byte[length];
        Arrays.fill(payload, (byte) 0x7F);
        if (bad >= 0) {
          payload[bad] = (byte) 0x80;
        }
        ByteBuffer masked = ByteBuffer.wrap(slowly(payload));
        long seen = Masking.apply(masked, 0, masked, 0, length, KEY);
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
      ByteBuffer bytes = ByteBuffer.wrap(payload.clone());
      Masking.apply(bytes, 0, bytes, 0, cut, KEY);
      Masking.apply(bytes, cut, bytes, cut, 23 - cut, Masking.advance(KEY, cut));
      assertThat(bytes.array()).as("cut at %d", cut).isEqualTo(slowly(payload));
    }
  }
}
