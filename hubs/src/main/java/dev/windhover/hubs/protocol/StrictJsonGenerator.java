package dev.windhover.hubs.protocol;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.util.JsonGeneratorDelegate;

/**
 * Refuses what JSON does not have: numbers that are not finite, which Jackson would write as text,
 * and halves of surrogate pairs, at which strict parsers stop.
 */
final class StrictJsonGenerator extends JsonGeneratorDelegate {
  StrictJsonGenerator(JsonGenerator out) {
    super(out, false);
  }

  @Override
  public JsonGenerator writeString(@Nullable String text) {
    if (text != null) {
      Values.requireWellFormed(text);
    }
    return super.writeString(text);
  }

  @Override
  public JsonGenerator writeNumber(double value) {
    requireFinite(value);
    return super.writeNumber(value);
  }

  @Override
  public JsonGenerator writeNumber(float value) {
    requireFinite(value);
    return super.writeNumber(value);
  }

  @Override
  public JsonGenerator writeArray(double[] values, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      requireFinite(values[i]);
    }
    return super.writeArray(values, offset, length);
  }

  private static void requireFinite(double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("JSON has no " + value);
    }
  }
}
