package dev.windhover.hubs.protocol;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * A value in a message, with the generic type as which it is declared: a {@code List<Shape>} does
 * not know by itself that its items are to be written with what tells one shape from another.
 *
 * @param value what is sent
 * @param type what it was declared as, which is no class
 */
public record TypedValue(Object value, Type type) {
  /** Returns {@code value}, with its type if that is generic. */
  public static @Nullable Object of(@Nullable Object value, Type type) {
    return value == null || type instanceof Class ? value : new TypedValue(value, type);
  }
}
