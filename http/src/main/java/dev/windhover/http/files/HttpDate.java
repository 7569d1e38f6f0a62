package dev.windhover.http.files;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Dates in HTTP (RFC 9110 5.6.7), in whole seconds: one format to send, three to parse. */
final class HttpDate {
  private static final DateTimeFormatter IMF_FIXDATE =
      pattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'").toFormatter(Locale.US).withZone(ZoneOffset.UTC);

  /** {@code Sun Nov 6 08:49:37 1994}. */
  private static final DateTimeFormatter ASCTIME =
      pattern("EEE MMM ppd HH:mm:ss yyyy").toFormatter(Locale.US).withZone(ZoneOffset.UTC);

  /**
   * {@code Sunday, 06-Nov-94 08:49:37 GMT}. Two-digit years count from 1970. Until 2069, no date is
   * then read as more than 50 years in the future, as RFC 9110 requires.
   */
  private static final DateTimeFormatter RFC850 =
      pattern("EEEE, dd-MMM-")
          .appendValueReduced(ChronoField.YEAR, 2, 2, 1970)
          .appendPattern(" HH:mm:ss 'GMT'")
          .toFormatter(Locale.US)
          .withZone(ZoneOffset.UTC);

  private HttpDate() {}

  static String format(Instant time) {
    return IMF_FIXDATE.format(time);
  }

  /** Returns the time in {@code text}, or null if it has none of the three formats. */
  static @Nullable Instant parse(String text) {
    for (DateTimeFormatter form : List.of(IMF_FIXDATE, ASCTIME, RFC850)) {
      try {
        return form.parse(text, Instant::from);
      } catch (DateTimeException e) {
        // try the next format
      }
    }
    return null;
  }

  private static DateTimeFormatterBuilder pattern(String pattern) {
    return new DateTimeFormatterBuilder().appendPattern(pattern);
  }
}
