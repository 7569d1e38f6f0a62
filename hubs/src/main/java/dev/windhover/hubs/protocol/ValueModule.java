package dev.windhover.hubs.protocol;

import com.fasterxml.jackson.annotation.JsonFormat;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.BeanDescription;
import tools.jackson.databind.DeserializationConfig;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.KeyDeserializer;
import tools.jackson.databind.SerializationConfig;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.deser.Deserializers;
import tools.jackson.databind.introspect.Annotated;
import tools.jackson.databind.introspect.AnnotatedMethod;
import tools.jackson.databind.introspect.NopAnnotationIntrospector;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.Serializers;

/** The forms of values that are not Jackson's own, for one of the two protocols. */
final class ValueModule extends SimpleModule {
  private static final long serialVersionUID = 1;
  private static final int LARGEST_SCALE = 9_999; // Jackson's, for those that it writes
  private static final BigInteger INT_RANGE = BigInteger.ONE.shiftLeft(Integer.SIZE);
  private static final BigInteger LONG_RANGE = BigInteger.ONE.shiftLeft(Long.SIZE);

  private final boolean enumsAsStrings;

  private ValueModule(String protocol, boolean enumsAsStrings, UnaryOperator<Double> check) {
    super("hubs-" + protocol);
    this.enumsAsStrings = enumsAsStrings;
    add(String.class, JsonGenerator::writeString, ValueForm::string);
    addReaders(Byte.class, byte.class, ValueModule::int8, (byte) 0);
    addReaders(Double.class, double.class, in -> check.apply(float64(in)), 0.0);
    addReaders(Float.class, float.class, in -> check.apply(float32(in)).floatValue(), 0F);
    addReader(double[].class, in -> doubles(in, check));
    addReader(float[].class, in -> floats(in, check));
    addAbstractTypeMapping(Set.class, LinkedHashSet.class);
    ValueForm.ALL.forEach(this::addKeys);
  }

  static ValueModule json(ValueOptions options) {
    ValueModule module =
        new ValueModule("json", options.enumsAsStrings(), ValueModule::requireFinite);
    ValueForm.ALL.forEach(form -> module.addText(form));
    ValueForm<Character> character = ValueForm.CHARACTER;
    module.addSerializer(char.class, new ScalarWriter<>(char.class, character::writeText));
    module.addReaders(Character.class, char.class, character::fromText, '\0');
    module.add(byte[].class, JsonGenerator::writeBinary, ValueModule::base64);
    module.addReader(BigDecimal.class, ValueModule::decimal);
    if (options.longsAsStrings()) {
      module.addLongsAsStrings();
    }
    return module;
  }

  static ValueModule messagePack() {
    ValueModule module = new ValueModule("messagepack", true, UnaryOperator.identity());
    ValueForm.ALL.forEach(form -> module.addPacked(form));
    ValueForm<Character> character = ValueForm.CHARACTER;
    module.addSerializer(char.class, new ScalarWriter<>(char.class, character.pack()));
    module.addReaders(Character.class, char.class, character.unpack(), '\0');
    module.add(byte[].class, JsonGenerator::writeBinary, ValueModule::binary);
    module.addReader(BigDecimal.class, ValueModule::decimalText);
    module.add(BigInteger.class, ValueModule::writeText, ValueModule::bigIntegerText);
    return module;
  }

  private void addLongsAsStrings() {
    add(Long.class, ValueModule::writeText, ValueModule::longOrText);
    addSerializer(long.class, new ScalarWriter<>(long.class, ValueModule::writeText));
    addReaders(Long.class, long.class, ValueModule::longOrText, 0L);
    add(long[].class, ValueModule::writeTexts, ValueModule::longsOrTexts);
  }

  private <T> void addReader(Class<T> type, Function<JsonParser, T> read) {
    addDeserializer(type, new ScalarReader<>(type, read, null));
  }

  /** Adds a reader of a primitive type and its wrapper. */
  private <T> void addReaders(
      Class<T> wrapper, Class<T> primitive, Function<JsonParser, ? extends T> read, T absent) {
    addDeserializer(wrapper, new ScalarReader<>(wrapper, read, null));
    addDeserializer(primitive, new ScalarReader<>(primitive, read, absent));
  }

  private <T> void add(
      Class<T> type, BiConsumer<JsonGenerator, ? super T> write, Function<JsonParser, T> read) {
    addSerializer(type, new ScalarWriter<>(type, write));
    addDeserializer(type, new ScalarReader<>(type, read, null));
  }

  private <T> void addText(ValueForm<T> form) {
    add(form.type(), form::writeText, form::fromText);
  }

  private <T> void addPacked(ValueForm<T> form) {
    add(form.type(), form.pack(), form.unpack());
  }

  private <T> void addKeys(ValueForm<T> form) {
    addKeySerializer(
        form.type(),
        new ScalarWriter<>(form.type(), (out, value) -> out.writeName(form.text().apply(value))));
    addKeyDeserializer(form.type(), new KeyReader(form.parse()));
  }

  @Override
  public void setupModule(SetupContext context) {
    super.setupModule(context);
    context.addSerializers(new EnumWriters());
    context.addKeySerializers(new EnumKeyWriters());
    context.addDeserializers(new EnumReaders());
    context.addKeyDeserializers((type, config, bean) -> {
      EnumForm form = type.isEnumType() ? EnumForm.of(config, bean.get()) : null;
      return form == null ? null : new KeyReader(form::readKey);
    });
    context.insertAnnotationIntrospector(new UnsignedIntrospector());
  }

  // ---- Enums

  private final class EnumWriters extends Serializers.Base {
    @Override
    public @Nullable ValueSerializer<?> findEnumSerializer(
        SerializationConfig config,
        JavaType type,
        BeanDescription.Supplier bean,
        JsonFormat.Value format) {
      EnumForm form = EnumForm.of(config, bean.get());
      if (form == null) {
        return null;
      }
      return enumsAsStrings
          ? new ScalarWriter<Enum<?>>(Enum.class, (out, value) -> out.writeString(form.name(value)))
          : new ScalarWriter<Enum<?>>(
              Enum.class, (out, value) -> out.writeNumber(EnumForm.number(value)));
    }
  }

  private static final class EnumKeyWriters extends Serializers.Base {
    @Override
    public @Nullable ValueSerializer<?> findSerializer(
        SerializationConfig config,
        JavaType type,
        BeanDescription.Supplier bean,
        JsonFormat.Value format) {
      EnumForm form = type.isEnumType() ? EnumForm.of(config, bean.get()) : null;
      return form == null
          ? null
          : new ScalarWriter<Enum<?>>(Enum.class, (out, value) -> out.writeName(form.name(value)));
    }
  }

  private static final class EnumReaders extends Deserializers.Base {
    @Override
    public @Nullable ValueDeserializer<?> findEnumDeserializer(
        JavaType type, DeserializationConfig config, BeanDescription.Supplier bean) {
      EnumForm form = EnumForm.of(config, bean.get());
      return form == null ? null : new ScalarReader<Enum<?>>(type.getRawClass(), form::read, null);
    }

    @Override
    public boolean hasDeserializerFor(DeserializationConfig config, Class<?> type) {
      return type.isEnum();
    }
  }

  private static final class KeyReader extends KeyDeserializer {
    private final Function<String, ?> read;

    KeyReader(Function<String, ?> read) {
      this.read = read;
    }

    @Override
    public Object deserializeKey(String key, DeserializationContext context) {
      return read.apply(key);
    }
  }

  // ---- Numbers and bytes

  private static Byte int8(JsonParser in) {
    int value = ValueForm.integer(in);
    if (value != (byte) value) {
      throw new IllegalArgumentException(value + " is no byte");
    }
    return (byte) value;
  }

  private static double float64(JsonParser in) {
    requireNumber(in);
    return in.getDoubleValue();
  }

  private static double float32(JsonParser in) {
    requireNumber(in);
    return in.getFloatValue();
  }

  private static void requireNumber(JsonParser in) {
    if (!in.currentToken().isNumeric()) {
      throw ValueForm.misfit(in, double.class);
    }
  }

  private static double requireFinite(double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("number is too large");
    }
    return value;
  }

  private static double[] doubles(JsonParser in, UnaryOperator<Double> check) {
    requireArray(in);
    double[] values = new double[8];
    int count = 0;
    while (in.nextToken() != JsonToken.END_ARRAY) {
      if (count == values.length) {
        values = Arrays.copyOf(values, 2 * count);
      }
      values[count++] = check.apply(float64(in));
    }
    return Arrays.copyOf(values, count);
  }

  private static float[] floats(JsonParser in, UnaryOperator<Double> check) {
    requireArray(in);
    float[] values = new float[8];
    int count = 0;
    while (in.nextToken() != JsonToken.END_ARRAY) {
      if (count == values.length) {
        values = Arrays.copyOf(values, 2 * count);
      }
      values[count++] = check.apply(float32(in)).floatValue();
    }
    return Arrays.copyOf(values, count);
  }

  private static void requireArray(JsonParser in) {
    if (in.currentToken() != JsonToken.START_ARRAY) {
      throw ValueForm.misfit(in, double[].class);
    }
  }

  private static byte[] base64(JsonParser in) {
    return Base64.getDecoder().decode(ValueForm.string(in));
  }

  private static byte[] binary(JsonParser in) {
    if (in.getEmbeddedObject() instanceof byte[] bytes) {
      return bytes;
    }
    throw ValueForm.misfit(in, byte[].class);
  }

  private static BigDecimal decimal(JsonParser in) {
    requireNumber(in);
    return requireScale(in.getDecimalValue());
  }

  private static BigDecimal decimalText(JsonParser in) {
    return requireScale(new BigDecimal(requireLength(ValueForm.string(in))));
  }

  private static BigInteger bigIntegerText(JsonParser in) {
    return new BigInteger(requireLength(ValueForm.string(in)));
  }

  /** Refuses what takes far more memory as an integer, or written out, than it has come in. */
  private static BigDecimal requireScale(BigDecimal value) {
    if (Math.abs((long) value.scale()) > LARGEST_SCALE) {
      throw new IllegalArgumentException("scale of " + value.scale() + " exceeds " + LARGEST_SCALE);
    }
    return value;
  }

  private static String requireLength(String digits) {
    if (digits.length() > LARGEST_SCALE) {
      throw new IllegalArgumentException(
          "number of " + digits.length() + " digits exceeds " + LARGEST_SCALE);
    }
    return digits;
  }

  // ---- Longs as text

  private static void writeText(JsonGenerator out, Number value) {
    out.writeString(value.toString());
  }

  private static void writeTexts(JsonGenerator out, long[] values) {
    out.writeStartArray(values, values.length);
    for (long value : values) {
      writeText(out, value);
    }
    out.writeEndArray();
  }

  private static Long longOrText(JsonParser in) {
    return switch (in.currentToken()) {
      case VALUE_STRING -> Long.valueOf(in.getString());
      case VALUE_NUMBER_INT -> in.getLongValue();
      default -> throw ValueForm.misfit(in, Long.class);
    };
  }

  private static long[] longsOrTexts(JsonParser in) {
    requireArray(in);
    LongStream.Builder values = LongStream.builder();
    while (in.nextToken() != JsonToken.END_ARRAY) {
      values.add(longOrText(in));
    }
    return values.build().toArray();
  }

  // ---- Integers without a sign

  private static final class UnsignedIntrospector extends NopAnnotationIntrospector {
    private static final long serialVersionUID = 1;

    @Override
    public @Nullable Object findSerializer(MapperConfig<?> config, Annotated property) {
      if (!property.hasAnnotation(Unsigned.class)) {
        return null;
      }
      return new ScalarWriter<Number>(Number.class, ValueModule::writeUnsigned);
    }

    @Override
    public @Nullable Object findDeserializer(MapperConfig<?> config, Annotated property) {
      if (!property.hasAnnotation(Unsigned.class)) {
        return null;
      }
      Class<?> type =
          property instanceof AnnotatedMethod setter && setter.getParameterCount() == 1
              ? setter.getRawParameterType(0)
              : property.getRawType();
      return type == int.class
          ? new ScalarReader<>(int.class, in -> unsigned(in, INT_RANGE).intValue(), 0)
          : new ScalarReader<>(long.class, in -> unsigned(in, LONG_RANGE).longValue(), 0L);
    }
  }

  private static void writeUnsigned(JsonGenerator out, Number value) {
    if (value instanceof Integer number) {
      out.writeNumber(Integer.toUnsignedLong(number));
    } else if (value.longValue() >= 0) {
      out.writeNumber(value.longValue());
    } else {
      out.writeNumber(BigInteger.valueOf(value.longValue()).add(LONG_RANGE));
    }
  }

  private static BigInteger unsigned(JsonParser in, BigInteger range) {
    if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw ValueForm.misfit(in, BigInteger.class);
    }
    BigInteger value = in.getBigIntegerValue();
    if (value.signum() < 0 || value.compareTo(range) >= 0) {
      throw new IllegalArgumentException(value + " is not within 0 to " + range);
    }
    return value;
  }
}
