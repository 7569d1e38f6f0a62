package dev.windhover.app;

import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How an option's value is written.
 *
 * @param name what the user is told to write, such as {@code time}; empty for a switch, which needs
 *     no value
 * @param read takes the text; throws {@link IllegalArgumentException}, whose message says what is
 *     expected
 * @param show writes a value as a user would
 */
record Value<V>(String name, Function<String, V> read, Function<V, String> show) {
  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d+)\\s*([a-zA-Z]*)");

  private static final Map<String, Duration> TIMES =
      Map.of(
          "ms", Duration.ofMillis(1),
          "s", Duration.ofSeconds(1),
          "m", Duration.ofMinutes(1),
          "h", Duration.ofHours(1),
          "d", Duration.ofDays(1));

  private static final Map<String, Long> SIZES =
      Map.of("", 1L, "b", 1L, "kib", 1L << 10, "mib", 1L << 20, "gib", 1L << 30);

  static final Value<Duration> TIME = new Value<>("time", Value::time, Value::show);

  /** A number of bytes. */
  static final Value<Long> LARGE_SIZE = new Value<>("size", Value::size, Value::show);

  /** A number of bytes that is an {@code int}. */
  static final Value<Integer> SIZE =
      new Value<>("size", Value::smallSize, size -> show(size.longValue()));

  static final Value<Integer> NUMBER = new Value<>("number", Value::number, String::valueOf);
  static final Value<Path> FILE = new Value<>("file", Path::of, Path::toString);
  static final Value<String> TEXT = new Value<>("text", text -> text, text -> text);
  static final Value<Boolean> SWITCH = new Value<>("", Value::isOn, String::valueOf);

  /** Several of {@code what}, separated by {@code ;} or {@code ,}. */
  static Value<String[]> several(String what) {
    return new Value<>(
        what, text -> text.strip().split("\\s*[;,]\\s*", -1), each -> String.join(";", each));
  }

  /** One of the constants of {@code type}, whatever its case. */
  static <E extends Enum<E>> Value<E> oneOf(Class<E> type) {
    E[] all = type.getEnumConstants();
    String names =
        Stream.of(all).map(each -> lowerCase(each.name())).collect(Collectors.joining(", "));
    return new Value<>(
        "name",
        text ->
            Stream.of(all)
                .filter(each -> each.name().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> unreadable(text, "one of " + names)),
        each -> lowerCase(each.name()));
  }

  // ---- Times

  private static Duration time(String text) {
    try {
      if (text.startsWith("P")) {
        return Duration.parse(text);
      }
      Matcher parts = NUMBER_AND_UNIT.matcher(text);
      if (parts.matches()) {
        long number = Long.parseLong(parts.group(1));
        Duration unit = TIMES.get(lowerCase(parts.group(2)));
        if (unit != null) {
          return unit.multipliedBy(number);
        }
        if (number == 0) {
          return Duration.ZERO;
        }
      }
    } catch (DateTimeException | ArithmeticException | NumberFormatException e) {
      // as any other text
    }
    throw unreadable(text, "a time such as 500ms, 30s, 2m, 1h or PT30S");
  }

  private static String show(Duration time) {
    long millis = time.toMillis();
    if (millis == 0) {
      return "0";
    }
    return millis % 60_000 == 0
        ? millis / 60_000 + "m"
        : millis % 1_000 == 0 ? millis / 1_000 + "s" : millis + "ms";
  }

  // ---- Sizes

  private static long size(String text) {
    Matcher parts = NUMBER_AND_UNIT.matcher(text);
    Long unit = parts.matches() ? SIZES.get(lowerCase(parts.group(2))) : null;
    try {
      if (unit != null) {
        return Math.multiplyExact(Long.parseLong(parts.group(1)), unit);
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // as any other text
    }
    throw unreadable(text, "a size such as 65536, 64KiB, 1MiB or 2GiB");
  }

  private static int smallSize(String text) {
    long size = size(text);
    if (size > Integer.MAX_VALUE) {
      throw unreadable(text, "less than 2GiB");
    }
    return (int) size;
  }

  private static String show(long size) {
    if (size == 0 || size % 1024 != 0) {
      return String.valueOf(size);
    }
    return size % (1 << 20) == 0 ? (size >> 20) + "MiB" : (size >> 10) + "KiB";
  }

  // ---- Others

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw unreadable(text, "a whole number such as 100");
    }
  }

  private static boolean isOn(String text) {
    return switch (lowerCase(text)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw unreadable(text, "true or false");
    };
  }

  private static String lowerCase(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  private static IllegalArgumentException unreadable(String text, String expected) {
    return new IllegalArgumentException("\"" + text + "\" is not " + expected);
  }
}
