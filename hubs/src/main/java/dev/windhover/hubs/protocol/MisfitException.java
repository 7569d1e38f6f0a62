package dev.windhover.hubs.protocol;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** A value is well-formed, but not of the type that is wanted. */
final class MisfitException extends Exception {
  private static final long serialVersionUID = 1;

  MisfitException(RuntimeException cause) {
    super(InvalidDataException.text(cause), cause, false, false);
  }

  /** Says that it is one of a call's arguments. */
  InvalidDataException ofArgument() {
    return new InvalidDataException(
        "Error binding arguments. Make sure that the types of the provided values match the types"
            + " of the hub method being invoked.",
        getCause());
  }

  /** Says that it is an item of a stream. */
  InvalidDataException ofItem() {
    return InvalidDataException.notJson(this);
  }

  /** Says that it is the result of a call. */
  InvalidDataException ofResult(@Nullable Type type) {
    String name = type instanceof Class<?> c ? c.getSimpleName() : String.valueOf(type);
    return new InvalidDataException(
        "Error trying to deserialize result to " + name + ". " + getMessage(), getCause());
  }
}
