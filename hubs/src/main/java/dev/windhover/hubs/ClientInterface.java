package dev.windhover.hubs;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Proxy;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Flow;
import java.util.function.Function;
import java.util.stream.BaseStream;
import org.jspecify.annotations.Nullable;

/** What a hub can call on clients: makes the proxies through which it does. */
final class ClientInterface<C> {
  private static final Object[] NONE = {};

  private final Function<Callee, C> proxies;

  private ClientInterface(Function<Callee, C> proxies) {
    this.proxies = proxies;
  }

  /** Returns what calls methods of {@code callee}. */
  C proxy(Callee callee) {
    return proxies.apply(callee);
  }

  /**
   * Reads the client interface of a hub.
   *
   * @param lookup whose access is used for default methods; null for that of this module
   * @throws IllegalArgumentException if it cannot be implemented; the message says why
   */
  static <C> ClientInterface<C> of(
      Class<?> hub, ClientNames names, MethodHandles.@Nullable Lookup lookup) {
    Type type = new GenericTypes(hub).resolve(Hub.class.getTypeParameters()[0]);
    if (type.equals(ClientProxy.class)) {
      @SuppressWarnings("unchecked") // this is what C is
      Function<Callee, C> itself = callee -> (C) callee;
      return new ClientInterface<>(itself);
    }
    if (type.equals(Void.class) || type.equals(Object.class)) {
      return new ClientInterface<>(_ -> {
        throw new IllegalStateException(
            "hub %s has no client interface: use clients().untyped()".formatted(hub.getName()));
      });
    }
    if (type instanceof ParameterizedType) {
      throw bad(hub, type, "is generic");
    }
    @SuppressWarnings("unchecked") // this is what C is
    Class<C> client = (Class<C>) type;
    Reader reader = new Reader(hub, client, names, lookup);
    Map<Method, ClientMethod> methods = reader.read();
    Class<?>[] interfaces = {client};
    return new ClientInterface<>(callee ->
        client.cast(
            Proxy.newProxyInstance(
                client.getClassLoader(), interfaces, new Handler(client, methods, callee))));
  }

  private static IllegalArgumentException bad(Class<?> hub, Type type, String fact) {
    return new IllegalArgumentException(
        "hub %s: client interface %s %s".formatted(hub.getName(), type.getTypeName(), fact));
  }

  // ---- Reading it

  private record Reader(
      Class<?> hub, Class<?> client, ClientNames names, MethodHandles.@Nullable Lookup lookup) {
    Map<Method, ClientMethod> read() {
      requireInterface();
      GenericTypes types = new GenericTypes(client);
      Map<Method, ClientMethod> methods = new HashMap<>();
      Map<String, Method> byName = new HashMap<>();
      for (Method method : client.getMethods()) {
        if (method.isDefault()) {
          methods.put(method, new ClientMethod.Default(defaultOf(method)));
        } else if (Modifier.isAbstract(method.getModifiers())) {
          Type result = types.resolve(method.getGenericReturnType());
          requireCallable(method, result);
          String name = nameOf(method);
          Method other = byName.putIfAbsent(name.toLowerCase(Locale.ROOT), method);
          if (other != null && !isSame(other, method)) {
            throw bad(
                "has two methods that are '%s' on the wire, in any case: %s and %s"
                    .formatted(name, HubClass.describe(other), HubClass.describe(method)));
          }
          methods.put(method, ClientMethod.of(method, name, typesOf(method, types), result));
        }
      }
      return methods;
    }

    private static List<Type> typesOf(Method method, GenericTypes types) {
      return Arrays.stream(method.getGenericParameterTypes()).map(types::resolve).toList();
    }

    private void requireInterface() {
      if (!client.isInterface() || client.isAnnotation()) {
        throw bad("is no interface");
      }
      if (client.isSealed()) {
        throw bad("is sealed");
      }
      if (client.getTypeParameters().length > 0) {
        throw bad("is generic");
      }
    }

    private void requireCallable(Method method, Type result) {
      if (method.getTypeParameters().length > 0) {
        throw bad("has a generic method: " + HubClass.describe(method));
      }
      if (isStream(GenericTypes.raw(result))) {
        throw bad("asks for a stream, which clients do not return: " + HubClass.describe(method));
      }
      Class<?>[] parameters = method.getParameterTypes();
      if (Arrays.stream(parameters).anyMatch(Reader::isStream)) {
        throw bad("sends a stream, which clients do not take: " + HubClass.describe(method));
      }
      for (int i = 0; i < parameters.length - 1; i++) {
        if (parameters[i].equals(Cancellation.class)) {
          throw bad("has a Cancellation that is not last: " + HubClass.describe(method));
        }
      }
    }

    private static boolean isStream(Class<?> type) {
      return BaseStream.class.isAssignableFrom(type) || Flow.Publisher.class.isAssignableFrom(type);
    }

    private String nameOf(Method method) {
      HubMethodName given = method.getAnnotation(HubMethodName.class);
      if (given != null) {
        return given.value();
      }
      String name = method.getName();
      return switch (names) {
        case AS_DECLARED -> name;
        case PASCAL_CASE -> name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
      };
    }

    /** Returns whether one is the other, inherited in two ways. */
    private static boolean isSame(Method one, Method other) {
      return one.getName().equals(other.getName())
          && Arrays.equals(one.getParameterTypes(), other.getParameterTypes())
          && one.getReturnType().equals(other.getReturnType());
    }

    /** Returns what runs a default method; null if the JDK may do it for us. */
    private @Nullable MethodHandle defaultOf(Method method) {
      Class<?> declaring = method.getDeclaringClass();
      try {
        return MethodHandles.privateLookupIn(
                declaring, lookup == null ? MethodHandles.lookup() : lookup)
            .unreflectSpecial(method, declaring)
            .asSpreader(Object[].class, method.getParameterCount());
      } catch (IllegalAccessException e) {
        Module ours = ClientInterface.class.getModule();
        if (Modifier.isPublic(declaring.getModifiers())
            && declaring.getModule().isExported(declaring.getPackageName(), ours)) {
          return null;
        }
        throw bad(
            "has a default method that is not accessible, %s: open its package to %s, or give"
                    .formatted(HubClass.describe(method), ours.getName())
                + " HubOptions.lookup the MethodHandles.lookup() of a class that may call it");
      }
    }

    private IllegalArgumentException bad(String fact) {
      return ClientInterface.bad(hub, client, fact);
    }
  }

  // ---- Calling through it

  /** Calls methods of clients. */
  private record Handler(Class<?> client, Map<Method, ClientMethod> methods, Callee callee)
      implements InvocationHandler {
    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] given)
        throws Throwable {
      Object[] arguments = given == null ? NONE : given;
      ClientMethod known = methods.get(method);
      return switch (known) {
        case ClientMethod.Default(var handle) when handle == null ->
            InvocationHandler.invokeDefault(proxy, method, arguments);
        case ClientMethod.Default(var handle) -> handle.bindTo(proxy).invoke(arguments);
        case ClientMethod.Call call -> call.on(callee, arguments);
        case null -> ofObject(method, arguments);
      };
    }

    private boolean isSame(Object other) {
      return Proxy.isProxyClass(other.getClass())
          && equals(Proxy.getInvocationHandler(other)); // records compare what they are of
    }

    private Object ofObject(Method method, Object[] arguments) {
      return switch (method.getName()) {
        case "equals" -> arguments[0] != null && isSame(arguments[0]);
        case "hashCode" -> callee.hashCode();
        default -> client.getSimpleName() + " of " + callee;
      };
    }
  }
}
