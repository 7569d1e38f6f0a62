package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneOffset;
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
  void twoDigitsAreTheYearThatIsNotFarAhead() {
    int year = Instant.now().atZone(ZoneOffset.UTC).getYear();
    for (int ahead : new int[] {-49, -1, 0, 1, 50}) {
      String digits = "%02d".formatted((year + ahead) % 100);
      Instant read = HttpDate.parse("Monday, 01-Jun-" + digits + " 00:00:00 GMT");
      assertThat(read).isEqualTo(Instant.parse((year + ahead) + "-06-01T00:00:00Z"));
    }
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
