package dev.windhover.hubs.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RecordReaderTest {
  private static final String TOO_LARGE =
      "The maximum message size of 8B was exceeded. The message size can be configured in"
          + " AddHubOptions.";

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String text(@Nullable ByteBuffer record) {
    return record == null
        ? "none"
        : StandardCharsets.ISO_8859_1.decode(record.duplicate()).toString();
  }

  /** Feeds pieces, and returns all records. */
  private static List<String> read(RecordReader reader, String... pieces)
      throws InvalidDataException {
    List<String> records = new ArrayList<>();
    for (String piece : pieces) {
      ByteBuffer bytes = bytes(piece);
      for (ByteBuffer each = reader.next(bytes); each != null; each = reader.next(bytes)) {
        records.add(text(each));
      }
      assertThat(bytes.hasRemaining()).as("bytes left behind of %s", piece).isFalse();
    }
    return records;
  }

  private static void refuses(RecordReader reader, String message, String... pieces) {
    assertThatExceptionOfType(InvalidDataException.class)
        .isThrownBy(() -> read(reader, pieces))
        .withMessage(message);
  }

  @ParameterizedTest
  @EnumSource
  void recordsComeWholeGluedInPiecesAndByteByByte(RecordFormat format) throws Exception {
    String wire =
        switch (format) {
          case SEPARATED -> "one\u001e\u001etwenty-two bytes, said\u001e";
          case LENGTH_PREFIXED -> "\3one\0\26twenty-two bytes, said";
        };
    for (int cut = 0; cut <= wire.length(); cut++) {
      assertThat(read(new RecordReader(format, 0), wire.substring(0, cut), wire.substring(cut)))
          .as("cut at %d", cut)
          .containsExactly("one", "", "twenty-two bytes, said");
    }
    assertThat(read(new RecordReader(format, 0), wire.split("")))
        .as("byte by byte")
        .containsExactly("one", "", "twenty-two bytes, said");
  }

  @ParameterizedTest
  @EnumSource
  void aRecordInDirectMemoryIsRead(RecordFormat format) throws Exception {
    ByteBuffer direct = ByteBuffer.allocateDirect(16).put(bytes("\3one\3two")).flip();
    if (format == RecordFormat.SEPARATED) {
      direct = ByteBuffer.allocateDirect(16).put(bytes("one\u001etwo\u001e")).flip();
    }
    RecordReader reader = new RecordReader(format, 0);
    assertThat(text(reader.next(direct))).isEqualTo("one");
    assertThat(text(reader.next(direct))).isEqualTo("two");
    assertThat(reader.next(direct)).isNull();
  }

  @ParameterizedTest
  @EnumSource
  void aRecordThatIsWholeIsLentWithoutACopy(RecordFormat format) throws Exception {
    ByteBuffer bytes = bytes(format == RecordFormat.SEPARATED ? "one\u001e" : "\3one");
    ByteBuffer record = new RecordReader(format, 0).next(bytes);
    bytes.put(bytes.limit() - 2, (byte) 'N');
    assertThat(text(record)).isEqualTo(format == RecordFormat.SEPARATED ? "onN" : "oNe");
  }

  @Test
  void theBeginningOfARecordIsKept() throws Exception {
    RecordReader reader = new RecordReader(RecordFormat.SEPARATED, 0);
    assertThat(reader.next(bytes("abc"))).isNull();
    assertThat(reader.kept()).isEqualTo(3);
    assertThat(text(reader.next(bytes("d\u001e")))).isEqualTo("abcd");
    assertThat(reader.kept()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void theBeginningOfARecordIsForgottenAfterAReset(RecordFormat format) throws Exception {
    RecordReader reader = new RecordReader(format, 0);
    assertThat(reader.next(bytes("\5abc"))).isNull();
    reader.reset();
    assertThat(reader.kept()).isZero();
    assertThat(text(reader.next(bytes(format == RecordFormat.SEPARATED ? "x\u001e" : "\1x"))))
        .isEqualTo("x");
  }

  @Test
  void aNegativeLimitIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RecordReader(RecordFormat.SEPARATED, -1));
  }

  @Nested
  class Separated {
    @Test
    void theLimitIncludesTheSeparator() throws Exception {
      assertThat(read(new RecordReader(RecordFormat.SEPARATED, 8), "1234567\u001e"))
          .containsExactly("1234567");
      refuses(new RecordReader(RecordFormat.SEPARATED, 8), TOO_LARGE, "12345678\u001e");
      refuses(new RecordReader(RecordFormat.SEPARATED, 8), TOO_LARGE, "1234", "5678\u001e");
    }

    @Test
    void theLimitIsOfEachRecord() throws Exception {
      RecordReader reader = new RecordReader(RecordFormat.SEPARATED, 8);
      assertThat(read(reader, "1234567\u001e1234", "567\u001e1234567\u001e")).hasSize(3);
    }

    @Test
    void aRecordIsRefusedBeforeItsEndIsThere() {
      refuses(new RecordReader(RecordFormat.SEPARATED, 8), TOO_LARGE, "12345678");
      refuses(new RecordReader(RecordFormat.SEPARATED, 8), TOO_LARGE, "1234567", "8");
    }

    @Test
    void memoryStaysWithinTheLimit() throws Exception {
      RecordReader reader = new RecordReader(RecordFormat.SEPARATED, 32_768);
      for (int i = 0; i < 32_767; i++) {
        assertThat(reader.next(bytes("x"))).isNull();
      }
      assertThat(reader.kept()).isEqualTo(32_767);
      assertThatExceptionOfType(InvalidDataException.class)
          .isThrownBy(() -> reader.next(bytes("x")))
          .withMessageContaining("32768B");
    }
  }

  @Nested
  class LengthPrefixed {
    @Test
    void theLimitIncludesThePrefix() throws Exception {
      assertThat(read(new RecordReader(RecordFormat.LENGTH_PREFIXED, 8), "\0071234567"))
          .containsExactly("1234567");
      refuses(new RecordReader(RecordFormat.LENGTH_PREFIXED, 8), TOO_LARGE, "\010");
    }

    @Test
    void aRecordIsRefusedOnceItsLengthIsKnown() {
      refuses(new RecordReader(RecordFormat.LENGTH_PREFIXED, 8), TOO_LARGE, "\u00ff\1");
    }

    @Test
    void lengthsHaveOneToFiveBytes() throws Exception {
      assertThat(read(new RecordReader(RecordFormat.LENGTH_PREFIXED, 0), "\u0081\u0000x"))
          .containsExactly("x");
      assertThat(
              read(
                  new RecordReader(RecordFormat.LENGTH_PREFIXED, 0),
                  "\u0080\u0001" + "x".repeat(128)))
          .containsExactly("x".repeat(128));
      assertThat(
              read(
                  new RecordReader(RecordFormat.LENGTH_PREFIXED, 0),
                  "\u0081\u0080\u0080\u0080\u0000x"))
          .containsExactly("x");
    }

    @Test
    void lengthsOfMoreThan31BitsAreMalformed() {
      for (String length :
          List.of("\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\0", "\u0080\u0080\u0080\u0080\u0008")) {
        assertThatExceptionOfType(InvalidDataException.class)
            .isThrownBy(() -> read(new RecordReader(RecordFormat.LENGTH_PREFIXED, 8), length))
            .satisfies(e -> assertThat(e.details()).startsWith("FormatException: ")); // recorded
      }
    }

    @Test
    void anEnormousLengthTakesNoMemoryUntilItsBytesCome() throws Exception {
      RecordReader reader = new RecordReader(RecordFormat.LENGTH_PREFIXED, 0);
      assertThat(reader.next(bytes("\u00f0\u00ff\u00ff\u00ff\u0007abc"))).isNull();
      assertThat(reader.kept()).isEqualTo(3);
    }
  }
}
