package dev.windhover.hubs.protocol;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.Base64Variant;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.Version;
import tools.jackson.core.base.ParserMinimalBase;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.util.SimpleStreamReadContext;

/**
 * MessagePack as Jackson's tokens, so that Jackson binds it. Binary and points in time are embedded
 * objects: {@code byte[]} and {@link Instant}.
 */
final class MessagePackParser extends ParserMinimalBase {
  private final MessagePackReader in;
  private final int outerLevels;

  private SimpleStreamReadContext context = SimpleStreamReadContext.createRootContext(null);
  private int[] remaining = new int[8]; // of each level; its values, or its keys
  private boolean atValue; // of a map, after its key

  // The current token's.
  private @Nullable String text;
  private long integer;
  private @Nullable BigInteger bigInteger;
  private double floating;
  private boolean is32Bits;
  private @Nullable Object embedded;

  /**
   * Creates one for the values that come next, each a root.
   *
   * @param outerLevels how deep they are in the message
   */
  MessagePackParser(ObjectReadContext objects, MessagePackReader in, int outerLevels) {
    super(objects, StreamReadConstraints.defaults());
    this.in = in;
    this.outerLevels = outerLevels;
  }

  @Override
  public @Nullable JsonToken nextToken() {
    int level = context.getNestingDepth();
    if (level == 0) {
      return _updateToken(in.atEnd() ? null : value());
    }
    if (context.inObject() && !atValue) {
      if (remaining[level]-- == 0) {
        context = context.clearAndGetParent();
        return endOfContainer(JsonToken.END_OBJECT);
      }
      atValue = true;
      context.setCurrentName(key());
      return _updateToken(JsonToken.PROPERTY_NAME);
    }
    if (context.inArray() && remaining[level]-- == 0) {
      context = context.clearAndGetParent();
      return endOfContainer(JsonToken.END_ARRAY);
    }
    atValue = false;
    return _updateToken(value());
  }

  private JsonToken endOfContainer(JsonToken end) {
    atValue = false;
    return _nullSafeUpdateToken(end);
  }

  private String key() {
    return switch (in.next()) {
      case STRING -> in.readString();
      case INTEGER -> in.readBigInteger().toString();
      default -> throw _constructReadException("key of a map is neither text nor an integer");
    };
  }

  private JsonToken value() {
    context.valueRead();
    return switch (in.next()) {
      case NIL -> {
        in.tryNil();
        yield JsonToken.VALUE_NULL;
      }
      case BOOLEAN -> in.readBoolean() ? JsonToken.VALUE_TRUE : JsonToken.VALUE_FALSE;
      case INTEGER -> {
        bigInteger = in.nextIsBeyondLong() ? in.readBigInteger() : null;
        integer = bigInteger == null ? in.readLong() : 0;
        yield JsonToken.VALUE_NUMBER_INT;
      }
      case FLOAT -> {
        is32Bits = in.nextIsFloat32();
        floating = in.readDouble();
        yield JsonToken.VALUE_NUMBER_FLOAT;
      }
      case STRING -> {
        text = in.readString();
        yield JsonToken.VALUE_STRING;
      }
      case BINARY -> {
        embedded = in.readBinary();
        yield JsonToken.VALUE_EMBEDDED_OBJECT;
      }
      case EXTENSION -> {
        embedded = in.readTimestamp();
        yield JsonToken.VALUE_EMBEDDED_OBJECT;
      }
      case ARRAY -> {
        begin(context.createChildArrayContext(-1, -1), in.readArrayHeader());
        yield JsonToken.START_ARRAY;
      }
      case MAP -> {
        begin(context.createChildObjectContext(-1, -1), in.readMapHeader());
        yield JsonToken.START_OBJECT;
      }
    };
  }

  private void begin(SimpleStreamReadContext child, int count) {
    int level = child.getNestingDepth();
    MessagePackReader.requireLevel(MessagePackReader.LEVELS - outerLevels - level + 1);
    if (level == remaining.length) {
      remaining = Arrays.copyOf(remaining, 2 * level);
    }
    remaining[level] = count;
    context = child;
  }

  // ---- The current token

  @Override
  public String currentName() {
    return _currToken == JsonToken.START_OBJECT || _currToken == JsonToken.START_ARRAY
        ? context.getParent().currentName()
        : context.currentName();
  }

  @Override
  public @Nullable String getString() {
    return switch (_currToken) {
      case VALUE_STRING -> text;
      case PROPERTY_NAME -> context.currentName();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> getNumberValue().toString();
      case null -> null;
      default -> _currToken.asString();
    };
  }

  @Override
  public char[] getStringCharacters() {
    return String.valueOf(getString()).toCharArray();
  }

  @Override
  public int getStringLength() {
    return String.valueOf(getString()).length();
  }

  @Override
  public int getStringOffset() {
    return 0;
  }

  @Override
  public boolean hasStringCharacters() {
    return false;
  }

  @Override
  public @Nullable Object getEmbeddedObject() {
    return _currToken == JsonToken.VALUE_EMBEDDED_OBJECT ? embedded : null;
  }

  @Override
  public byte[] getBinaryValue(Base64Variant variant) {
    if (_currToken == JsonToken.VALUE_EMBEDDED_OBJECT && embedded instanceof byte[] bytes) {
      return bytes;
    }
    throw misfit("is no binary", byte[].class);
  }

  @Override
  public Number getNumberValue() {
    return switch (getNumberType()) {
      case INT -> (int) integer;
      case LONG -> integer;
      case BIG_INTEGER -> getBigIntegerValue();
      case FLOAT -> (float) floating;
      case DOUBLE, BIG_DECIMAL -> floating;
    };
  }

  @Override
  public NumberType getNumberType() {
    if (_currToken == JsonToken.VALUE_NUMBER_FLOAT) {
      return is32Bits ? NumberType.FLOAT : NumberType.DOUBLE;
    }
    if (_currToken != JsonToken.VALUE_NUMBER_INT) {
      throw _constructNotNumericType(_currToken, NR_UNKNOWN);
    }
    return bigInteger != null
        ? NumberType.BIG_INTEGER
        : integer == (int) integer ? NumberType.INT : NumberType.LONG;
  }

  @Override
  public boolean isNaN() {
    return _currToken == JsonToken.VALUE_NUMBER_FLOAT && !Double.isFinite(floating);
  }

  @Override
  public int getIntValue() {
    long value = getLongValue();
    if (value != (int) value) {
      throw misfit("exceeds 32 bits", int.class);
    }
    return (int) value;
  }

  @Override
  public long getLongValue() {
    if (_currToken != JsonToken.VALUE_NUMBER_INT) {
      throw misfit("is no integer", long.class);
    }
    if (bigInteger != null) {
      throw misfit("exceeds 64 bits", long.class);
    }
    return integer;
  }

  @Override
  public BigInteger getBigIntegerValue() {
    return bigInteger != null ? bigInteger : BigInteger.valueOf(getLongValue());
  }

  @Override
  public float getFloatValue() {
    return (float) getDoubleValue();
  }

  @Override
  public double getDoubleValue() {
    return switch (getNumberType()) {
      case INT, LONG -> integer;
      case BIG_INTEGER -> getBigIntegerValue().doubleValue();
      case FLOAT, DOUBLE, BIG_DECIMAL -> floating;
    };
  }

  @Override
  public BigDecimal getDecimalValue() {
    return switch (getNumberType()) {
      case INT, LONG, BIG_INTEGER -> new BigDecimal(getBigIntegerValue());
      case FLOAT, DOUBLE, BIG_DECIMAL -> {
        if (isNaN()) {
          throw misfit("is not finite", BigDecimal.class);
        }
        yield BigDecimal.valueOf(floating);
      }
    };
  }

  private InputCoercionException misfit(String text, Class<?> wanted) {
    return new InputCoercionException(this, _currToken + " " + text, _currToken, wanted);
  }

  // ---- What else Jackson asks

  @Override
  public TokenStreamContext streamReadContext() {
    return context;
  }

  @Override
  public @Nullable Object currentValue() {
    return context.currentValue();
  }

  @Override
  public void assignCurrentValue(@Nullable Object value) {
    context.assignCurrentValue(value);
  }

  @Override
  public TokenStreamLocation currentTokenLocation() {
    return TokenStreamLocation.NA;
  }

  @Override
  public TokenStreamLocation currentLocation() {
    return TokenStreamLocation.NA;
  }

  @Override
  public Object streamReadInputSource() {
    return in;
  }

  @Override
  public Version version() {
    return Version.unknownVersion();
  }

  @Override
  protected void _closeInput() {}

  @Override
  protected void _releaseBuffers() {}

  @Override
  protected void _handleEOF() {}
}
