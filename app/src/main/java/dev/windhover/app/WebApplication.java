package dev.windhover.app;

import dev.windhover.http.Application;
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
import dev.windhover.server.ListenException;
import dev.windhover.server.Server;
import dev.windhover.server.ServerOptions;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An application with its host.
 *
 * <pre>{@code
 * void main(String[] args) {
 *   var app = WebApplication.create(args);
 *   app.useWebSockets();
 *   app.mapWebSocket("/ws", socket -> {
 *     for (Message message : socket) socket.send(message);
 *   });
 *   app.run();
 * }
 * }</pre>
 *
 * <p>It listens on {@code --urls} of the arguments, else on {@code WINDHOVER_URLS} of the
 * environment (several, separated by {@code ;}), else on what {@link #server} was told, else on
 * {@code http://localhost:5000}.
 *
 * <p>Where it runs is said by {@code --environment}, else by {@code WINDHOVER_ENVIRONMENT}, and is
 * {@code Production} otherwise. In {@code Development} the developer exception page is on.
 */
public final class WebApplication extends Application {
  private static final Logger log = LoggerFactory.getLogger(WebApplication.class);

  private final ServerOptions options = new ServerOptions();
  private final List<Runnable> onStarted = new ArrayList<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private @Nullable String urls;
  private @Nullable Server server;

  private WebApplication() {}

  /**
   * Creates an application.
   *
   * @param args {@code --urls http://localhost:5000;http://…}, {@code --environment Development};
   *     others are the program's own. A malformed URL is told at the start, as one that cannot be
   *     listened on
   */
  public static WebApplication create(String... args) {
    WebApplication app = new WebApplication();
    app.urls = setting("urls", args);
    String environment = setting("environment", args);
    if (environment != null && !environment.isBlank()) {
      app.environment(environment.strip());
    }
    if (app.isDevelopment()) {
      app.useDeveloperExceptionPage();
    }
    return app;
  }

  /** Returns what the arguments say, or else the environment, or null. */
  private static @Nullable String setting(String name, String... args) {
    String option = "--" + name;
    for (int i = 0; i < args.length; i++) {
      if (args[i].startsWith(option + "=")) {
        return args[i].substring(option.length() + 1);
      }
      if (args[i].equals(option)) {
        return i + 1 < args.length ? args[i + 1] : "";
      }
    }
    String environment = System.getenv("WINDHOVER_" + name.toUpperCase(Locale.ROOT));
    return environment == null || environment.isBlank() ? null : environment;
  }

  private static String[] split(String urls) {
    return urls.strip().split("\\s*[;,]\\s*");
  }

  /** Adds the WebSocket middleware with its defaults. */
  public WebApplication useWebSockets() {
    return useWebSockets(options -> {});
  }

  /** Adds the WebSocket middleware with options changed from their defaults. */
  public WebApplication useWebSockets(Consumer<WebSocketOptions> change) {
    use(WebSockets.with(change));
    return this;
  }

  /** Adds the access log, with its defaults; see {@link HttpLogging}. */
  public WebApplication useHttpLogging() {
    return useHttpLogging(options -> {});
  }

  /** Adds the access log, with options changed from their defaults. */
  public WebApplication useHttpLogging(Consumer<HttpLoggingOptions> change) {
    use(HttpLogging.with(change));
    return this;
  }

  /**
   * Adds what takes address and scheme from known proxies, with its defaults; see {@link
   * ForwardedHeaders}.
   */
  public WebApplication useForwardedHeaders() {
    return useForwardedHeaders(options -> {});
  }

  /**
   * Adds what takes address and scheme from known proxies, with options changed from their
   * defaults.
   */
  public WebApplication useForwardedHeaders(Consumer<ForwardedHeadersOptions> change) {
    use(ForwardedHeaders.with(change));
    return this;
  }

  /** Adds what answers 400 to requests for other hosts; see {@link HostFiltering}. */
  public WebApplication useHostFiltering(Consumer<HostFilteringOptions> change) {
    use(HostFiltering.with(change));
    return this;
  }

  /** Adds the redirection from HTTP to HTTPS, with its defaults; see {@link HttpsRedirection}. */
  public WebApplication useHttpsRedirection() {
    return useHttpsRedirection(options -> {});
  }

  /** Adds the redirection from HTTP to HTTPS, with options changed from their defaults. */
  public WebApplication useHttpsRedirection(Consumer<HttpsRedirectionOptions> change) {
    use(HttpsRedirection.with(change));
    return this;
  }

  /** Adds HTTP Strict Transport Security, with its defaults; see {@link Hsts}. */
  public WebApplication useHsts() {
    return useHsts(options -> {});
  }

  /** Adds HTTP Strict Transport Security, with options changed from their defaults. */
  public WebApplication useHsts(Consumer<HstsOptions> change) {
    use(Hsts.with(change));
    return this;
  }

  /** Adds the answer to pages of other origins; see {@link Cors}. */
  public WebApplication useCors(Consumer<CorsOptions> change) {
    use(Cors.with(change));
    return this;
  }

  /** Changes what the host does. */
  public WebApplication server(Consumer<ServerOptions> change) {
    change.accept(options);
    return this;
  }

  /** Runs {@code task}, in its turn, when the application listens and before the start returns. */
  public WebApplication onStarted(Runnable task) {
    onStarted.add(task);
    return this;
  }

  /**
   * Starts and returns.
   *
   * @throws ListenException if an address is malformed or cannot be listened on
   */
  public WebApplication start() throws ListenException {
    if (urls != null) {
      try {
        options.urls(split(urls));
      } catch (IllegalArgumentException e) { // whoever typed it erred, not this program
        throw new ListenException(String.valueOf(e.getMessage()), e);
      }
    }
    server = new Server(options, build()).start();
    onStarted.forEach(Runnable::run);
    return this;
  }

  /** Returns the addresses listened on, with the ports that were bound; empty before the start. */
  public List<String> urls() {
    return server == null ? List.of() : server.urls();
  }

  /**
   * Starts, says where, and returns when the application was stopped: by {@link #stop()}, SIGTERM
   * or Ctrl-C. An address that cannot be listened on ends the process with one line and exit code
   * 1.
   */
  public void run() {
    onStarted.addFirst(this::sayWhere);
    try {
      start();
    } catch (ListenException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
    Thread hook = new Thread(this::stop, "windhover-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stop();
    }
  }

  private void sayWhere() {
    for (String url : urls()) {
      System.out.println("Now listening on: " + url);
    }
    if (isDevelopment()) {
      System.out.println("Hosting environment: " + environment());
    }
  }

  /**
   * Stops: refuses new connections and sockets, sends 1001 to every socket, lets requests finish,
   * and drops what is left when the stop's time limit is over. Returns when all is done; stopping
   * twice does nothing.
   */
  public void stop() {
    Server running;
    synchronized (this) {
      running = server;
      server = null;
    }
    if (running == null) {
      return;
    }
    log.debug("stopping");
    try {
      running.stopListening();
      beginStop().completeOnTimeout(null, options.stopTimeout().toNanos(), TimeUnit.NANOSECONDS);
      running.stop();
    } finally {
      stopped.countDown();
    }
  }
}
