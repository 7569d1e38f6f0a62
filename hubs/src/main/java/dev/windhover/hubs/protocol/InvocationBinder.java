package dev.windhover.hubs.protocol;

import java.lang.reflect.Type;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Says which types the values of a message have. */
public interface InvocationBinder {
  /**
   * Returns the types of a method's arguments, without those that are streams; null if there is no
   * such method, so that its arguments are skipped.
   */
  @Nullable List<Type> parameterTypes(String target);

  /** Returns the type of a stream's items; null if there is no such stream. */
  @Nullable Type streamItemType(String streamId);

  /** Returns the type of a call's result; null if nobody waits for it. */
  @Nullable Type resultType(String invocationId);
}
