package dev.windhover.app;

import dev.windhover.http.host.Loggers;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;

/**
 * What SIGTERM and Ctrl-C do to a running application. The first one stops it and ends the process
 * with the exit code that the stop returns. The second one ends the process at once.
 *
 * <p>A shutdown hook alone can do neither: the JVM has chosen the exit code when the hook runs, and
 * ignores further signals. So this uses {@code sun.misc.Signal}, by reflection because the compiler
 * warns of the class. The hook still stops the application if something else ends the process in
 * order, or if the JVM was told not to handle signals ({@code -Xrs}).
 */
final class StopSignals {
  private static final Logger log = Loggers.get(StopSignals.class);

  /** What a shell adds to the number of a signal that ended a program. */
  private static final int BY_SIGNAL = 128;

  private static final List<String> NAMES = List.of("TERM", "INT");

  private final Callable<Integer> stop;
  private final Thread hook;
  private final AtomicBoolean came = new AtomicBoolean();
  private final Map<Object, Object> handledBefore = new ConcurrentHashMap<>();

  /**
   * Creates them.
   *
   * @param stop stops the application because of a signal, and returns the exit code
   * @param atExit stops the application because the process ends with an exit code of another's
   */
  StopSignals(Callable<Integer> stop, Runnable atExit) {
    this.stop = stop;
    this.hook = new Thread(atExit, "windhover-exit");
  }

  /** Handles the signals from now on, until {@link #ignore()}. */
  void listen() {
    Runtime.getRuntime().addShutdownHook(hook);
    for (String name : NAMES) {
      try {
        handle(name);
      } catch (InvocationTargetException e) {
        log.debug("SIG{} is left to the JVM: {}", name, String.valueOf(e.getCause()));
      } catch (ReflectiveOperationException e) {
        log.debug("SIG{} is left to the JVM: {}", name, e.toString());
      }
    }
  }

  @SuppressWarnings("ReferenceEquality") // what a proxy is asked
  private void handle(String name) throws ReflectiveOperationException {
    Class<?> handlers = Class.forName("sun.misc.SignalHandler");
    Object signal = Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
    int number = (int) signal.getClass().getMethod("getNumber").invoke(signal);
    InvocationHandler call =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "handle" -> {
                try {
                  came(number);
                } catch (Throwable e) { // no memory, perhaps
                  Runtime.getRuntime().halt(1);
                }
                yield null;
              }
              case "equals" -> proxy == arguments[0];
              case "hashCode" -> System.identityHashCode(proxy);
              default -> "stop";
            };
    Object handler =
        Proxy.newProxyInstance(handlers.getClassLoader(), new Class<?>[] {handlers}, call);
    handledBefore.put(signal, set(signal, handler));
  }

  private static Object set(Object signal, Object handler) throws ReflectiveOperationException {
    return signal
        .getClass()
        .getMethod("handle", signal.getClass(), Class.forName("sun.misc.SignalHandler"))
        .invoke(null, signal, handler);
  }

  /** On a thread of the JVM for this signal alone; it does not keep the process alive. */
  private void came(int number) {
    if (came.compareAndSet(false, true)) {
      Thread _ =
          Thread.ofPlatform()
              .daemon(false)
              .name("windhover-stop")
              .start(() -> System.exit(exitCode()));
    } else {
      Runtime.getRuntime().halt(BY_SIGNAL + number);
    }
  }

  private int exitCode() {
    try {
      return stop.call();
    } catch (Exception e) {
      log.error("the stop failed", e);
      return 1;
    }
  }

  /** The application has stopped: leaves the signals as they were, unless one of them has come. */
  void ignore() {
    if (came.get()) {
      return; // the second one still ends the process
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
      for (Map.Entry<Object, Object> each : handledBefore.entrySet()) {
        set(each.getKey(), each.getValue());
      }
    } catch (IllegalStateException e) {
      log.debug("the process is ending");
    } catch (ReflectiveOperationException e) {
      log.debug("signals could not be left as they were: {}", e.toString());
    }
  }
}
