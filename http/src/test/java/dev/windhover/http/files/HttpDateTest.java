package dev.windhover.http.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpDateTest {
  private static final Instant TIME = Instant.parse("1994-11-06T08:49:37Z");

  @Test
  void isWrittenInOneForm() {
    assertThat(HttpDate.format(TIME)).isEqualTo("Sun, 06 Nov 1994 08:49:37 GMT");
    assertThat(HttpDate.format(TIME.plusNanos(999_999_999)))
        .isEqualTo("Sun, 06 Nov 1994 08:49:37 GMT");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"
      })
  void isReadInThree(String text) {
    assertThat(HttpDate.parse(text)).isEqualTo(TIME);
  }

  @Test
  void twoDigitsAreAYearFrom1970On() {
    assertThat(HttpDate.parse("Thursday, 01-Jan-70 00:00:00 GMT")).isEqualTo(Instant.EPOCH);
    assertThat(HttpDate.parse("Tuesday, 31-Dec-69 00:00:00 GMT"))
        .isEqualTo(Instant.parse("2069-12-31T00:00:00Z"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"
      })
  void anythingElseIsNoDate(String text) {
    assertThat(HttpDate.parse(text)).isNull();
  }
}
