package dev.windhover.http;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Maps the methods of controllers that carry {@link Route}. A method that cannot be mapped fails at
 * startup.
 */
final class Controllers {
  /** Where routes are mapped. */
  @FunctionalInterface
  interface Target {
    Object map(Set<String> methods, String path, Handler handler);
  }

  private Controllers() {}

  /**
   * Maps the routes of {@code controller}.
   *
   * @throws IllegalArgumentException if it has no routes, or one of its methods cannot be a handler
   */
  static void mapTo(Target target, Object controller) {
    if (controller instanceof Class<?> type) {
      throw new IllegalArgumentException(
          "a controller is an object: pass an instance of " + type.getName() + ", not the class");
    }
    Class<?> type = controller.getClass();
    List<Method> methods = routedMethods(type);
    if (methods.isEmpty()) {
      throw new IllegalArgumentException(
          "controller " + type.getName() + " has no method with @Route");
    }
    Route prefix = type.getAnnotation(Route.class);
    for (Method method : methods) {
      Route route = method.getAnnotation(Route.class);
      boolean inherits = prefix != null && route.methods().length == 0;
      Object _ =
          target.map(
              Set.of(inherits ? prefix.methods() : route.methods()),
              prefix == null ? route.value() : join(prefix.value(), route.value()),
              handler(controller, method));
    }
  }

  /** Returns the methods with a route, including inherited ones, in the order of their paths. */
  private static List<Method> routedMethods(Class<?> type) {
    Stream<Method> hidden =
        Stream.<Class<?>>iterate(type, c -> c != null, Class::getSuperclass)
            .flatMap(c -> Arrays.stream(c.getDeclaredMethods()))
            .filter(method -> !Modifier.isPublic(method.getModifiers()));
    return Stream.concat(Arrays.stream(type.getMethods()), hidden)
        .filter(method -> method.isAnnotationPresent(Route.class))
        .filter(method -> !method.isBridge()) // javac copies annotations to its bridges
        .sorted(Comparator.comparing(method -> method.getAnnotation(Route.class).value()))
        .toList();
  }

  private static String join(String prefix, String path) {
    return prefix.endsWith("/") && path.startsWith("/")
        ? prefix + path.substring(1)
        : prefix + path;
  }

  private static Handler handler(Object controller, Method method) {
    requireHandlerSignature(method);
    requireAccess(method);
    try {
      MethodHandle handle =
          MethodHandles.lookup()
              .unreflect(method)
              .bindTo(controller)
              .asType(MethodType.methodType(void.class, HttpContext.class));
      return new ControllerMethod(handle);
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(describe(method) + " cannot be called", e);
    }
  }

  private static void requireHandlerSignature(Method method) {
    if (!Modifier.isPublic(method.getModifiers())) {
      throw new IllegalArgumentException(describe(method) + " has @Route but is not public");
    }
    boolean takesContext =
        Arrays.equals(method.getParameterTypes(), new Class<?>[] {HttpContext.class});
    if (!takesContext || Modifier.isStatic(method.getModifiers())) {
      throw new IllegalArgumentException(
          "%s has @Route but is not declared as: public void %s(HttpContext context)"
              .formatted(describe(method), method.getName()));
    }
  }

  /** Fails unless the module system lets us call {@code method}, and says what would allow it. */
  private static void requireAccess(Method method) {
    if (method.trySetAccessible()) {
      return;
    }
    Class<?> type = method.getDeclaringClass();
    String us = Controllers.class.getModule().getName();
    String blame =
        type.getModule().isExported(type.getPackageName(), Controllers.class.getModule())
            ? "its class is not public and its package %s is not opened to %s"
            : "its package %s is neither exported nor opened to %s";
    throw new IllegalArgumentException(
        "%s has @Route, but %s: write \"opens %s to %s;\" into module-info.java of %s"
            .formatted(
                describe(method),
                blame.formatted(type.getPackageName(), us),
                type.getPackageName(),
                us,
                type.getModule().getName()));
  }

  private static String describe(Method method) {
    return "controller method " + method.getDeclaringClass().getName() + "." + method.getName();
  }

  /** Calls a controller's method and throws its exceptions unchanged. */
  private record ControllerMethod(MethodHandle handle) implements Handler {
    @Override
    public void handle(HttpContext context) throws Exception {
      try {
        handle.invokeExact(context);
      } catch (Exception | Error e) {
        throw e;
      } catch (Throwable e) { // neither, which only a custom Throwable can be
        throw new IllegalStateException(e);
      }
    }
  }
}
