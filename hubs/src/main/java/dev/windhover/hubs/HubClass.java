package dev.windhover.hubs;

import dev.windhover.http.HttpContext;
import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.HubMethodDescriptor.Access;
import dev.windhover.hubs.HubMethodDescriptor.Parameter;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.annotation.Annotation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.stream.BaseStream;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** Finds by reflection what clients can call on a hub, and what is wrong with its class. */
final class HubClass {
  private static final Logger log = Loggers.get(HubClass.class);

  /** Methods with these are called by containers, not by clients. */
  private static final Set<String> FOR_CONTAINERS =
      Set.of("Inject", "Autowired", "Resource", "PostConstruct", "PreDestroy");

  /** What nobody can send or receive. */
  private static final List<Class<?>> NO_VALUES =
      List.of(
          BaseStream.class,
          Flow.Publisher.class,
          Flow.Subscriber.class,
          CompletionStage.class,
          Future.class,
          InputStream.class,
          OutputStream.class,
          Hub.class,
          HubCallerContext.class,
          HttpContext.class,
          Cancellation.class,
          Thread.class,
          Class.class);

  private final Class<?> hub;
  private final HubOptions options;
  private final GenericTypes types;

  private HubClass(Class<?> hub, HubOptions options) {
    this.hub = hub;
    this.options = options;
    this.types = new GenericTypes(hub);
  }

  /**
   * Returns what clients can call on {@code hub}.
   *
   * @throws IllegalArgumentException if a method cannot be called; the message names it
   */
  static HubDescriptor describe(Class<?> hub, HubOptions options) {
    HubClass reader = new HubClass(hub, options);
    HubDescriptor descriptor =
        new HubDescriptor(hub, reader.candidates().stream().map(reader::descriptorOf).toList());
    if (log.isDebugEnabled()) {
      log.debug(
          "hub {}: clients may call {}",
          hub.getName(),
          descriptor.methods().stream()
              .map(method -> method.name() + " = " + describe(method.method()))
              .collect(Collectors.joining(", ")));
    }
    return descriptor;
  }

  /** Returns a method as people know it. */
  static String describe(Method method) {
    return method.getDeclaringClass().getSimpleName()
        + "."
        + method.getName()
        + Arrays.stream(method.getParameterTypes())
            .map(Class::getSimpleName)
            .collect(Collectors.joining(", ", "(", ")"));
  }

  // ---- Which methods

  private List<Method> candidates() {
    Set<String> known = new HashSet<>();
    for (Class<?> reserved : List.of(Object.class, Hub.class)) {
      for (Method method : reserved.getDeclaredMethods()) {
        known.add(signature(method));
      }
    }
    known.add("close()");
    List<Method> found = new ArrayList<>();
    for (Class<?> type = hub;
        type != null && !type.equals(Hub.class) && !type.equals(Object.class);
        type = type.getSuperclass()) {
      Method[] declared = type.getDeclaredMethods();
      Arrays.sort(declared, Comparator.comparing(HubClass::signature)); // repeatable
      for (Method method : declared) {
        if (method.isBridge() && !hidesAnInherited(method, declared)) {
          continue; // it makes a method of a superclass visible that is not public
        }
        if (known.add(signature(method)) && isForClients(method)) {
          found.add(method);
        }
      }
    }
    return found;
  }

  /** Returns whether a bridge leads to a method of the same class, which overrides another. */
  private static boolean hidesAnInherited(Method bridge, Method[] declared) {
    return Arrays.stream(declared)
        .anyMatch(method ->
            !method.isBridge()
                && method.getName().equals(bridge.getName())
                && method.getParameterCount() == bridge.getParameterCount());
  }

  private static String signature(Method method) {
    return method.getName()
        + Arrays.stream(method.getParameterTypes())
            .map(Class::getName)
            .collect(Collectors.joining(",", "(", ")"));
  }

  private boolean isForClients(Method method) {
    int modifiers = method.getModifiers();
    boolean callable =
        Modifier.isPublic(modifiers)
            && !Modifier.isStatic(modifiers)
            && !method.isSynthetic()
            && !method.isBridge();
    boolean wanted =
        options.annotatedMethodsOnly()
            ? method.isAnnotationPresent(HubMethod.class)
            : !method.isAnnotationPresent(NotHubMethod.class) && !isForContainers(method);
    if (!callable && method.isAnnotationPresent(HubMethod.class)) {
      throw bad(method, "has @HubMethod, but is not public, or is static");
    }
    return callable && wanted;
  }

  private static boolean isForContainers(Method method) {
    for (Annotation annotation : method.getAnnotations()) {
      if (FOR_CONTAINERS.contains(annotation.annotationType().getSimpleName())) {
        return true;
      }
    }
    return false;
  }

  // ---- What a method takes and returns

  private HubMethodDescriptor descriptorOf(Method method) {
    requireOrdinary(method);
    List<Parameter> parameters = new ArrayList<>();
    List<Type> values = new ArrayList<>();
    for (Type declared : method.getGenericParameterTypes()) {
      Type type = types.resolve(declared);
      Parameter parameter = parameter(method, type);
      parameters.add(parameter);
      if (parameter instanceof Parameter.Value) {
        values.add(type);
      }
    }
    warnOfAdjacentStreams(method, parameters);
    Type result = types.resolve(method.getGenericReturnType());
    if (CompletionStage.class.isAssignableFrom(GenericTypes.raw(result))) {
      result = GenericTypes.onlyArgument(result);
    }
    boolean nonBlocking = method.isAnnotationPresent(NonBlocking.class);
    if (nonBlocking && parameters.stream().anyMatch(Parameter.Uploaded.class::isInstance)) {
      throw bad(method, "is @NonBlocking, but takes a stream, for which it would have to wait");
    }
    return new HubMethodDescriptor(
        nameOf(method),
        method,
        List.copyOf(parameters),
        List.copyOf(values),
        StreamForm.of(GenericTypes.raw(result)),
        resultType(method, result),
        nonBlocking,
        List.of(method.getExceptionTypes()).contains(InterruptedException.class),
        accessTo(method),
        invoker(method));
  }

  private void requireOrdinary(Method method) {
    if (method.getTypeParameters().length > 0) {
      throw bad(method, "is generic: nothing says what a client's value is to become");
    }
    Class<?>[] parameters = method.getParameterTypes();
    if (parameters.length > 0
        && parameters[parameters.length - 1].getName().equals("kotlin.coroutines.Continuation")) {
      throw bad(method, "is a suspend function: make it an ordinary one, which may block");
    }
  }

  private Parameter parameter(Method method, Type type) {
    Class<?> raw = GenericTypes.raw(type);
    if (raw.equals(Cancellation.class)) {
      return new Parameter.Cancelled();
    }
    StreamForm form = StreamForm.of(raw);
    if (form != null) {
      return new Parameter.Uploaded(form, requireValue(method, form.itemType(type), "a stream of"));
    }
    requireValue(method, type, "a parameter of type");
    return new Parameter.Value();
  }

  private Type requireValue(Method method, Type type, String what) {
    Class<?> raw = GenericTypes.raw(type);
    for (Class<?> each : NO_VALUES) {
      if (each.isAssignableFrom(raw)) {
        throw bad(method, "has " + what + " " + type.getTypeName() + ", which is no value");
      }
    }
    return type;
  }

  /** JavaScript loses the second of two streams that stand side by side. */
  private static void warnOfAdjacentStreams(Method method, List<Parameter> parameters) {
    for (int i = 1; i < parameters.size(); i++) {
      if (parameters.get(i) instanceof Parameter.Uploaded
          && parameters.get(i - 1) instanceof Parameter.Uploaded) {
        log.warn(
            "hub method {} takes two streams side by side, the second of which JavaScript clients"
                + " lose: put another parameter between them",
            describe(method));
        return;
      }
    }
  }

  /** Returns the type of a result, or of the items of one that is a stream. */
  private Type resultType(Method method, Type result) {
    StreamForm form = StreamForm.of(GenericTypes.raw(result));
    return form == null
        ? requireValue(method, result, "a result of type")
        : requireValue(method, form.itemType(result), "a result that is a stream of");
  }

  // ---- Names and access

  private String nameOf(Method method) {
    HubMethodName name = method.getAnnotation(HubMethodName.class);
    if (name == null) {
      return method.getName();
    }
    if (name.value().isBlank()) {
      throw bad(method, "has a blank @HubMethodName");
    }
    return name.value();
  }

  private Access accessTo(Method method) {
    List<List<String>> anyOf = new ArrayList<>();
    boolean user = false;
    for (AnnotatedElement element : List.of(hub, method)) {
      user |= element.isAnnotationPresent(RequireUser.class);
      RequireRole roles = element.getAnnotation(RequireRole.class);
      if (roles != null) {
        user = true;
        if (roles.value().length == 0) {
          throw bad(method, "has a @RequireRole without a role");
        }
        anyOf.add(List.of(roles.value()));
      }
    }
    return user ? new Access(true, List.copyOf(anyOf)) : Access.ANYBODY;
  }

  private HubMethodDescriptor.Invoker invoker(Method method) {
    MethodHandle handle =
        handle(method)
            .asFixedArity()
            .asSpreader(Object[].class, method.getParameterCount())
            .asType(MethodType.methodType(Object.class, Hub.class, Object[].class));
    return new HandleInvoker(handle);
  }

  private MethodHandle handle(Method method) {
    MethodHandles.Lookup lookup = options.lookup();
    try {
      if (lookup != null) {
        return lookup.unreflect(method);
      }
      if (method.trySetAccessible()) {
        return MethodHandles.lookup().unreflect(method);
      }
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(
          "hub method %s cannot be called: %s".formatted(describe(method), e.getMessage()), e);
    }
    Class<?> type = method.getDeclaringClass();
    throw bad(
        method,
        "is not accessible: write \"opens %s to %s;\" into module-info.java of %s, or give"
                .formatted(
                    type.getPackageName(),
                    HubClass.class.getModule().getName(),
                    type.getModule().getName())
            + " HubOptions.lookup the MethodHandles.lookup() of a class that may call it");
  }

  private IllegalArgumentException bad(Method method, String fact) {
    return new IllegalArgumentException(
        "hub %s: method %s %s".formatted(hub.getName(), describe(method), fact));
  }

  /** Calls a method and throws its exceptions unchanged. */
  private record HandleInvoker(MethodHandle handle) implements HubMethodDescriptor.Invoker {
    @Override
    public @Nullable Object invoke(Hub<?> hub, @Nullable Object[] arguments) throws Exception {
      try {
        return (Object) handle.invokeExact(hub, arguments);
      } catch (Exception | Error e) {
        throw e;
      } catch (Throwable e) { // neither, which only a custom Throwable can be
        throw new IllegalStateException(e);
      }
    }
  }
}
