package dev.windhover.hubs.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamWriteConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.ObjectReader;

/** JSON as hubs have it: strict, in UTF-8, of 64 levels. */
final class Json {
  /** The deepest nesting of objects and arrays; the reference's. */
  static final int LEVELS = 64;

  private static final long NOT_ASCII = 0x8080808080808080L;

  private Json() {}

  static JsonFactory factory() {
    return JsonFactory.builder()
        .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(LEVELS).build())
        .streamWriteConstraints(StreamWriteConstraints.builder().maxNestingDepth(LEVELS).build())
        .disable(TokenStreamFactory.Feature.CHARSET_DETECTION)
        .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
        .build();
  }

  /**
   * Returns a parser for a whole text.
   *
   * @throws StreamReadException if it is not UTF-8: Jackson does not notice all of that
   */
  static JsonParser parser(ObjectReader reader, ByteBuffer text) {
    requireUtf8(text);
    if (text.hasArray()) {
      return reader.createParser(
          text.array(), text.arrayOffset() + text.position(), text.remaining());
    }
    byte[] bytes = new byte[text.remaining()];
    text.get(text.position(), bytes);
    return reader.createParser(bytes);
  }

  private static void requireUtf8(ByteBuffer record) {
    int at = record.position();
    int end = record.limit();
    while (at <= end - Long.BYTES && (record.getLong(at) & NOT_ASCII) == 0) {
      at += Long.BYTES;
    }
    while (at < end && record.get(at) >= 0) {
      at++;
    }
    if (at == end) {
      return;
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(record.slice(at, end - at));
    } catch (CharacterCodingException e) {
      throw new StreamReadException(null, "text is not UTF-8", e);
    }
  }

  /** Names a kind of value as the reference does. */
  static String kind(JsonToken token) {
    return switch (token) {
      case START_OBJECT, END_OBJECT -> "Object";
      case START_ARRAY, END_ARRAY -> "Array";
      case PROPERTY_NAME -> "PropertyName";
      case VALUE_STRING -> "String";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "Number";
      case VALUE_TRUE, VALUE_FALSE -> "Boolean";
      case VALUE_NULL -> "Null";
      case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "None";
    };
  }

  /** Returns the text at the next token, the value of a property. */
  static String string(JsonParser in, String property) throws InvalidDataException {
    if (in.nextToken() != JsonToken.VALUE_STRING) {
      throw mistyped(property, "String");
    }
    return Values.text(in);
  }

  /** Returns the integer at the next token, the value of a property. */
  static int integer(JsonParser in, String property) throws InvalidDataException {
    requireNumber(in, property);
    return in.getIntValue();
  }

  /** Returns the integer at the next token, the value of a property. */
  static long longInteger(JsonParser in, String property) throws InvalidDataException {
    requireNumber(in, property);
    return in.getLongValue();
  }

  private static void requireNumber(JsonParser in, String property) throws InvalidDataException {
    JsonToken token = in.nextToken();
    if (token != JsonToken.VALUE_NUMBER_INT) {
      throw token == JsonToken.VALUE_NUMBER_FLOAT
          ? new InvalidDataException("'" + property + "' is no integer")
          : mistyped(property, "Number");
    }
  }

  /** Goes to the beginning of the object that the whole text is. */
  static void requireObject(JsonParser in) throws InvalidDataException {
    JsonToken token = in.nextToken();
    if (token == null) {
      throw new StreamReadException(in, "text is empty");
    }
    if (token != JsonToken.START_OBJECT) {
      throw new InvalidDataException(
          "Unexpected JSON Token Type '" + kind(token) + "'. Expected a JSON Object.");
    }
  }

  /** Goes behind the object that the whole text is. */
  static void requireEnd(JsonParser in) {
    if (in.nextToken() != null) {
      throw new StreamReadException(in, "text goes on behind its object");
    }
  }

  static InvalidDataException mistyped(String property, String kind) {
    return new InvalidDataException("Expected '" + property + "' to be of type " + kind + ".");
  }

  static InvalidDataException missing(String property) {
    return new InvalidDataException("Missing required property '" + property + "'.");
  }
}
