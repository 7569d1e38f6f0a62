package dev.windhover.http;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** HTTP's way to write a second (RFC 9110 5.6.7): one form to send, three to understand. */
final class HttpDate {
  private static final DateTimeFormatter IMF_FIXDATE =
      pattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'").toFormatter(Locale.US).withZone(ZoneOffset.UTC);

  /** {@code Sun Nov 6 08:49:37 1994}. */
  private static final DateTimeFormatter ASCTIME =
      pattern("EEE MMM ppd HH:mm:ss yyyy").toFormatter(Locale.US).withZone(ZoneOffset.UTC);

  private HttpDate() {}

  static String format(Instant time) {
    return IMF_FIXDATE.format(time);
  }

  /** Returns the time that {@code text} says, or null if it is none of the three forms. */
  static @Nullable Instant parse(String text) {
    for (DateTimeFormatter form : List.of(IMF_FIXDATE, ASCTIME, rfc850())) {
      try {
        return form.parse(text, Instant::from);
      } catch (DateTimeException e) {
        // perhaps another form
      }
    }
    return null;
  }

  /**
   * {@code Sunday, 06-Nov-94 08:49:37 GMT}: a year that seems more than 50 years ahead is past. The
   * day of the week is not looked at, since it follows from the year that was meant.
   */
  private static DateTimeFormatter rfc850() {
    LocalDate oldest = LocalDate.now(ZoneOffset.UTC).minusYears(49);
    return pattern("['Monday']['Tuesday']['Wednesday']['Thursday']['Friday']['Saturday']['Sunday']")
        .appendPattern(", dd-MMM-")
        .appendValueReduced(ChronoField.YEAR, 2, 2, oldest)
        .appendPattern(" HH:mm:ss 'GMT'")
        .toFormatter(Locale.US)
        .withZone(ZoneOffset.UTC);
  }

  private static DateTimeFormatterBuilder pattern(String pattern) {
    return new DateTimeFormatterBuilder().appendPattern(pattern);
  }
}
