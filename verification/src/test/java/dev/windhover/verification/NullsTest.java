package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Application;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.HttpResponse;
import dev.windhover.http.Middleware;
import dev.windhover.http.RouteGroup;
import dev.windhover.http.User;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.middleware.Authentication;
import dev.windhover.http.middleware.AuthenticationOptions;
import dev.windhover.http.middleware.Cors;
import dev.windhover.http.middleware.CorsOptions;
import dev.windhover.http.middleware.ForwardedHeaders;
import dev.windhover.http.middleware.ForwardedHeadersOptions;
import dev.windhover.http.middleware.HostFiltering;
import dev.windhover.http.middleware.HostFilteringOptions;
import dev.windhover.http.middleware.Hsts;
import dev.windhover.http.middleware.HstsOptions;
import dev.windhover.http.middleware.HttpLogging;
import dev.windhover.http.middleware.HttpLoggingOptions;
import dev.windhover.http.middleware.HttpsRedirection;
import dev.windhover.http.middleware.HttpsRedirectionOptions;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketManager;
import dev.windhover.server.Http2Limits;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.ServerOptions;
import dev.windhover.server.TlsOptions;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestRequest;
import dev.windhover.testing.TestWebSocket;
import dev.windhover.websocket.WebSocketLimits;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Null is refused where it is given, by the name of the parameter. */
class NullsTest {
  /** What {@code Objects.requireNonNull(path, "path")} says, or the JVM of a variable. */
  private static final Pattern NAMED =
      Pattern.compile("(?!null$)[a-z]\\w*|.* because \"(?!<local|this\\.)[^\"]+\" is null");

  /** Types with static methods and constructors. */
  private static final List<Class<?>> MADE =
      List.of(
          WebApplication.class,
          StaticFiles.class,
          Authentication.class,
          Cors.class,
          ForwardedHeaders.class,
          HostFiltering.class,
          Hsts.class,
          HttpLogging.class,
          HttpsRedirection.class,
          WebSockets.class,
          User.class,
          Message.Text.class,
          Message.Binary.class,
          PreparedMessage.class,
          TestHost.class);

  private static final Map<Class<?>, Supplier<Object>> SET_UP =
      Map.ofEntries(
          Map.entry(Application.class, Application::new),
          Map.entry(WebApplication.class, WebApplication::create),
          Map.entry(RouteGroup.class, NullsTest::group),
          Map.entry(ServerOptions.class, ServerOptions::new),
          Map.entry(ServerLimits.class, () -> new ServerOptions().limits()),
          Map.entry(Http2Limits.class, () -> new ServerOptions().limits().http2()),
          Map.entry(TlsOptions.class, () -> new ServerOptions().tls()),
          Map.entry(WebSocketOptions.class, WebSocketOptions::new),
          Map.entry(WebSocketLimits.class, WebSocketLimits::new),
          Map.entry(WebSocketAcceptContext.class, WebSocketAcceptContext::new),
          Map.entry(Group.class, Group::new),
          Map.entry(AuthenticationOptions.class, AuthenticationOptions::new),
          Map.entry(CorsOptions.class, CorsOptions::new),
          Map.entry(ForwardedHeadersOptions.class, ForwardedHeadersOptions::new),
          Map.entry(HostFilteringOptions.class, HostFilteringOptions::new),
          Map.entry(HstsOptions.class, HstsOptions::new),
          Map.entry(HttpLoggingOptions.class, HttpLoggingOptions::new),
          Map.entry(HttpsRedirectionOptions.class, HttpsRedirectionOptions::new),
          Map.entry(StaticFiles.class, () -> StaticFiles.fromFolder(Path.of("."))));

  private static Object group() {
    List<RouteGroup> made = new ArrayList<>();
    new Application().mapGroup("/g", made::add);
    return made.getFirst();
  }

  static Set<Class<?>> isRefusedAtSetUp() {
    return SET_UP.keySet();
  }

  @ParameterizedTest
  @MethodSource
  void isRefusedAtSetUp(Class<?> type) throws Exception {
    requireNamed(type, SET_UP.get(type));
  }

  static List<Class<?>> isRefusedWhereAnObjectIsMade() {
    return MADE;
  }

  @ParameterizedTest
  @MethodSource
  void isRefusedWhereAnObjectIsMade(Class<?> type) throws Exception {
    requireNamed(type, null);
  }

  @Test
  void isRefusedByARequestAndItsResponse() throws Exception {
    Application app = new Application();
    app.use(WebSockets.with(options -> options.allowedOrigins("*")));
    app.map(
        "/",
        context -> {
          requireNamed(HttpContext.class, () -> context);
          requireNamed(HttpRequest.class, context::request);
          requireNamed(HttpResponse.class, context::response);
          requireNamed(Headers.class, () -> context.request().headers());
          requireNamed(WebSocketManager.class, context::webSockets);
          context.response().status(200);
        });
    try (TestHost host = TestHost.start(app)) {
      host.get("/").expectStatus(200);
    }
  }

  @Test
  void isRefusedBySocketsOfBothSides() throws Exception {
    CountDownLatch tested = new CountDownLatch(1);
    List<Throwable> failures = new ArrayList<>();
    Application app = new Application();
    app.use(WebSockets.with(options -> options.allowedOrigins("*")));
    app.mapWebSocket(
        "/",
        socket -> {
          try {
            requireNamed(WebSocket.class, () -> socket);
          } catch (Throwable e) {
            failures.add(e);
          } finally {
            tested.countDown();
          }
        });
    try (TestHost host = TestHost.start(app)) {
      TestWebSocket client = host.webSocket("/").connect();
      tested.await();
      client.expectClose(1000, "");
      assertThat(failures).isEmpty();
    }
  }

  @Test
  void isRefusedByTheKit() throws Exception {
    try (TestHost host = TestHost.start(new Application())) {
      requireNamed(TestHost.class, () -> host);
      requireNamed(TestRequest.class, () -> host.get("/"));
    }
  }

  // ---- Calls

  private static void requireNamed(Class<?> type, @Nullable Supplier<?> object) throws Exception {
    Set<String> faults = new TreeSet<>();
    List<Executable> all = new ArrayList<>();
    if (object == null) {
      all.addAll(List.of(type.getConstructors()));
    }
    for (Method each : type.getMethods()) {
      boolean isOurs = each.getDeclaringClass().getName().startsWith("dev.windhover.");
      boolean isStatic = Modifier.isStatic(each.getModifiers());
      if (isOurs && !each.isBridge() && isStatic == (object == null) && !isCalledByUs(each)) {
        all.add(each);
      }
    }
    for (Executable each : all) {
      Parameter[] parameters = each.getParameters();
      for (int i = 0; i < parameters.length; i++) {
        boolean mayBeNull =
            parameters[i].getType().isPrimitive()
                || parameters[i].getAnnotatedType().isAnnotationPresent(Nullable.class)
                || (each.getName().equals("equals") && parameters.length == 1);
        if (!mayBeNull) {
          String how = answerOf(each, object == null ? null : object.get(), i);
          if (!NAMED.matcher(how).matches()) {
            faults.add(
                type.getSimpleName()
                    + "."
                    + each.getName()
                    + List.of(each.getParameterTypes()).stream().map(Class::getSimpleName).toList()
                    + " with null as number "
                    + (i + 1)
                    + ": "
                    + how);
          }
        }
      }
    }
    assertThat(faults).isEmpty();
  }

  /** Returns whether a pipeline or a host calls it, and no application. */
  private static boolean isCalledByUs(Method method) {
    return List.of(method.getParameterTypes()).contains(HttpContext.class)
        || (Middleware.class.isAssignableFrom(method.getDeclaringClass())
            && Stream.of(Middleware.class.getMethods())
                .anyMatch(each -> each.getName().equals(method.getName())));
  }

  /** Returns the message of the NullPointerException, or what came instead. */
  private static String answerOf(Executable called, @Nullable Object on, int nullAt)
      throws ReflectiveOperationException {
    Class<?>[] types = called.getParameterTypes();
    Object[] arguments = new Object[types.length];
    for (int i = 0; i < types.length; i++) {
      if (i != nullAt) {
        arguments[i] = some(types[i]);
      }
    }
    try {
      called.setAccessible(true);
      Object result =
          called instanceof Constructor<?> constructor
              ? constructor.newInstance(arguments)
              : ((Method) called).invoke(on, arguments);
      return "returned " + result;
    } catch (InvocationTargetException e) {
      return e.getCause() instanceof NullPointerException refused
          ? answerOf(refused)
          : "threw " + e.getCause();
    }
  }

  /**
   * An exception from within the JDK is an accident: it names what the JDK calls the variable, and
   * from compiled code nothing at all.
   */
  private static String answerOf(NullPointerException refused) {
    StackTraceElement[] trace = refused.getStackTrace();
    String by = trace.length == 0 ? "compiled code" : trace[0].getClassName();
    return by.startsWith("dev.windhover.") || by.equals(Objects.class.getName())
        ? String.valueOf(refused.getMessage())
        : "thrown by " + by;
  }

  private static Object some(Class<?> type) {
    if (type == String.class || type == CharSequence.class) {
      return "x";
    }
    if (type == Duration.class) {
      return Duration.ofSeconds(1);
    }
    if (type == Path.class) {
      return Path.of(".");
    }
    if (type == ByteBuffer.class) {
      return ByteBuffer.allocate(1);
    }
    if (type == PreparedMessage.class) {
      return PreparedMessage.text("x");
    }
    if (type == WebSocketAcceptContext.class) {
      return new WebSocketAcceptContext();
    }
    if (type == Class.class) {
      return String.class;
    }
    if (type == Object.class) {
      return "x";
    }
    if (type == Set.class) {
      return Set.of("GET");
    }
    if (type.isArray()) {
      return Array.newInstance(type.getComponentType(), 0);
    }
    if (type == int.class) {
      return 1000;
    }
    if (type == boolean.class) {
      return true;
    }
    if (type.isPrimitive()) {
      return Array.get(Array.newInstance(type, 1), 0);
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    }
    if (type.isInterface() && !type.isSealed()) {
      return Proxy.newProxyInstance(
          type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> null);
    }
    throw new IllegalArgumentException("no value of " + type);
  }
}
