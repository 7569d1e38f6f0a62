package dev.windhover.hubs.protocol;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.exc.InputCoercionException;

/**
 * How a type is written where JSON has text: {@link #ALL} is the table of them.
 *
 * @param text its text in JSON, and as the key of a map
 * @param parse back from it
 * @param pack its form in MessagePack
 * @param unpack back from it; nothing else is read
 */
record ValueForm<T>(
    Class<T> type,
    Function<T, String> text,
    Function<String, T> parse,
    BiConsumer<JsonGenerator, T> pack,
    Function<JsonParser, T> unpack) {

  /** UTF-16, so that half of a surrogate pair is a value too. */
  static final ValueForm<Character> CHARACTER =
      new ValueForm<>(
          Character.class,
          String::valueOf,
          ValueForm::character,
          (out, c) -> out.writeNumber((int) c),
          in -> character(integer(in)));

  static final List<ValueForm<?>> ALL =
      List.of(
          new ValueForm<>(
              UUID.class,
              UUID::toString,
              ValueForm::uuid,
              (out, id) -> out.writeString(id.toString()),
              in -> uuid(string(in))),
          CHARACTER,
          new ValueForm<>(
              Instant.class,
              NetTimes::text,
              NetTimes::instant,
              (out, time) -> out.writeEmbeddedObject(NetTimes.requireYear(time)),
              ValueForm::timestamp),
          new ValueForm<>(
              LocalDateTime.class,
              NetTimes::text,
              NetTimes::localDateTime,
              (out, time) -> out.writeEmbeddedObject(clockInUtc(time)),
              in -> LocalDateTime.ofInstant(timestamp(in), ZoneOffset.UTC)),
          new ValueForm<>(
              OffsetDateTime.class,
              NetTimes::text,
              NetTimes::offsetDateTime,
              ValueForm::pack,
              ValueForm::unpackOffset),
          new ValueForm<>(
              LocalDate.class,
              NetTimes::text,
              NetTimes::date,
              (out, date) -> out.writeNumber(NetTimes.days(date)),
              in -> NetTimes.date(integer(in))),
          new ValueForm<>(
              LocalTime.class,
              NetTimes::text,
              NetTimes::time,
              (out, time) -> out.writeNumber(NetTimes.ticks(time)),
              in -> NetTimes.time(longInteger(in))),
          new ValueForm<>(
              Duration.class,
              NetTimes::text,
              NetTimes::span,
              (out, span) -> out.writeNumber(NetTimes.ticks(span)),
              in -> NetTimes.span(longInteger(in))));

  /** Writes a value as its text in JSON. */
  void writeText(JsonGenerator out, T value) {
    out.writeString(text.apply(value));
  }

  /** Reads a value from its text in JSON. */
  T fromText(JsonParser in) {
    return parse.apply(string(in));
  }

  private static UUID uuid(String text) {
    UUID id = UUID.fromString(text);
    if (!id.toString().equalsIgnoreCase(text)) { // "1-1-1-1-1", for example
      throw new IllegalArgumentException("UUID is not of 36 characters: " + text);
    }
    return id;
  }

  private static Character character(String text) {
    if (text.length() != 1) {
      throw new IllegalArgumentException("text of " + text.length() + " is no char");
    }
    return text.charAt(0);
  }

  private static Character character(int utf16) {
    if (utf16 != (char) utf16) {
      throw new IllegalArgumentException(utf16 + " is no char");
    }
    return (char) utf16;
  }

  private static Instant clockInUtc(LocalDateTime time) {
    return NetTimes.requireYear(time.toInstant(ZoneOffset.UTC));
  }

  private static Instant timestamp(JsonParser in) {
    if (in.getEmbeddedObject() instanceof Instant time) {
      return time;
    }
    throw misfit(in, Instant.class);
  }

  /** Writes an array of the local time, as if its clock were in UTC, and the offset in minutes. */
  private static void pack(JsonGenerator out, OffsetDateTime time) {
    out.writeStartArray(time, 2);
    out.writeEmbeddedObject(clockInUtc(time.toLocalDateTime()));
    out.writeNumber(NetTimes.minutes(time.getOffset()));
    out.writeEndArray();
  }

  private static OffsetDateTime unpackOffset(JsonParser in) {
    require(in, in.currentToken(), JsonToken.START_ARRAY);
    require(in, in.nextToken(), JsonToken.VALUE_EMBEDDED_OBJECT);
    LocalDateTime time = LocalDateTime.ofInstant(timestamp(in), ZoneOffset.UTC);
    in.nextToken();
    ZoneOffset offset = NetTimes.offset(integer(in));
    require(in, in.nextToken(), JsonToken.END_ARRAY);
    return OffsetDateTime.of(time, offset);
  }

  private static void require(JsonParser in, JsonToken token, JsonToken wanted) {
    if (token != wanted) {
      throw misfit(in, OffsetDateTime.class);
    }
  }

  /** Returns the current text; any other value does not fit. */
  static String string(JsonParser in) {
    if (in.currentToken() != JsonToken.VALUE_STRING) {
      throw misfit(in, String.class);
    }
    return Values.text(in);
  }

  /** Returns the current integer; any other value does not fit. */
  static int integer(JsonParser in) {
    requireInteger(in);
    return in.getIntValue();
  }

  /** Returns the current integer; any other value does not fit. */
  static long longInteger(JsonParser in) {
    requireInteger(in);
    return in.getLongValue();
  }

  private static void requireInteger(JsonParser in) {
    if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) { // Jackson would cut fractions
      throw misfit(in, int.class);
    }
  }

  static InputCoercionException misfit(JsonParser in, Class<?> wanted) {
    return new InputCoercionException(
        in, in.currentToken() + " is no " + wanted.getSimpleName(), in.currentToken(), wanted);
  }
}
