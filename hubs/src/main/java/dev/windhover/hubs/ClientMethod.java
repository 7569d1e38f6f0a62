package dev.windhover.hubs;

import dev.windhover.hubs.protocol.TypedValue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A method of a client interface. */
sealed interface ClientMethod {
  /**
   * One that is written in Java, and runs here.
   *
   * @param handle takes the proxy and an array; null where the JDK calls it
   */
  record Default(@Nullable MethodHandle handle) implements ClientMethod {}

  /** One that clients have. */
  sealed interface Call extends ClientMethod {
    /** Calls it. */
    @Nullable Object on(Callee callee, @Nullable Object[] arguments) throws Exception;
  }

  /**
   * What a method takes.
   *
   * @param types the types of what is sent
   * @param isCancellable whether a {@link Cancellation} follows, which is not sent
   */
  record Parameters(List<Type> types, boolean isCancellable) {
    /** Returns what ends the call, if there is such a thing. */
    @Nullable Cancellation cancellation(@Nullable Object[] arguments) {
      return isCancellable ? (Cancellation) arguments[arguments.length - 1] : null;
    }

    List<@Nullable Object> sent(@Nullable Object[] arguments) {
      @Nullable Object[] sent = new @Nullable Object[types.size()];
      for (int i = 0; i < sent.length; i++) {
        sent[i] = TypedValue.of(arguments[i], types.get(i));
      }
      return Arrays.asList(sent);
    }
  }

  /**
   * Returns a method of clients.
   *
   * @param types the types of its parameters
   */
  static Call of(Method method, String name, List<Type> types, Type result) {
    boolean isCancellable = !types.isEmpty() && types.getLast().equals(Cancellation.class);
    Parameters parameters =
        new Parameters(isCancellable ? types.subList(0, types.size() - 1) : types, isCancellable);
    if (result.equals(void.class)) {
      return new Send(name, parameters);
    }
    Class<?> raw = method.getReturnType();
    if (raw.equals(CompletionStage.class) || raw.equals(CompletableFuture.class)) {
      return new AskAsync(name, GenericTypes.onlyArgument(result), parameters);
    }
    List<Class<?>> thrown = Arrays.asList(method.getExceptionTypes());
    return new Ask(
        name,
        result,
        parameters,
        thrown.contains(InterruptedException.class),
        thrown.stream().anyMatch(each -> each.isAssignableFrom(IOException.class)));
  }

  /** Without a result. */
  record Send(String name, Parameters parameters) implements Call {
    @Override
    public @Nullable Object on(Callee callee, @Nullable Object[] arguments) {
      Cancellation cancellation = parameters.cancellation(arguments);
      if (cancellation != null) {
        cancellation.throwIfCancelled();
      }
      callee.sendArguments(name, parameters.sent(arguments));
      return null;
    }
  }

  /**
   * With a result, for which the caller waits.
   *
   * @param isInterruptible whether it declares that
   * @param throwsIo whether it declares that
   */
  record Ask(
      String name, Type type, Parameters parameters, boolean isInterruptible, boolean throwsIo)
      implements Call {
    @Override
    public @Nullable Object on(Callee callee, @Nullable Object[] arguments) throws Exception {
      Cancellation cancellation = parameters.cancellation(arguments);
      List<@Nullable Object> sent = parameters.sent(arguments);
      try {
        return isInterruptible
            ? callee.awaitInterruptibly(type, name, sent, cancellation)
            : callee.await(type, name, sent, cancellation);
      } catch (IOException e) {
        throw throwsIo ? e : new UncheckedIOException(e.getMessage(), e);
      }
    }
  }

  /** With a result that comes later. */
  record AskAsync(String name, Type type, Parameters parameters) implements Call {
    @Override
    public CompletableFuture<@Nullable Object> on(Callee callee, @Nullable Object[] arguments) {
      return callee.ask(type, name, parameters.sent(arguments), parameters.cancellation(arguments));
    }
  }
}
