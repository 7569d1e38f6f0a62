package dev.windhover.server;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The time in HTTP's form (RFC 9110 5.6.7), made once a second. */
final class HttpDate {
  private static final DateTimeFormatter FORMAT =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private record Stamp(long second, String text) {}

  private static volatile Stamp last = new Stamp(Long.MIN_VALUE, "");

  private HttpDate() {}

  static String now() {
    Instant now = Instant.now();
    Stamp stamp = last;
    if (stamp.second != now.getEpochSecond()) {
      stamp = new Stamp(now.getEpochSecond(), FORMAT.format(now));
      last = stamp;
    }
    return stamp.text;
  }
}
