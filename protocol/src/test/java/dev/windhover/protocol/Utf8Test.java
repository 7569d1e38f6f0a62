package dev.windhover.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Utf8Test {
  @ParameterizedTest
  @ValueSource(
      strings = {"", "hello?", "Käse", "日本語", "a\uD83D\uDE00?", "\uDBFF\uDFFF\uD800\uDC00"})
  void isTheTextInUtf8(String text) {
    ByteBuffer expected = UTF_8.encode(text);
    assertThat(Utf8.encode(text)).isEqualTo(expected);
    assertThat(Utf8.encode(CharBuffer.wrap(text))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "'\uD83D', 0, D83D",
    "'\uDE00', 0, DE00",
    "'a?\uD83D', 2, D83D",
    "'ab\uDE00c', 2, DE00",
    "'ä\uD83Dx', 1, D83D",
    "'\uD83D\uD83D\uDE00', 0, D83D",
    "'\uD83D\uDE00\uDE00', 2, DE00"
  })
  void refusesALoneSurrogateByItsIndex(String text, int index, String surrogate) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Utf8.encode(text))
        .withMessage(
            "text is not well-formed UTF-16: lone surrogate U+" + surrogate + " at index " + index);
  }

  @Test
  void refusesTextThatWasCutInTheMiddleOfACharacter() {
    String text = "smile 😀";
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Utf8.encode(text.substring(0, 7)))
        .withMessageEndingWith("lone surrogate U+D83D at index 6");
  }
}
