package dev.windhover.hubs;

import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A method that clients can call.
 *
 * @param name its name on the wire, as declared
 * @param method for filters and for messages
 * @param parameters all of them, in order
 * @param valueTypes the types of those that are values, in order
 * @param result the form of the stream that it returns; null for a value
 * @param resultType the type of what it returns, or of the items of its stream
 * @param nonBlocking whether it may be called on a loop
 * @param interruptible whether its thread is interrupted when the call is cancelled
 * @param access who may call it
 * @param invoker calls it
 */
record HubMethodDescriptor(
    String name,
    Method method,
    List<Parameter> parameters,
    List<Type> valueTypes,
    @Nullable StreamForm result,
    Type resultType,
    boolean nonBlocking,
    boolean interruptible,
    Access access,
    Invoker invoker) {
  /** Calls a method. */
  @FunctionalInterface
  interface Invoker {
    @Nullable Object invoke(Hub<?> hub, @Nullable Object[] arguments) throws Exception;
  }

  /** What a parameter is given. */
  sealed interface Parameter {
    /** What the client sends in the call. */
    record Value() implements Parameter {}

    /** What the client uploads. */
    record Uploaded(StreamForm form, Type itemType) implements Parameter {}

    /** What the client cancels. */
    record Cancelled() implements Parameter {}
  }

  /**
   * Who may call a method.
   *
   * @param user whether there must be one
   * @param anyOf for each requirement, the roles of which the user has one
   */
  record Access(boolean user, List<List<String>> anyOf) {
    static final Access ANYBODY = new Access(false, List.of());
  }

  /** Returns the item types of the streams that a client uploads, in order. */
  List<Type> uploads() {
    return parameters.stream()
        .filter(Parameter.Uploaded.class::isInstance)
        .map(parameter -> ((Parameter.Uploaded) parameter).itemType())
        .toList();
  }

  /** Returns whether all its parameters are values. */
  boolean takesValuesOnly() {
    return valueTypes.size() == parameters.size();
  }

  /** Returns whether a cancellation reaches it. */
  boolean isCancellable() {
    return interruptible || parameters.stream().anyMatch(Parameter.Cancelled.class::isInstance);
  }

  /** Returns it as people know it, such as {@code ChatHub.send(String)}. */
  String description() {
    return HubClass.describe(method);
  }
}
