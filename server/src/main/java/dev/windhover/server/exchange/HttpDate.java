package dev.windhover.server.exchange;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The current time in HTTP's format (RFC 9110 5.6.7), formatted once a second. */
public final class HttpDate {
  private static final DateTimeFormatter FORMAT =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
          .withZone(ZoneOffset.UTC);

  private static final class Stamp {
    final long second;
    final String text;
    final byte[] line;

    Stamp(long second) {
      this.second = second;
      this.text = FORMAT.format(Instant.ofEpochSecond(second));
      this.line = ("Date: " + text + "\r\n").getBytes(US_ASCII);
    }
  }

  private static volatile Stamp last = new Stamp(0);

  private HttpDate() {}

  /** Returns the current time. */
  public static String now() {
    return stamp().text;
  }

  /** Returns the header field of HTTP/1.1; callers must not change the array. */
  public static byte[] line() {
    return stamp().line;
  }

  private static Stamp stamp() {
    long second = System.currentTimeMillis() / 1000;
    Stamp stamp = last;
    if (stamp.second != second) {
      stamp = new Stamp(second);
      last = stamp;
    }
    return stamp;
  }
}
