package dev.windhover.hubs.protocol;

import java.util.function.BiConsumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ser.std.StdScalarSerializer;

/** Writes the values of a type. */
final class ScalarWriter<T> extends StdScalarSerializer<T> {
  private final BiConsumer<JsonGenerator, ? super T> write;

  ScalarWriter(Class<?> type, BiConsumer<JsonGenerator, ? super T> write) {
    super(type, false);
    this.write = write;
  }

  @Override
  public void serialize(T value, JsonGenerator out, SerializationContext context) {
    write.accept(out, value);
  }
}
