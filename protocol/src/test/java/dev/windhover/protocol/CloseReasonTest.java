package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CloseReasonTest {
  @Test
  void isItsCodeAndItsTextOnTheWire() {
    assertThat(Hex.of(new CloseReason(1001, "bye é").toPayload()))
        .isEqualTo("03e9" + "62796520" + "c3a9");
  }

  @Test
  void withoutATextIsItsCode() {
    assertThat(Hex.of(CloseReason.of(4999).toPayload())).isEqualTo("1387");
  }

  @Test
  void withoutAStatusIsTheEmptyPayload() {
    assertThat(CloseReason.NO_STATUS.toPayload().remaining()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 66_536})
  void refusesACodeThatMayNotBeSent(int code) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CloseReason(code, "x").toPayload())
        .withMessage(
            "close code " + code + " may not be sent; use 1000-1003, 1007-1014 or 3000-4999");
  }

  @ParameterizedTest
  @CsvSource({
    "'', 0, ''",
    "x, 123, ''",
    "x, 124, x",
    "é, 61, ''",
    "é, 62, é",
    "😀, 31, 😀",
  })
  void aLongTextIsCutBetweenCharacters(String character, int times, String last) {
    String text = character.repeat(times);
    CloseReason fitting = CloseReason.fitting(1011, text);
    assertThat(fitting.text() + last).isEqualTo(text);
    assertThat(fitting.toPayload().remaining()).isLessThanOrEqualTo(125);
  }

  @Test
  void aLoneSurrogateInATextThatIsCutBecomesAQuestionMark() {
    assertThat(CloseReason.fitting(1011, "a\uD83D").text()).isEqualTo("a?");
  }

  @Test
  void takesATextOf123Bytes() {
    String text = "é".repeat(61) + "a";
    assertThat(new CloseReason(1000, text).toPayload().remaining()).isEqualTo(125);
  }

  @Test
  void refusesALongerText() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CloseReason(1000, "é".repeat(62)).toPayload())
        .withMessage("close reason of 124 bytes exceeds limit of 123");
  }

  @ParameterizedTest
  @ValueSource(ints = {1005, 1006, 1015})
  void mayNameWhatIsNeverSent(int code) {
    assertThat(CloseReason.of(code).code()).isEqualTo(code);
  }

  @Test
  void readsAsCodeAndText() {
    assertThat(new CloseReason(1000, "bye")).hasToString("1000 \"bye\"");
    assertThat(CloseReason.of(1000)).hasToString("1000");
  }
}
