package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Utf8ValidatorTest {
  /** The verdict of the JDK's strict decoder on a whole text. */
  private static final class Jdk {
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private final CharBuffer chars = CharBuffer.allocate(64);

    boolean isText(byte[] bytes, int length) {
      return decodes(bytes, length, true);
    }

    private boolean decodes(byte[] bytes, int length, boolean end) {
      ByteBuffer in = ByteBuffer.wrap(bytes, 0, length);
      return decoder.reset().decode(in, chars.clear(), end).isUnderflow();
    }

    /** Whether these bytes, which are not yet a text, can become one if more bytes follow. */
    boolean canBecomeText(byte[] bytes, int length) {
      if (!decodes(bytes, length, false)) {
        return false; // it refuses some hopeless beginnings, but not all
      }
      byte[] longer = Arrays.copyOf(bytes, length + 3);
      for (int next : new int[] {0x80, 0x90, 0xA0}) { // the second byte is sometimes restricted
        Arrays.fill(longer, length, length + 3, (byte) 0x80);
        longer[length] = (byte) next;
        if (isText(longer, length + 1)
            || isText(longer, length + 2)
            || isText(longer, length + 3)) {
          return true;
        }
      }
      return false;
    }
  }

  private final Jdk jdk = new Jdk();
  private final Utf8Validator validator = new Utf8Validator();

  /** Checks the first {@code length} bytes in two pieces. */
  private boolean accepts(byte[] bytes, int length, int cut) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    validator.reset();
    return validator.accept(buffer, 0, cut) && validator.accept(buffer, cut, length);
  }

  private boolean accepts(byte[] bytes) {
    return accepts(bytes, bytes.length, 0) && validator.isComplete();
  }

  /** Requires, for every split, the same verdict on the first {@code length} bytes as the JDK's. */
  private void agreeOn(byte[] bytes, int length) {
    boolean text = jdk.isText(bytes, length);
    boolean beginning = text || jdk.canBecomeText(bytes, length);
    for (int cut = 0; cut < length; cut++) {
      boolean accepted = accepts(bytes, length, cut);
      if (accepted != beginning || (accepted && validator.isComplete() != text)) {
        throw new AssertionError(
            "%s cut at %d: accepted %s, complete %s; the JDK says beginning %s, text %s"
                .formatted(
                    Hex.of(Arrays.copyOf(bytes, length)),
                    cut,
                    accepted,
                    validator.isComplete(),
                    beginning,
                    text));
      }
    }
  }

  /** Refused bytes stay refused, so the walk continues only after accepted bytes. */
  @Nested
  class AgreesWithTheJdk {
    private final byte[] bytes = new byte[4];

    @Test
    void onAllSequencesOfOneAndTwoBytes() {
      for (int one = 0; one < 256; one++) {
        bytes[0] = (byte) one;
        agreeOn(bytes, 1);
        for (int two = 0; two < 256; two++) {
          bytes[1] = (byte) two;
          agreeOn(bytes, 2);
        }
      }
    }

    @Test
    void onAllSequencesOfThreeBytes() {
      for (int one = 0x80; one < 256; one++) { // behind ASCII stands what the two bytes were
        bytes[0] = (byte) one;
        for (int two = 0; two < 256; two++) {
          bytes[1] = (byte) two;
          if (!accepts(bytes, 2, 0)) {
            continue;
          }
          for (int three = 0; three < 256; three++) {
            bytes[2] = (byte) three;
            agreeOn(bytes, 3);
          }
        }
      }
    }

    @Test
    void onFourBytesAtTheEdgesOfEachRange() {
      int[] leads = {
        0x7F, 0x80, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4,
        0xF5, 0xF7, 0xF8, 0xFC, 0xFE, 0xFF
      };
      int[] others = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE1, 0xF1, 0xFF};
      for (int one : leads) {
        bytes[0] = (byte) one;
        for (int two : others) {
          bytes[1] = (byte) two;
          for (int three : others) {
            bytes[2] = (byte) three;
            for (int four : others) {
              bytes[3] = (byte) four;
              agreeOn(bytes, 4);
            }
          }
        }
      }
    }

    @Test
    void onEveryCharacter() { // every 61st of those of four bytes
      for (int point = 0; point <= Character.MAX_CODE_POINT; point += point < 0x10000 ? 1 : 61) {
        if (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE) {
          continue;
        }
        int length = encode(point);
        for (int cut = 0; cut < length; cut++) {
          if (!accepts(bytes, length, cut) || !validator.isComplete()) {
            throw new AssertionError("U+%04X is refused".formatted(point));
          }
        }
      }
    }

    private int encode(int point) { // RFC 3629 3
      if (point < 0x80) {
        bytes[0] = (byte) point;
        return 1;
      }
      int length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      int rest = point;
      for (int i = length - 1; i > 0; i--) {
        bytes[i] = (byte) (0x80 | (rest & 0x3F));
        rest >>>= 6;
      }
      bytes[0] = (byte) ((0xF00 >>> length) | rest);
      return length;
    }
  }

  @Nested
  class LongTexts {
    private static final String[] TEXTS = {
      "a plain line of ASCII that is longer than eight bytes",
      "Übergrößenträger äöüß",
      "κόσμε κόσμε κόσμε",
      "日本語のテキスト、漢字とかな",
      "가나다라 \u07ff\u0800\ud7ff\ue000\uffff",
      "\ud83e\udd85\ud800\udc00\udbff\udfff",
      "mixed ASCII, é, €, \ud83e\udd85 and é€\ud83e\udd85é again, and a tail of ASCII",
    };

    @Test
    void areAcceptedAtEveryPairOfCuts() {
      for (String text : TEXTS) {
        ByteBuffer bytes = ByteBuffer.wrap(Frames.utf8(text));
        int length = bytes.remaining();
        for (int first = 0; first <= length; first++) {
          for (int second = first; second <= length; second++) {
            validator.reset();
            boolean accepted =
                validator.accept(bytes, 0, first)
                    && validator.accept(bytes, first, second)
                    && validator.accept(bytes, second, length);
            assertThat(accepted && validator.isComplete())
                .as("%s cut at %d and %d", text, first, second)
                .isTrue();
          }
        }
      }
    }

    @Test
    void areJudgedAsTheJdkDoesWithAnyByteBroken() {
      for (String text : TEXTS) {
        byte[] bytes = Frames.utf8(text);
        for (int at = 0; at < bytes.length; at++) {
          byte good = bytes[at];
          for (int bad : new int[] {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xED, 0xF4, 0xFF}) {
            bytes[at] = (byte) bad;
            assertThat(accepts(bytes))
                .as("%s with %x at %d", text, bad, at)
                .isEqualTo(jdk.isText(bytes, bytes.length));
          }
          bytes[at] = good;
        }
      }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void areReadFromEitherMemory(boolean direct) {
      byte[] text = Frames.utf8(String.join("", TEXTS));
      ByteBuffer bytes =
          direct
              ? ByteBuffer.allocateDirect(text.length + 3)
              : ByteBuffer.allocate(text.length + 3);
      bytes.put(3, text);
      assertThat(validator.accept(bytes, 3, bytes.limit()) && validator.isComplete()).isTrue();
    }
  }

  @Nested
  class Ascii {
    @Test
    void ofEveryLengthIsAccepted() {
      for (int length = 0; length <= 40; length++) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0x7F);
        assertThat(accepts(bytes)).isTrue();
      }
    }

    @Test
    void ofEveryLengthIsRefusedWithABadByteAtAnyPlace() {
      for (int length = 1; length <= 40; length++) {
        for (int at = 0; at < length; at++) {
          byte[] bytes = new byte[length];
          bytes[at] = (byte) 0x80;
          assertThat(accepts(bytes)).as("%d of %d", at, length).isFalse();
        }
      }
    }

    @Test
    void ofEveryLengthMayStandAroundACharacter() {
      for (int before = 0; before <= 20; before++) {
        for (int after = 0; after <= 20; after++) {
          byte[] bytes = Frames.utf8("a".repeat(before) + "é€" + "b".repeat(after));
          assertThat(accepts(bytes)).as("%d before, %d after", before, after).isTrue();
        }
      }
    }

    @Test
    void isNotReadBeyondItsEnd() {
      byte[] bytes = new byte[24];
      Arrays.fill(bytes, 11, 24, (byte) 0xFF);
      assertThat(validator.accept(ByteBuffer.wrap(bytes), 0, 11)).isTrue();
    }
  }

  @Test
  void anEmptyTextIsComplete() {
    assertThat(validator.accept(ByteBuffer.allocate(0), 0, 0) && validator.isComplete()).isTrue();
  }

  @Test
  void aCutCharacterIsNotComplete() {
    assertThat(validator.accept(Hex.buffer("61 e2 82"), 0, 3)).isTrue();
    assertThat(validator.isComplete()).isFalse();
  }

  @Test
  void anEmptyPieceLeavesACutCharacterCut() {
    validator.accept(Hex.buffer("e2 82"), 0, 2);
    assertThat(validator.accept(Hex.buffer("ac"), 0, 0)).isTrue();
    assertThat(validator.isComplete()).isFalse();
  }

  @Test
  void aResetForgetsACutCharacter() {
    validator.accept(Hex.buffer("e2 82"), 0, 2);
    validator.reset();
    assertThat(validator.accept(Hex.buffer("61"), 0, 1) && validator.isComplete()).isTrue();
  }

  @Test
  void thePositionIsLeftAlone() {
    ByteBuffer bytes = Hex.buffer("00 00 61 c3 a9").position(1);
    validator.accept(bytes, 2, 5);
    assertThat(bytes.position()).isEqualTo(1);
  }
}
