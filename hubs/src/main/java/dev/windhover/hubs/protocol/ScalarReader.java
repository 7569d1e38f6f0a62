package dev.windhover.hubs.protocol;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.std.StdScalarDeserializer;

/** Reads the values of a type. */
final class ScalarReader<T> extends StdScalarDeserializer<T> {
  private final Function<JsonParser, ? extends T> read;
  private final @Nullable T absent;

  /**
   * Creates one.
   *
   * @param absent what a property has that is left out; if there is something, null is refused
   */
  ScalarReader(Class<?> type, Function<JsonParser, ? extends T> read, @Nullable T absent) {
    super(type);
    this.read = read;
    this.absent = absent;
  }

  @Override
  public T deserialize(JsonParser in, DeserializationContext context) {
    return read.apply(in);
  }

  @Override
  public @Nullable T getNullValue(DeserializationContext context) {
    return absent == null
        ? null
        : context.reportInputMismatch(this, "null for %s", handledType().getSimpleName());
  }

  @Override
  public @Nullable T getAbsentValue(DeserializationContext context) {
    return absent;
  }
}
