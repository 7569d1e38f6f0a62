package dev.windhover.hubs;

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

  /** Returns a method of clients. */
  static Call of(Method method, String name, Type result) {
    Class<?>[] parameters = method.getParameterTypes();
    boolean isCancellable =
        parameters.length > 0 && parameters[parameters.length - 1].equals(Cancellation.class);
    if (result.equals(void.class)) {
      return new Send(name, isCancellable);
    }
    Class<?> raw = method.getReturnType();
    if (raw.equals(CompletionStage.class) || raw.equals(CompletableFuture.class)) {
      return new AskAsync(name, GenericTypes.onlyArgument(result), isCancellable);
    }
    List<Class<?>> thrown = Arrays.asList(method.getExceptionTypes());
    return new Ask(
        name,
        result,
        isCancellable,
        thrown.contains(InterruptedException.class),
        thrown.stream().anyMatch(each -> each.isAssignableFrom(IOException.class)));
  }

  /** Without a result. */
  record Send(String name, boolean isCancellable) implements Call {
    @Override
    public @Nullable Object on(Callee callee, @Nullable Object[] arguments) {
      Cancellation cancellation = isCancellable ? cancellationOf(arguments) : null;
      if (cancellation != null) {
        cancellation.throwIfCancelled();
      }
      callee.send(name, isCancellable ? withoutLast(arguments) : arguments);
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
      String name, Type type, boolean isCancellable, boolean isInterruptible, boolean throwsIo)
      implements Call {
    @Override
    public @Nullable Object on(Callee callee, @Nullable Object[] arguments) throws Exception {
      Cancellation cancellation = isCancellable ? cancellationOf(arguments) : null;
      List<@Nullable Object> sent =
          Arrays.asList(isCancellable ? withoutLast(arguments) : arguments);
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
  record AskAsync(String name, Type type, boolean isCancellable) implements Call {
    @Override
    public CompletableFuture<@Nullable Object> on(Callee callee, @Nullable Object[] arguments) {
      Cancellation cancellation = isCancellable ? cancellationOf(arguments) : null;
      return callee.ask(
          type,
          name,
          Arrays.asList(isCancellable ? withoutLast(arguments) : arguments),
          cancellation);
    }
  }

  private static @Nullable Cancellation cancellationOf(@Nullable Object[] arguments) {
    return (Cancellation) arguments[arguments.length - 1];
  }

  private static @Nullable Object[] withoutLast(@Nullable Object[] arguments) {
    return Arrays.copyOf(arguments, arguments.length - 1);
  }
}
