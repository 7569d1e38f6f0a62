package dev.windhover.hubs.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.math.BigDecimal;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the reference answered to MakeComplex and MakeKinds, byte for byte in MessagePack. */
class RecordedValuesTest {
  private static final String COMPLEX_JSON =
      "{\"string\":\"hé<&>€\",\"intArray\":[1,2,3],\"byteArray\":\"AAH+/w==\","
          + "\"guid\":\"00010203-0405-0607-0706-050403020100\","
          + "\"dateTime\":\"2000-01-02T03:04:05.678Z\",\"double\":1.5,\"decimal\":1.10,"
          + "\"long\":9223372036854775807,\"bool\":true,\"enum\":2,\"map\":{\"a\":1,\"B\":2},"
          + "\"nothing\":null}";

  private static final String COMPLEX_HEX =
      "8ca6537472696e67a968c3a93c263ee282aca8496e74417272617993010203a9427974654172726179c4040001"
          + "feffa447756964d92430303031303230332d303430352d303630372d303730362d303530343033303230"
          + "313030a84461746554696d65d7ffa1a5d600386ec025a6446f75626c65cb3ff8000000000000a744656369"
          + "6d616ca4312e3130a44c6f6e67cf7fffffffffffffffa4426f6f6cc3a4456e756da754756573646179a34d"
          + "617082a16101a14202a74e6f7468696e67c0";

  // But for 1E+300, -0 and 5: the same numbers as Java writes them.
  private static final String KINDS_JSON =
      "{\"date\":\"2001-02-03\",\"time\":\"04:05:06.7890000\",\"span\":\"1.02:03:04.5000000\","
          + "\"offset\":\"2001-02-03T04:05:06.789+02:00\",\"local\":\"2001-02-03T04:05:00\","
          + "\"float\":0.1,\"char\":\"x\",\"uInt\":4294967295,\"uLong\":18446744073709551615,"
          + "\"small\":-5,\"doubles\":[0.1,1.0E300,-0.0,5.0],\"set\":[\"b\",\"a\"],"
          + "\"byDay\":{\"Monday\":1},\"maybe\":5,\"inner\":{\"name\":\"n\",\"value\":1}}";

  private static final String KINDS_HEX =
      "8fa444617465ce000b2596a454696d65cf000000223dede950a45370616ecf000000da5beb0740a64f66667365"
          + "7492d7ffbc1cbd003a7b837278a54c6f63616cd6ff3a7b836ca5466c6f6174ca3dcccccda44368617278a4"
          + "55496e74ceffffffffa5554c6f6e67cfffffffffffffffffa5536d616c6cfba7446f75626c657394cb3fb9"
          + "99999999999acb7e37e43c8800759ccb8000000000000000cb4014000000000000a353657492a162a161a5"
          + "427944617981a64d6f6e64617901a54d61796265a6467269646179a5496e6e657282a44e616d65a16ea556"
          + "616c756501";

  private final Wire wire = new Wire(ValueOptions.DEFAULT);

  record Custom(@Nullable String name, int value) {}

  /** A record of .NET's names, for those that Java has no other place for. */
  @SuppressWarnings("ArrayRecordComponent") // its equals is not asked
  record Complex(
      String string,
      List<Integer> intArray,
      byte[] byteArray,
      UUID guid,
      Instant dateTime,
      double Double,
      BigDecimal decimal,
      long Long,
      boolean bool,
      DayOfWeek Enum,
      Map<String, Integer> map,
      @Nullable Integer nothing) {}

  /** A bean, whose properties keep their defaults if they are left out. */
  // Jackson's order is that of fields, and two cannot have their property's name.
  @JsonPropertyOrder({
    "date", "time", "span", "offset", "local", "float", "char", "uInt", "uLong", "small"
  })
  static final class Kinds {
    private LocalDate date = LocalDate.of(1, 1, 1);
    private LocalTime time = LocalTime.MIDNIGHT;
    private Duration span = Duration.ZERO;
    private OffsetDateTime offset = OffsetDateTime.parse("0001-01-01T00:00:00Z");
    private LocalDateTime local = LocalDateTime.parse("0001-01-01T00:00:00");
    private float floating = 0;
    private char character = '\0';
    private int uInt = 0;
    private long uLong = 0;
    private byte small = 0;
    private double @Nullable [] doubles;
    private @Nullable Set<String> set;
    private @Nullable Map<DayOfWeek, Integer> byDay;
    private @Nullable DayOfWeek maybe;
    private @Nullable Custom inner;

    public LocalDate getDate() {
      return date;
    }

    public void setDate(LocalDate date) {
      this.date = date;
    }

    public LocalTime getTime() {
      return time;
    }

    public void setTime(LocalTime time) {
      this.time = time;
    }

    public Duration getSpan() {
      return span;
    }

    public void setSpan(Duration span) {
      this.span = span;
    }

    public OffsetDateTime getOffset() {
      return offset;
    }

    public void setOffset(OffsetDateTime offset) {
      this.offset = offset;
    }

    public LocalDateTime getLocal() {
      return local;
    }

    public void setLocal(LocalDateTime local) {
      this.local = local;
    }

    public float getFloat() {
      return floating;
    }

    public void setFloat(float floating) {
      this.floating = floating;
    }

    public char getChar() {
      return character;
    }

    public void setChar(char character) {
      this.character = character;
    }

    @Unsigned
    public int getUInt() {
      return uInt;
    }

    @Unsigned
    public void setUInt(int uInt) {
      this.uInt = uInt;
    }

    @Unsigned
    public long getULong() {
      return uLong;
    }

    @Unsigned
    public void setULong(long uLong) {
      this.uLong = uLong;
    }

    public byte getSmall() {
      return small;
    }

    public void setSmall(byte small) {
      this.small = small;
    }

    public double @Nullable [] getDoubles() {
      return doubles;
    }

    public void setDoubles(double @Nullable [] doubles) {
      this.doubles = doubles;
    }

    public @Nullable Set<String> getSet() {
      return set;
    }

    public void setSet(@Nullable Set<String> set) {
      this.set = set;
    }

    public @Nullable Map<DayOfWeek, Integer> getByDay() {
      return byDay;
    }

    public void setByDay(@Nullable Map<DayOfWeek, Integer> byDay) {
      this.byDay = byDay;
    }

    public @Nullable DayOfWeek getMaybe() {
      return maybe;
    }

    public void setMaybe(@Nullable DayOfWeek maybe) {
      this.maybe = maybe;
    }

    public @Nullable Custom getInner() {
      return inner;
    }

    public void setInner(@Nullable Custom inner) {
      this.inner = inner;
    }
  }

  private static Kinds kinds() {
    Kinds kinds = new Kinds();
    kinds.setDate(LocalDate.of(2001, 2, 3));
    kinds.setTime(LocalTime.parse("04:05:06.789"));
    kinds.setSpan(Duration.parse("P1DT2H3M4.5S"));
    kinds.setOffset(OffsetDateTime.parse("2001-02-03T04:05:06.789+02:00"));
    kinds.setLocal(LocalDateTime.parse("2001-02-03T04:05"));
    kinds.setFloat(0.1f);
    kinds.setChar('x');
    kinds.setUInt(-1);
    kinds.setULong(-1);
    kinds.setSmall((byte) -5);
    kinds.setDoubles(new double[] {0.1, 1e300, -0.0, 5});
    kinds.setSet(new LinkedHashSet<>(List.of("b", "a")));
    kinds.setByDay(Map.of(DayOfWeek.MONDAY, 1));
    kinds.setMaybe(DayOfWeek.FRIDAY);
    kinds.setInner(new Custom("n", 1));
    return kinds;
  }

  private static Complex complex() {
    Map<String, Integer> map = new LinkedHashMap<>();
    map.put("a", 1);
    map.put("B", 2);
    return new Complex(
        "hé<&>€",
        List.of(1, 2, 3),
        new byte[] {0, 1, (byte) 0xFE, (byte) 0xFF},
        UUID.fromString("00010203-0405-0607-0706-050403020100"),
        Instant.parse("2000-01-02T03:04:05.678Z"),
        1.5,
        new BigDecimal("1.10"),
        Long.MAX_VALUE,
        true,
        DayOfWeek.TUESDAY,
        map,
        null);
  }

  @Test
  void complexIsAsRecorded() {
    assertThat(wire.toJson(complex())).isEqualTo(COMPLEX_JSON);
    assertThat(wire.toHex(complex())).isEqualTo(COMPLEX_HEX);
    Complex read = wire.fromJson(Complex.class, COMPLEX_JSON);
    assertThat(wire.toHex(read)).isEqualTo(COMPLEX_HEX);
    Complex unpacked = wire.fromHex(Complex.class, COMPLEX_HEX);
    assertThat(wire.toJson(unpacked)).isEqualTo(COMPLEX_JSON);
  }

  @Test
  void kindsAreAsRecorded() {
    assertThat(wire.toJson(kinds())).isEqualTo(KINDS_JSON);
    assertThat(wire.toHex(kinds())).isEqualTo(KINDS_HEX);
    Kinds read = wire.fromJson(Kinds.class, KINDS_JSON);
    assertThat(wire.toHex(read)).isEqualTo(KINDS_HEX);
    Kinds unpacked = wire.fromHex(Kinds.class, KINDS_HEX);
    assertThat(wire.toJson(unpacked)).isEqualTo(KINDS_JSON);
  }

  @Test
  void kindsThatAreLeftOutAreAsRecorded() {
    String json =
        "{\"date\":\"0001-01-01\",\"time\":\"04:05:00\",\"span\":\"00:00:00\","
            + "\"offset\":\"0001-01-01T00:00:00+00:00\",\"local\":\"0001-01-01T00:00:00\","
            + "\"float\":0.0,\"char\":\"\\u0000\",\"uInt\":0,\"uLong\":0,\"small\":0,"
            + "\"doubles\":null,\"set\":null,\"byDay\":null,\"maybe\":null,\"inner\":null}";
    Kinds kinds = wire.fromJson(Kinds.class, "{\"time\":\"04:05\"}");
    assertThat(wire.toJson(kinds)).isEqualTo(json);
    assertThat(wire.toHex(new Kinds()))
        .isEqualTo(
            "8fa44461746500a454696d6500a45370616e00a64f666673657492c70cff00000000fffffff1886e0900"
                + "00a54c6f63616cc70cff00000000fffffff1886e0900a5466c6f6174ca00000000a44368617200a4"
                + "55496e7400a5554c6f6e6700a5536d616c6c00a7446f75626c6573c0a3536574c0a54279446179"
                + "c0a54d61796265c0a5496e6e6572c0");
  }
}
