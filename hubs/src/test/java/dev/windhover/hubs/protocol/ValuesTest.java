package dev.windhover.hubs.protocol;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.windhover.hubs.protocol.ValueOptions.PropertyNames;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import tools.jackson.core.type.TypeReference;

/**
 * The table of values in docs/hubs.md, row by row. What a comment calls recorded is what the
 * reference answered.
 */
class ValuesTest {
  private final Wire wire = new Wire(ValueOptions.DEFAULT);

  record Custom(@Nullable String name, int value) {}

  enum Result {
    OK,
    NOT_FOUND,
    gone
  }

  private void bothWays(Object value, String json, String hex) {
    bothWays(value.getClass(), value, json, hex);
  }

  private void bothWays(Type type, @Nullable Object value, String json, String hex) {
    assertThat(wire.toJson(value)).isEqualTo(json);
    assertThat(wire.toHex(value)).isEqualTo(hex.replace(" ", ""));
    assertThat(wire.<Object>fromJson(type, json)).isEqualTo(value);
    assertThat(wire.<Object>fromHex(type, hex)).isEqualTo(value);
  }

  private void refusesJson(Type type, String json) {
    assertThatExceptionOfType(Wire.Misfit.class)
        .as("%s from %s", type, json)
        .isThrownBy(() -> wire.fromJson(type, json));
  }

  private void refusesHex(Type type, String hex) {
    assertThatExceptionOfType(Wire.Misfit.class)
        .as("%s from %s", type, hex)
        .isThrownBy(() -> wire.fromHex(type, hex));
  }

  private void refusesToWrite(Object value) {
    assertThatIllegalArgumentException().isThrownBy(() -> wire.toJson(value));
    assertThatIllegalArgumentException().isThrownBy(() -> wire.toHex(value));
  }

  @Nested
  class Objects {
    @Test
    void namesAreInCamelCaseInJsonAndWithACapitalInMessagePack() {
      bothWays(
          new Custom("n", 3),
          "{\"name\":\"n\",\"value\":3}",
          "82 a4 4e616d65 a1 6e a5 56616c7565 03"); // recorded
    }

    @Test
    void namesAreReadInAnyCase() {
      assertThat(wire.<Custom>fromJson(Custom.class, "{\"NAME\":\"n\",\"Value\":3}"))
          .isEqualTo(new Custom("n", 3));
      assertThat(wire.<Custom>fromHex(Custom.class, "82 a4 6e616d65 a1 6e a5 76616c7565 03"))
          .isEqualTo(new Custom("n", 3)); // better than recorded
    }

    @Test
    void namesCanBeAsDeclared() {
      Wire declared =
          new Wire(ValueOptions.DEFAULT.withMessagePackNames(PropertyNames.AS_DECLARED));
      assertThat(declared.toHex(new Custom("n", 3))).isEqualTo("82a46e616d65a16ea576616c756503");
    }

    record Capitals(int URL, int URLPath, int ID3, int plain, int X) {}

    @Test
    void capitalsAtTheBeginningAreSmallLettersInJson() {
      assertThat(wire.toJson(new Capitals(1, 2, 3, 4, 5)))
          .isEqualTo("{\"url\":1,\"urlPath\":2,\"iD3\":3,\"plain\":4,\"x\":5}");
    }

    record Renamed(@JsonProperty("x-Name") String name) {}

    @Test
    void explicitNamesStay() {
      bothWays(new Renamed("n"), "{\"x-Name\":\"n\"}", "81 a6 782d4e616d65 a1 6e");
    }

    @Test
    void propertiesThatAreLeftOutAreZeroOrNull() {
      assertThat(wire.<Custom>fromJson(Custom.class, "{}")).isEqualTo(new Custom(null, 0));
      assertThat(wire.<Custom>fromHex(Custom.class, "80")).isEqualTo(new Custom(null, 0));
    }

    @Test
    void unknownPropertiesAreSkipped() {
      assertThat(wire.<Custom>fromJson(Custom.class, "{\"name\":\"n\",\"other\":[1]}"))
          .isEqualTo(new Custom("n", 0));
      assertThat(wire.<Custom>fromHex(Custom.class, "82 a5 6f74686572 91 01 a4 4e616d65 a1 6e"))
          .isEqualTo(new Custom("n", 0));
    }

    /** A bean, as Java has had them before records. */
    static final class Bean {
      private String text = "kept";
      private int count;

      public String getText() {
        return text;
      }

      public void setText(String text) {
        this.text = text;
      }

      public int getCount() {
        return count;
      }

      public void setCount(int count) {
        this.count = count;
      }
    }

    @Test
    void beansKeepWhatIsLeftOut() {
      Bean bean = requireNonNull(wire.<Bean>fromJson(Bean.class, "{\"count\":2}"));
      assertThat(bean.getText()).isEqualTo("kept");
      assertThat(wire.toJson(bean)).isEqualTo("{\"text\":\"kept\",\"count\":2}");
      assertThat(wire.toHex(bean)).isEqualTo("82a454657874a46b657074a5436f756e7402");
    }

    @Test
    void anObjectOfMoreThanFifteenPropertiesHasALongerHeader() {
      Map<String, Integer> map = new LinkedHashMap<>();
      StringBuilder hex = new StringBuilder("de0010");
      for (int i = 0; i < 16; i++) {
        map.put("k" + (char) ('a' + i), i);
        hex.append("a26b%02x%02x".formatted('a' + i, i));
      }
      assertThat(wire.toHex(map)).isEqualTo(hex.toString());
    }
  }

  @Nested
  class Enums {
    @Test
    void areNumbersInJsonAndNamesInMessagePack() {
      bothWays(Result.NOT_FOUND, "1", "a8 4e6f74466f756e64");
    }

    @Test
    void theWeekBeginsWithSunday() {
      bothWays(DayOfWeek.TUESDAY, "2", "a7 54756573646179"); // recorded
      bothWays(DayOfWeek.SUNDAY, "0", "a6 53756e646179");
    }

    @Test
    void areReadByNameInAnyCaseAndByNumber() {
      for (String name : List.of("NotFound", "NOT_FOUND", "notfound", "not_found")) {
        assertThat(wire.<Result>fromJson(Result.class, '"' + name + '"'))
            .isEqualTo(Result.NOT_FOUND);
      }
      assertThat(wire.<Result>fromHex(Result.class, "01")).isEqualTo(Result.NOT_FOUND);
      assertThat(wire.<DayOfWeek>fromHex(DayOfWeek.class, "a7 54554553444159"))
          .isEqualTo(DayOfWeek.TUESDAY);
    }

    @Test
    void othersAreRefused() {
      refusesJson(Result.class, "3");
      refusesJson(Result.class, "-1");
      refusesJson(Result.class, "\"1\"");
      refusesJson(Result.class, "\"lost\"");
      refusesJson(Result.class, "true");
    }

    @Test
    void canBeStringsInJson() {
      Wire strings = new Wire(ValueOptions.DEFAULT.withEnumsAsStrings(true));
      assertThat(strings.toJson(Result.NOT_FOUND)).isEqualTo("\"NotFound\"");
      assertThat(strings.toJson(Result.gone)).isEqualTo("\"Gone\"");
    }

    enum Named {
      @JsonProperty("the-first")
      FIRST,
      SECOND {
        @Override
        public String toString() {
          return "a constant with a body";
        }
      }
    }

    @Test
    void explicitNamesStay() {
      assertThat(wire.toHex(Named.FIRST)).isEqualTo("a97468652d6669727374");
      assertThat(wire.toHex(Named.SECOND)).isEqualTo("a65365636f6e64");
      assertThat(wire.toJson(Named.SECOND)).isEqualTo("1");
      assertThat(wire.<Named>fromJson(Named.class, "\"The-First\"")).isEqualTo(Named.FIRST);
    }

    enum Coded {
      LOW(10),
      HIGH(90);

      private final int code;

      Coded(int code) {
        this.code = code;
      }

      @JsonValue
      int code() {
        return code;
      }
    }

    @Test
    void canHaveAValueOfTheirOwn() {
      bothWays(Coded.HIGH, "90", "5a");
    }

    enum Made {
      ONE;

      @JsonCreator
      static Made of(String text) {
        return valueOf(text.substring(1));
      }
    }

    @Test
    void canHaveAFactoryOfTheirOwn() {
      assertThat(wire.<Made>fromJson(Made.class, "\"xONE\"")).isEqualTo(Made.ONE);
    }
  }

  @Nested
  class Numbers {
    @Test
    void integersAreNumbersOfTheirSize() {
      bothWays((byte) -5, "-5", "fb"); // recorded
      bothWays((short) 300, "300", "cd 012c");
      bothWays(-70_000, "-70000", "d2 fffeee90");
      bothWays(Long.MAX_VALUE, "9223372036854775807", "cf 7fffffffffffffff"); // recorded
      bothWays(Long.MIN_VALUE, "-9223372036854775808", "d3 8000000000000000");
    }

    @Test
    void integersOutOfRangeAreRefused() {
      refusesJson(byte.class, "128");
      refusesJson(short.class, "32768");
      refusesJson(int.class, "3000000000"); // recorded
      refusesJson(long.class, "9223372036854775808");
      refusesHex(byte.class, "cc 80");
      refusesHex(short.class, "cd 8000");
      refusesHex(int.class, "ce ffffffff");
      refusesHex(long.class, "cf ffffffffffffffff");
    }

    @Test
    void fractionsAreNoIntegers() {
      for (Type type : List.of(byte.class, short.class, int.class, long.class, Integer.class)) {
        refusesJson(type, "1.5"); // recorded
        refusesJson(type, "1.0");
        refusesHex(type, "cb 3ff0000000000000");
      }
    }

    @Test
    void longsCanBeStringsInJson() {
      Wire strings = new Wire(ValueOptions.DEFAULT.withLongsAsStrings(true));
      assertThat(strings.toJson(Long.MAX_VALUE)).isEqualTo("\"9223372036854775807\"");
      assertThat(strings.toJson(new long[] {1, 2})).isEqualTo("[\"1\",\"2\"]");
      assertThat(strings.toJson(List.of(1L))).isEqualTo("[\"1\"]");
      assertThat(strings.toJson(1)).isEqualTo("1");
      assertThat(strings.<Long>fromJson(long.class, "\"5\"")).isEqualTo(5);
      assertThat(strings.<Long>fromJson(long.class, "5")).isEqualTo(5);
      assertThat(strings.<long[]>fromJson(long[].class, "[\"1\",2]")).containsExactly(1, 2);
      assertThat(strings.toHex(1L)).isEqualTo("01");
    }

    @Test
    void floatsHave32Bits() {
      bothWays(0.1f, "0.1", "ca 3dcccccd"); // recorded
      bothWays(0.1, "0.1", "cb 3fb999999999999a"); // recorded
      bothWays(-0.0, "-0.0", "cb 8000000000000000");
    }

    @Test
    void floatsAreReadFromIntegersToo() {
      assertThat(wire.<Double>fromJson(double.class, "3")).isEqualTo(3);
      assertThat(wire.<Double>fromHex(double.class, "03")).isEqualTo(3); // recorded
      assertThat(wire.<Float>fromHex(float.class, "01")).isEqualTo(1); // recorded
    }

    @Test
    void messagePackAloneHasNumbersThatAreNotFinite() {
      assertThat(wire.toHex(Double.NaN)).isEqualTo("cb7ff8000000000000");
      assertThat(wire.<Double>fromHex(double.class, "cb 7ff0000000000000"))
          .isEqualTo(Double.POSITIVE_INFINITY);
      for (Object value :
          List.of(
              Double.NaN,
              Float.NEGATIVE_INFINITY,
              new double[] {Double.NaN},
              List.of(Double.NaN),
              Map.of("a", Float.NaN),
              new float[] {Float.NaN})) {
        assertThatIllegalArgumentException().isThrownBy(() -> wire.toJson(value));
      }
      refusesJson(double.class, "\"NaN\""); // recorded
      refusesJson(double[].class, "[\"NaN\"]"); // recorded
      refusesJson(double.class, "1e999");
      refusesJson(Double.class, "1e999");
      refusesJson(float.class, "1e39");
      refusesJson(double[].class, "[1e999]");
    }

    @Test
    void decimalsArePlainNumbersInJsonAndTextInMessagePack() {
      bothWays(new BigDecimal("1.10"), "1.10", "a4 312e3130"); // recorded
      bothWays(
          new BigInteger("12345678901234567890"),
          "12345678901234567890",
          "b4 3132333435363738393031323334353637383930");
      assertThat(wire.toJson(new BigDecimal("1E+3"))).isEqualTo("1000");
      assertThat(wire.toHex(new BigDecimal("1E+3"))).isEqualTo("a431303030");
      refusesJson(BigDecimal.class, "\"1.10\"");
      refusesHex(BigDecimal.class, "01");
      refusesHex(BigDecimal.class, "cb 3ff0000000000000");
      refusesHex(BigInteger.class, "01");
    }

    @Test
    void decimalsThatWouldTakeMuchMemoryAreRefused() {
      refusesJson(BigDecimal.class, "1e1000000000");
      refusesHex(BigDecimal.class, "ac 316531303030303030303030");
      refusesJson(BigInteger.class, "1e1000000000");
      refusesHex(BigInteger.class, "da 4e20" + "39".repeat(20_000));
    }

    record Counters(@Unsigned int small, @Unsigned long large) {}

    @Test
    void propertiesCanBeWithoutASign() {
      bothWays(
          new Counters(-1, -1),
          "{\"small\":4294967295,\"large\":18446744073709551615}",
          "82 a5 536d616c6c ce ffffffff a5 4c61726765 cf ffffffffffffffff"); // recorded
      assertThat(wire.<Counters>fromJson(Counters.class, "{}")).isEqualTo(new Counters(0, 0));
      refusesJson(Counters.class, "{\"small\":-1}"); // recorded
      refusesJson(Counters.class, "{\"small\":4294967296}");
      refusesJson(Counters.class, "{\"large\":18446744073709551616}");
      refusesJson(Counters.class, "{\"large\":null}");
    }
  }

  @Nested
  class Conversions {
    @Test
    void betweenKindsAreOff() {
      refusesJson(int.class, "\"1\""); // recorded
      refusesJson(double.class, "\"0.1\""); // recorded
      refusesJson(String.class, "5"); // recorded
      refusesJson(String.class, "true");
      refusesJson(boolean.class, "1");
      refusesJson(boolean.class, "\"true\"");
      refusesJson(int.class, "true");
      refusesJson(int[].class, "[\"1\"]");
      refusesJson(String[].class, "[1]");
      refusesJson(new TypeReference<List<String>>() {}.getType(), "[1]");
      refusesJson(new TypeReference<List<Integer>>() {}.getType(), "1");
      refusesJson(new TypeReference<Map<String, Integer>>() {}.getType(), "{\"a\":\"1\"}");
      refusesJson(int[].class, "1");
      refusesJson(int[].class, "\"\"");
      refusesJson(Custom.class, "\"\"");
      refusesJson(Custom.class, "[]");
      refusesHex(String.class, "05");
      refusesHex(int.class, "a1 31");
      refusesHex(boolean.class, "01");
    }

    @Test
    void nullIsNoPrimitive() {
      for (Type type :
          List.of(
              boolean.class,
              byte.class,
              short.class,
              char.class,
              int.class,
              long.class,
              float.class,
              double.class)) {
        refusesJson(type, "null"); // recorded for int
        refusesHex(type, "c0");
      }
      refusesJson(Custom.class, "{\"value\":null}");
      refusesJson(int[].class, "[null]");
      assertThat(wire.<Object>fromJson(Integer.class, "null")).isNull();
      assertThat(wire.<Object>fromHex(String.class, "c0")).isNull();
    }
  }

  @Nested
  class Text {
    @Test
    void lettersAreWrittenAsTheyAre() {
      bothWays(
          "hé€😀<&'\u2028", "\"hé€😀<&'\u2028\"", "b0 68 c3a9 e282ac f09f9880 3c 26 27 e280a8");
      bothWays("\"\\\n\u0001", "\"\\\"\\\\\\n\\u0001\"", "a4 225c0a01");
    }

    @Test
    void halfACharacterIsRefused() {
      refusesJson(String.class, "\"\\ud800\"");
      refusesJson(new TypeReference<List<String>>() {}.getType(), "[\"a\\udc00\"]");
      assertThatIllegalArgumentException().isThrownBy(() -> wire.toHex("\ud800"));
      assertThatIllegalArgumentException().isThrownBy(() -> wire.toHex(List.of("a\udc00")));
      assertThatIllegalArgumentException().isThrownBy(() -> wire.toJson("a\udc00"));
      assertThatIllegalArgumentException().isThrownBy(() -> wire.toJson(List.of("a\udc00")));
    }

    @Test
    void lengthsOfEverySizeAreWrittenShort() {
      assertThat(wire.toHex("a".repeat(31))).startsWith("bf61");
      assertThat(wire.toHex("a".repeat(32))).startsWith("d92061");
      assertThat(wire.toHex("é".repeat(16))).startsWith("d920c3a9");
      assertThat(wire.toHex("a".repeat(256))).startsWith("da010061");
      assertThat(wire.toHex("é".repeat(128))).startsWith("da0100c3a9");
      assertThat(wire.toHex("a".repeat(65_536))).startsWith("db0001000061");
    }

    @Test
    void charsAreTextInJsonAndUtf16InMessagePack() {
      bothWays('x', "\"x\"", "78"); // recorded
      bothWays('€', "\"€\"", "cd 20ac");
      refusesJson(char.class, "\"xy\""); // recorded
      refusesJson(char.class, "\"\"");
      refusesJson(char.class, "120");
      refusesHex(char.class, "a1 78"); // recorded
      refusesHex(char.class, "ce 00010000");
    }

    @Test
    void uuidsAreText() {
      bothWays(
          UUID.fromString("00010203-0405-0607-0706-050403020100"),
          "\"00010203-0405-0607-0706-050403020100\"",
          "d924 30303031303230332d303430352d303630372d303730362d303530343033303230313030");
      refusesJson(UUID.class, "\"1-1-1-1-1\"");
      refusesJson(UUID.class, "\"AAECAwQFBgcHBgUEAwIBAA==\"");
    }

    @Test
    void bytesAreBase64InJsonAndBinaryInMessagePack() {
      byte[] bytes = {0, 1, (byte) 0xFE, (byte) 0xFF};
      bothWays(bytes, "\"AAH+/w==\"", "c4 04 0001feff"); // recorded
      refusesJson(byte[].class, "[1]");
      refusesJson(byte[].class, "\"???\"");
      refusesHex(byte[].class, "a8 4141482b2f773d3d");
      refusesHex(byte[].class, "91 01");
    }
  }

  @Nested
  class Times {
    @Test
    void instants() {
      bothWays(
          Instant.parse("2000-01-02T03:04:05.678Z"),
          "\"2000-01-02T03:04:05.678Z\"",
          "d7 ff a1a5d600386ec025"); // recorded
      bothWays(Instant.EPOCH, "\"1970-01-01T00:00:00Z\"", "d6 ff 00000000");
      bothWays(
          Instant.parse("0001-01-01T00:00:00Z"),
          "\"0001-01-01T00:00:00Z\"",
          "c7 0c ff 00000000 fffffff1886e0900"); // recorded
    }

    @Test
    void digitsBeyondSevenAreNotWritten() {
      assertThat(wire.toJson(Instant.parse("2000-01-02T03:04:05.123456789Z")))
          .isEqualTo("\"2000-01-02T03:04:05.1234567Z\"");
      assertThat(wire.toJson(Instant.parse("2000-01-02T03:04:05.000000099Z")))
          .isEqualTo("\"2000-01-02T03:04:05Z\"");
    }

    @Test
    void digitsBeyondNineAreCut() {
      assertThat(wire.<Instant>fromJson(Instant.class, "\"2000-01-02T03:04:05.12345678901Z\""))
          .isEqualTo(Instant.parse("2000-01-02T03:04:05.123456789Z"));
    }

    @Test
    void instantsAreReadWithAnyOffsetButNotWithout() {
      assertThat(wire.<Instant>fromJson(Instant.class, "\"2000-01-02T03:04+02:00\""))
          .isEqualTo(Instant.parse("2000-01-02T01:04:00Z"));
      refusesJson(Instant.class, "\"2000-01-02T03:04:05\"");
      refusesJson(Instant.class, "946782245");
      refusesHex(Instant.class, "ce 386ec025");
      refusesHex(Instant.class, "b4 323030302d30312d30325430333a30343a30355a"); // recorded
    }

    @Test
    void localDateTimes() {
      bothWays(
          LocalDateTime.parse("2001-02-03T04:05"),
          "\"2001-02-03T04:05:00\"",
          "d6 ff 3a7b836c"); // recorded
      assertThat(wire.<LocalDateTime>fromJson(LocalDateTime.class, "\"2001-02-03T04:05Z\""))
          .isEqualTo(LocalDateTime.parse("2001-02-03T04:05"));
      refusesJson(LocalDateTime.class, "\"2001-02-03T04:05:00+02:00\"");
      refusesJson(LocalDateTime.class, "\"2001-02-30T04:05:00\"");
    }

    @Test
    void offsetDateTimes() {
      bothWays(
          OffsetDateTime.parse("2001-02-03T04:05:06.789+02:00"),
          "\"2001-02-03T04:05:06.789+02:00\"",
          "92 d7 ff bc1cbd003a7b8372 78"); // recorded
      assertThat(wire.<OffsetDateTime>fromJson(OffsetDateTime.class, "\"2001-02-03T04:05:06Z\""))
          .isEqualTo(OffsetDateTime.parse("2001-02-03T04:05:06Z"));
      assertThat(wire.toJson(OffsetDateTime.parse("2001-02-03T04:05:06Z")))
          .isEqualTo("\"2001-02-03T04:05:06+00:00\""); // recorded
      refusesJson(OffsetDateTime.class, "\"2001-02-03T04:05:06+02:00[Europe/Berlin]\"");
      refusesHex(OffsetDateTime.class, "91 d6 ff 00000000");
      refusesHex(OffsetDateTime.class, "93 d6 ff 00000000 00 00");
      refusesToWrite(OffsetDateTime.of(2001, 2, 3, 4, 5, 6, 0, ZoneOffset.ofTotalSeconds(1)));
    }

    @Test
    void localDates() {
      bothWays(LocalDate.of(2001, 2, 3), "\"2001-02-03\"", "ce 000b2596"); // recorded: 730518
      refusesJson(LocalDate.class, "\"2001-02-03T00:00:00\""); // recorded
      refusesHex(LocalDate.class, "aa 323030312d30322d3033"); // recorded
      refusesHex(LocalDate.class, "ff");
      refusesHex(LocalDate.class, "ce 0037b9db"); // 10000-01-01
      refusesToWrite(LocalDate.of(10_000, 1, 1));
      refusesToWrite(LocalDate.of(0, 12, 31));
    }

    @Test
    void localTimes() {
      bothWays(
          LocalTime.parse("04:05:06.789"),
          "\"04:05:06.7890000\"",
          "cf 000000223dede950"); // recorded: 147067890000
      bothWays(LocalTime.MIDNIGHT, "\"00:00:00\"", "00");
      assertThat(wire.<LocalTime>fromJson(LocalTime.class, "\"04:05\""))
          .isEqualTo(LocalTime.of(4, 5)); // recorded
      refusesJson(LocalTime.class, "\"24:00:00\"");
      refusesJson(LocalTime.class, "\"4:05\"");
      refusesHex(LocalTime.class, "cf 000000c92a69c000");
    }

    @Test
    void durations() {
      bothWays(
          Duration.parse("P1DT2H3M4.5S"),
          "\"1.02:03:04.5000000\"",
          "cf 000000da5beb0740"); // recorded: 937845000000
      bothWays(Duration.ofHours(-25), "\"-1.01:00:00\"", "d3 ffffff2e73d1d800");
      bothWays(Duration.ZERO, "\"00:00:00\"", "00"); // recorded
      bothWays(Duration.ofNanos(-100), "\"-00:00:00.0000001\"", "ff");
      bothWays(
          NetTimes.span(Long.MIN_VALUE),
          "\"-10675199.02:48:05.4775808\"", // TimeSpan.MinValue, as .NET writes it
          "d3 8000000000000000");
    }

    @Test
    void durationsAreReadInIsoToo() {
      assertThat(wire.<Duration>fromJson(Duration.class, "\"PT1H\""))
          .isEqualTo(Duration.ofHours(1)); // better than recorded
      assertThat(wire.<Duration>fromJson(Duration.class, "\"-PT1.5S\""))
          .isEqualTo(Duration.ofMillis(-1500));
      refusesJson(Duration.class, "\"25:00:00\""); // recorded
      refusesJson(Duration.class, "\"1:00\"");
      refusesHex(Duration.class, "a8 30313a30303a3030"); // recorded
    }

    @Test
    void durationsThatTicksDoNotHoldAreNotWritten() {
      refusesToWrite(Duration.ofSeconds(Long.MAX_VALUE));
    }
  }

  @Nested
  class Containers {
    @Test
    void setsAndListsAreArrays() {
      bothWays(
          new TypeReference<Set<String>>() {}.getType(),
          new LinkedHashSet<>(List.of("b", "a")),
          "[\"b\",\"a\"]",
          "92 a1 62 a1 61"); // recorded
      bothWays(
          new TypeReference<List<Custom>>() {}.getType(),
          List.of(new Custom("a", 1)),
          "[{\"name\":\"a\",\"value\":1}]",
          "91 82 a4 4e616d65 a1 61 a5 56616c7565 01");
      bothWays(int[].class, new int[] {1, 2, 3}, "[1,2,3]", "93 01 02 03");
    }

    @Test
    void setsKeepTheirOrderAndOneOfEach() {
      Set<String> set =
          wire.fromJson(new TypeReference<Set<String>>() {}.getType(), "[\"b\",\"a\",\"b\"]");
      assertThat(set).containsExactly("b", "a"); // recorded
    }

    @Test
    void mapsAreObjects() {
      Map<String, Integer> map = new LinkedHashMap<>();
      map.put("a", 1);
      map.put("B", 2);
      bothWays(
          new TypeReference<Map<String, Integer>>() {}.getType(),
          map,
          "{\"a\":1,\"B\":2}",
          "82 a1 61 01 a1 42 02"); // recorded
    }

    @Test
    void keysThatAreEnumsAreWrittenByName() {
      bothWays(
          new TypeReference<Map<DayOfWeek, Integer>>() {}.getType(),
          Map.of(DayOfWeek.MONDAY, 1),
          "{\"Monday\":1}",
          "81 a6 4d6f6e646179 01"); // recorded
      assertThat(wire.toJson(new EnumMap<>(Map.of(Result.NOT_FOUND, 1))))
          .isEqualTo("{\"NotFound\":1}");
    }

    @Test
    void keysThatAreEnumsAreReadInAnyCaseOrByNumber() {
      Type type = new TypeReference<EnumMap<DayOfWeek, Integer>>() {}.getType();
      assertThat(wire.<Map<DayOfWeek, Integer>>fromJson(type, "{\"monday\":1}"))
          .containsOnlyKeys(DayOfWeek.MONDAY); // recorded
      assertThat(wire.<Map<DayOfWeek, Integer>>fromJson(type, "{\"1\":1}"))
          .containsOnlyKeys(DayOfWeek.MONDAY); // recorded
      assertThat(wire.<Map<DayOfWeek, Integer>>fromHex(type, "81 01 01"))
          .containsOnlyKeys(DayOfWeek.MONDAY);
      refusesJson(type, "{\"someday\":1}");
    }

    @Test
    void keysThatAreIntegersAreIntegersInMessagePack() {
      bothWays(
          new TypeReference<Map<Integer, String>>() {}.getType(),
          Map.of(7, "x"),
          "{\"7\":\"x\"}",
          "81 07 a1 78");
    }

    @Test
    void keysThatAreDatesAreText() {
      bothWays(
          new TypeReference<Map<LocalDate, Integer>>() {}.getType(),
          Map.of(LocalDate.of(2001, 2, 3), 1),
          "{\"2001-02-03\":1}",
          "81 aa 323030312d30322d3033 01");
    }

    @Test
    void optionalsAreNullable() {
      Type type = new TypeReference<Optional<String>>() {}.getType();
      bothWays(type, Optional.of("x"), "\"x\"", "a1 78");
      bothWays(type, Optional.empty(), "null", "c0");
    }

    @Test
    void anythingIsWhatItLooksLike() {
      String json = "{\"a\":[1,\"x\",null,2.5,12345678901]}";
      Object value = wire.fromJson(Object.class, json);
      assertThat(value).isEqualTo(Map.of("a", Arrays.asList(1, "x", null, 2.5, 12_345_678_901L)));
      assertThat(wire.toJson(value)).isEqualTo(json); // recorded
      assertThat(wire.<Object>fromHex(Object.class, "93 01 d6ff00000000 c0"))
          .isEqualTo(Arrays.asList(1, Instant.EPOCH, null));
    }

    record Page<T>(List<T> items, @Nullable T next) {}

    @Test
    void genericTypesAreKnown() {
      bothWays(
          new TypeReference<Page<LocalDate>>() {}.getType(),
          new Page<>(List.of(LocalDate.of(2001, 2, 3)), null),
          "{\"items\":[\"2001-02-03\"],\"next\":null}",
          "82 a5 4974656d73 91 ce 000b2596 a4 4e657874 c0");
    }
  }

  @Nested
  class SealedTypes {
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    @JsonSubTypes({
      @JsonSubTypes.Type(value = Circle.class, name = "circle"),
      @JsonSubTypes.Type(value = Square.class, name = "square")
    })
    sealed interface Shape {}

    record Circle(double radius, Instant since) implements Shape {}

    record Square(int side) implements Shape {}

    record Drawing(List<Shape> shapes) {}

    private final Circle circle = new Circle(1.5, Instant.EPOCH);

    @Test
    void sayWhichTheyAre() {
      bothWays(
          Shape.class,
          circle,
          "{\"kind\":\"circle\",\"radius\":1.5,\"since\":\"1970-01-01T00:00:00Z\"}",
          "83 a4 6b696e64 a6 636972636c65 a6 526164697573 cb 3ff8000000000000"
              + "a5 53696e6365 d6ff00000000");
    }

    @Test
    void canSaySoLast() {
      assertThat(
              wire.<Shape>fromJson(
                  Shape.class,
                  "{\"radius\":1.5,\"since\":\"1970-01-01T00:00:00Z\",\"kind\":\"circle\"}"))
          .isEqualTo(circle);
      assertThat(
              wire.<Shape>fromHex(
                  Shape.class,
                  "83 a6 526164697573 cb 3ff8000000000000 a5 53696e6365 d6ff00000000"
                      + "a4 6b696e64 a6 636972636c65"))
          .isEqualTo(circle);
    }

    @Test
    void sayWhichTheyAreInsideOfOthers() {
      assertThat(wire.toJson(new Drawing(List.of(new Square(2)))))
          .isEqualTo("{\"shapes\":[{\"kind\":\"square\",\"side\":2}]}");
    }

    @Test
    void othersAreRefused() {
      refusesJson(Shape.class, "{\"kind\":\"java.lang.Runtime\"}");
      refusesJson(Shape.class, "{}");
    }
  }
}
