package dev.windhover.hubs.protocol;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoField;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Dates, times and durations as .NET has them: text with up to seven digits of a second, and ticks
 * of 100 ns. What .NET cannot hold is refused: years before 1 and after 9999, and durations whose
 * ticks need more than 64 bits.
 */
final class NetTimes {
  private static final long TICKS_PER_SECOND = 10_000_000;
  private static final int NANOS_PER_TICK = 100;
  private static final int TICK_DIGITS = 7;
  private static final int NANO_DIGITS = 9;

  private static final LocalDate FIRST_DAY = LocalDate.of(1, 1, 1);
  private static final LocalDate LAST_DAY = LocalDate.of(9999, 12, 31);

  private static final String DATE = "(\\d{4})-(\\d\\d)-(\\d\\d)";
  private static final String TIME = "(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.(\\d+))?)?";
  private static final Pattern DATE_ONLY = Pattern.compile(DATE);
  private static final Pattern TIME_ONLY = Pattern.compile(TIME);
  private static final Pattern DATE_TIME =
      Pattern.compile(DATE + "T" + TIME + "(Z|[+-]\\d\\d:\\d\\d)?");
  private static final Pattern SPAN =
      Pattern.compile("(-)?(?:(\\d{1,8})\\.)?(\\d\\d):(\\d\\d):(\\d\\d)(?:\\.(\\d+))?");

  private NetTimes() {}

  // ---- Text

  static String text(LocalDate date) {
    requireDate(date);
    return date.toString();
  }

  /** Writes a time; seven digits of a second or none, which .NET does for times alone. */
  static String text(LocalTime time) {
    StringBuilder text = new StringBuilder(16);
    appendTime(text, time);
    int ticks = ticksOfSecond(time);
    if (ticks != 0) {
      appendTicks(text, ticks);
    }
    return text.toString();
  }

  static String text(LocalDateTime time) {
    requireDate(time.toLocalDate());
    StringBuilder text = new StringBuilder(33).append(time.toLocalDate()).append('T');
    appendTime(text, time.toLocalTime());
    int ticks = ticksOfSecond(time.toLocalTime());
    if (ticks != 0) {
      appendTicks(text, ticks);
      while (text.charAt(text.length() - 1) == '0') {
        text.setLength(text.length() - 1);
      }
    }
    return text.toString();
  }

  static String text(Instant time) {
    return text(LocalDateTime.ofInstant(time, ZoneOffset.UTC)) + "Z";
  }

  static String text(OffsetDateTime time) {
    ZoneOffset offset = requireMinutes(time.getOffset());
    String sign = offset.equals(ZoneOffset.UTC) ? "+00:00" : offset.getId();
    return text(time.toLocalDateTime()) + sign;
  }

  /** Writes {@code [-][d.]hh:mm:ss[.fffffff]}. */
  static String text(Duration span) {
    long ticks = ticks(span);
    long seconds = Math.abs(ticks / TICKS_PER_SECOND);
    StringBuilder text = new StringBuilder(27);
    if (ticks < 0) {
      text.append('-');
    }
    long days = seconds / 86_400;
    if (days != 0) {
      text.append(days).append('.');
    }
    appendTime(text, LocalTime.ofSecondOfDay(seconds % 86_400));
    int fraction = (int) Math.abs(ticks % TICKS_PER_SECOND);
    if (fraction != 0) {
      appendTicks(text, fraction);
    }
    return text.toString();
  }

  private static int ticksOfSecond(LocalTime time) {
    return time.get(ChronoField.NANO_OF_SECOND) / NANOS_PER_TICK;
  }

  private static void appendTime(StringBuilder text, LocalTime time) {
    appendTwo(text, time.getHour());
    appendTwo(text.append(':'), time.getMinute());
    appendTwo(text.append(':'), time.getSecond());
  }

  private static void appendTwo(StringBuilder text, int number) {
    text.append((char) ('0' + number / 10)).append((char) ('0' + number % 10));
  }

  private static void appendTicks(StringBuilder text, int ticks) {
    String digits = Integer.toString(ticks);
    text.append('.').repeat('0', TICK_DIGITS - digits.length()).append(digits);
  }

  // ---- From text

  static LocalDate date(String text) {
    return date(match(DATE_ONLY, text));
  }

  static LocalTime time(String text) {
    return time(match(TIME_ONLY, text), 1);
  }

  /** Reads a time without a zone, or the time of a clock in UTC. */
  static LocalDateTime localDateTime(String text) {
    Matcher parts = match(DATE_TIME, text);
    String zone = parts.group(8);
    if (zone != null && !zone.equals("Z")) {
      throw new IllegalArgumentException("time has an offset: " + text);
    }
    return LocalDateTime.of(date(parts), time(parts, 4));
  }

  static Instant instant(String text) {
    return offsetDateTime(text).toInstant();
  }

  static OffsetDateTime offsetDateTime(String text) {
    Matcher parts = match(DATE_TIME, text);
    String zone = parts.group(8);
    if (zone == null) {
      throw new IllegalArgumentException("time has no offset: " + text);
    }
    return OffsetDateTime.of(date(parts), time(parts, 4), ZoneOffset.of(zone));
  }

  /** Reads .NET's form, or ISO 8601's. */
  static Duration span(String text) {
    if (text.startsWith("P") || text.startsWith("-P")) {
      return Duration.parse(text);
    }
    Matcher parts = match(SPAN, text);
    LocalTime time = time(parts, 3);
    Duration span =
        Duration.ofDays(parts.group(2) == null ? 0 : number(parts, 2))
            .plusNanos(time.toNanoOfDay());
    return parts.group(1) == null ? span : span.negated();
  }

  private static LocalDate date(Matcher parts) {
    return requireDate(LocalDate.of(number(parts, 1), number(parts, 2), number(parts, 3)));
  }

  private static LocalTime time(Matcher parts, int first) {
    int second = parts.group(first + 2) == null ? 0 : number(parts, first + 2);
    String fraction = parts.group(first + 3);
    return LocalTime.of(
        number(parts, first),
        number(parts, first + 1),
        second,
        fraction == null ? 0 : nanos(fraction));
  }

  /** Returns the digits after a second in nanoseconds; those beyond nine are cut. */
  private static int nanos(String digits) {
    String cut = digits.substring(0, Math.min(digits.length(), NANO_DIGITS));
    return Integer.parseInt(cut + "0".repeat(NANO_DIGITS - cut.length()));
  }

  private static int number(Matcher parts, int group) {
    return Integer.parseInt(parts.group(group));
  }

  private static Matcher match(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("no " + pattern + ": " + text);
    }
    return matcher;
  }

  // ---- Numbers

  static long ticks(Duration span) {
    try {
      // A negative span has negative seconds and positive nanoseconds: towards zero, as .NET cuts.
      long seconds = span.getSeconds();
      int nanos = span.getNano();
      if (seconds < 0 && nanos != 0) {
        seconds++;
        nanos -= 1_000_000_000;
      }
      return Math.addExact(Math.multiplyExact(seconds, TICKS_PER_SECOND), nanos / NANOS_PER_TICK);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("duration exceeds .NET's: " + span, e);
    }
  }

  static Duration span(long ticks) {
    return Duration.ofSeconds(ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND * NANOS_PER_TICK);
  }

  static long ticks(LocalTime time) {
    return time.toNanoOfDay() / NANOS_PER_TICK;
  }

  static LocalTime time(long ticks) {
    return LocalTime.ofNanoOfDay(Math.multiplyExact(ticks, NANOS_PER_TICK));
  }

  /** Returns the days since 0001-01-01. */
  static long days(LocalDate date) {
    return requireDate(date).toEpochDay() - FIRST_DAY.toEpochDay();
  }

  static LocalDate date(long days) {
    return requireDate(LocalDate.ofEpochDay(Math.addExact(days, FIRST_DAY.toEpochDay())));
  }

  static int minutes(ZoneOffset offset) {
    return requireMinutes(offset).getTotalSeconds() / 60;
  }

  static ZoneOffset offset(int minutes) {
    return ZoneOffset.ofTotalSeconds(Math.multiplyExact(minutes, 60));
  }

  /** Refuses a time in a year that .NET does not have. */
  static Instant requireYear(Instant time) {
    requireDate(LocalDate.ofInstant(time, ZoneOffset.UTC));
    return time;
  }

  private static LocalDate requireDate(LocalDate date) {
    if (date.isBefore(FIRST_DAY) || date.isAfter(LAST_DAY)) {
      throw new IllegalArgumentException("year is not within 1 to 9999: " + date);
    }
    return date;
  }

  private static ZoneOffset requireMinutes(ZoneOffset offset) {
    if (offset.getTotalSeconds() % 60 != 0) {
      throw new IllegalArgumentException("offset has seconds: " + offset);
    }
    return offset;
  }
}
