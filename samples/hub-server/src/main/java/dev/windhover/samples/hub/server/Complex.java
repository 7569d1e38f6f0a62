package dev.windhover.samples.hub.server;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonIgnore;
import java.math.BigDecimal;
import java.time.DayOfWeek;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Common kinds of values. Some properties have names that no field of Java can have. */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
public final class Complex {
  @Nullable String string;
  int @Nullable [] intArray;
  byte @Nullable [] byteArray;
  UUID guid = new UUID(0, 0);
  Instant dateTime = Instant.parse("0001-01-01T00:00:00Z");
  @JsonIgnore private double doubleValue;
  BigDecimal decimal = BigDecimal.ZERO;
  @JsonIgnore private long longValue;
  boolean bool;
  @JsonIgnore private DayOfWeek enumValue = DayOfWeek.SUNDAY;
  @Nullable Map<String, Integer> map;
  @Nullable Integer nothing;

  /** Returns one in which each property has a value of its own, but for the last. */
  static Complex full() {
    Complex full = new Complex();
    full.string = "hé<&>€";
    full.intArray = new int[] {1, 2, 3};
    full.byteArray = new byte[] {0, 1, (byte) 0xfe, (byte) 0xff};
    full.guid = UUID.fromString("00010203-0405-0607-0706-050403020100");
    full.dateTime = Instant.parse("2000-01-02T03:04:05.678Z");
    full.doubleValue = 1.5;
    full.decimal = new BigDecimal("1.10");
    full.longValue = Long.MAX_VALUE;
    full.bool = true;
    full.enumValue = DayOfWeek.TUESDAY;
    full.map = new LinkedHashMap<>();
    full.map.put("a", 1);
    full.map.put("B", 2);
    return full;
  }

  /** Returns the property Double. */
  public double getDouble() {
    return doubleValue;
  }

  /** Sets the property Double. */
  public void setDouble(double value) {
    doubleValue = value;
  }

  /** Returns the property Long. */
  public long getLong() {
    return longValue;
  }

  /** Sets the property Long. */
  public void setLong(long value) {
    longValue = value;
  }

  /** Returns the property Enum. */
  public DayOfWeek getEnum() {
    return enumValue;
  }

  /** Sets the property Enum. */
  public void setEnum(DayOfWeek value) {
    enumValue = value;
  }
}
