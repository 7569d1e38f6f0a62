package dev.windhover.samples.hub.server;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.windhover.hubs.protocol.Unsigned;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Less common kinds of values; what a client leaves out is as .NET's defaults are. */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
@JsonPropertyOrder({
  "date", "time", "span", "offset", "local", "float", "char", "uInt", "uLong", "small"
})
public final class Kinds {
  private static final LocalDate FIRST_DAY = LocalDate.of(1, 1, 1);

  LocalDate date = FIRST_DAY;
  LocalTime time = LocalTime.MIDNIGHT;
  Duration span = Duration.ZERO;
  OffsetDateTime offset = FIRST_DAY.atStartOfDay().atOffset(ZoneOffset.UTC);
  LocalDateTime local = FIRST_DAY.atStartOfDay();
  @JsonIgnore private float floatValue;
  @JsonIgnore private char charValue;
  @Unsigned int uInt;
  @Unsigned long uLong;
  byte small;
  double @Nullable [] doubles;
  @Nullable Set<String> set;
  @Nullable Map<DayOfWeek, Integer> byDay;
  @Nullable DayOfWeek maybe;
  @Nullable Custom inner;

  /** Returns one in which each property has a value of its own. */
  static Kinds full() {
    Kinds full = new Kinds();
    full.date = LocalDate.of(2001, 2, 3);
    full.time = LocalTime.of(4, 5, 6, 789_000_000);
    full.span = Duration.ofDays(1).plusHours(2).plusMinutes(3).plusSeconds(4).plusMillis(500);
    full.offset = full.date.atTime(full.time).atOffset(ZoneOffset.ofHours(2));
    full.local = full.date.atTime(4, 5);
    full.floatValue = 0.1F;
    full.charValue = 'x';
    full.uInt = -1; // the largest
    full.uLong = -1;
    full.small = -5;
    full.doubles = new double[] {0.1, 1e300, -0.0, 5};
    full.set = new LinkedHashSet<>(List.of("b", "a"));
    full.byDay = new LinkedHashMap<>(Map.of(DayOfWeek.MONDAY, 1));
    full.maybe = DayOfWeek.FRIDAY;
    full.inner = new Custom("n", 1);
    return full;
  }

  /** Returns the property Float. */
  public float getFloat() {
    return floatValue;
  }

  /** Sets the property Float. */
  public void setFloat(float value) {
    floatValue = value;
  }

  /** Returns the property Char. */
  public char getChar() {
    return charValue;
  }

  /** Sets the property Char. */
  public void setChar(char value) {
    charValue = value;
  }
}
