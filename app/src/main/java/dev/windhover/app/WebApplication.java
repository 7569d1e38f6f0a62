package dev.windhover.app;

import dev.windhover.http.Application;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.Middleware;
import dev.windhover.http.RouteGroup;
import dev.windhover.http.Task;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
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
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketContextHandler;
import dev.windhover.http.websocket.WebSocketHandler;
import dev.windhover.http.websocket.WebSocketListenerFactory;
import dev.windhover.protocol.CloseCode;
import dev.windhover.server.ListenException;
import dev.windhover.server.Server;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.ServerOptions;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * An application with its host.
 *
 * <pre>{@code
 * void main(String[] args) {
 *   WebApplication.create(args)
 *       .useWebSockets()
 *       .mapWebSocket("/ws", socket -> {
 *         for (Message message : socket) socket.send(message);
 *       })
 *       .run();
 * }
 * }</pre>
 *
 * <p>Its user can set options without changing the program: as arguments, such as {@code
 * --urls=http://localhost:5000}, in environment variables, such as {@code WINDHOVER_URLS}, and in
 * the file {@code windhover.properties} of the working directory, or the one that {@code --config}
 * names. The first of these places that sets an option wins, and all of them come before {@link
 * #server} and {@link #useWebSockets(Consumer)}. {@code --help} lists the options; {@code
 * docs/configuration.md} describes them.
 *
 * <p>By default the application listens on {@code http://localhost:5000}; {@code --https} adds
 * {@code https://localhost:5001}. Addresses of the local machine need no certificate: a development
 * certificate is made for them in {@code ~/.windhover}. {@code --environment} sets the environment;
 * the default is {@code Production}. In {@code Development} the developer exception page is on.
 */
public final class WebApplication extends Application implements AutoCloseable {
  private static final Logger log = Loggers.get(WebApplication.class);

  private static final Duration HELD_IN_DEVELOPMENT = Duration.ofMillis(200);

  /** How long handlers whose connections were dropped, and the program, have at least to end. */
  private static final long LAST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** The addresses for which a development certificate is valid. */
  private static final Pattern LOOPBACK =
      Pattern.compile("https://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?/?");

  private final Settings settings;
  private final ServerOptions options = new ServerOptions();
  private final List<Consumer<Throwable>> onFailed = new ArrayList<>();
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.NEW);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private Predicate<InetAddress> isKnownProxy = address -> false;
  private boolean usesWebSockets;
  private final AtomicReference<@Nullable Server> running = new AtomicReference<>();

  /** The one that is running, or was. */
  private volatile @Nullable Server server;

  private volatile @Nullable Thread runner;
  private volatile @Nullable LoopEnd loopEnd;
  private boolean ownsProcess;

  /** What {@link #run()} does when the application listens, before any task of the start. */
  private Runnable listening = () -> {};

  /** Where in its life an application is. */
  private enum Phase {
    NEW,
    STARTED,
    STOPPED
  }

  private WebApplication(Settings settings) {
    this.settings = settings;
  }

  /**
   * Creates an application.
   *
   * @param args the options that the user has set, such as {@code --urls
   *     http://localhost:5000;https://…}. Other arguments are left to the program, and so is all
   *     that follows {@code --}. {@link #start} reports a mistake in an option, or an unknown one
   *     that is close to one of ours, in the same way as an address on which the application cannot
   *     listen
   */
  public static WebApplication create(String... args) {
    Settings settings =
        new Settings(List.of(Objects.requireNonNull(args, "args")), System.getenv(), Path.of(""));
    WebApplication app = new WebApplication(settings);
    app.environment(app.environment());
    if (app.isDevelopment()) {
      app.useDeveloperExceptionPage();
    }
    return app;
  }

  // ---- Setting up: what every application has

  @Override
  public WebApplication use(Middleware step) {
    super.use(step);
    if (step instanceof ForwardedHeaders forwarded) {
      isKnownProxy = isKnownProxy.or(forwarded::knows);
    }
    return this;
  }

  @Override
  public WebApplication map(String path, Handler handler) {
    super.map(path, handler);
    return this;
  }

  @Override
  public WebApplication mapGet(String path, Handler handler) {
    super.mapGet(path, handler);
    return this;
  }

  @Override
  public WebApplication mapPost(String path, Handler handler) {
    super.mapPost(path, handler);
    return this;
  }

  @Override
  public WebApplication mapPut(String path, Handler handler) {
    super.mapPut(path, handler);
    return this;
  }

  @Override
  public WebApplication mapDelete(String path, Handler handler) {
    super.mapDelete(path, handler);
    return this;
  }

  @Override
  public WebApplication map(Set<String> methods, String path, Handler handler) {
    super.map(methods, path, handler);
    return this;
  }

  @Override
  public WebApplication mapIgnoringCase(Set<String> methods, String path, Handler handler) {
    super.mapIgnoringCase(methods, path, handler);
    return this;
  }

  @Override
  public WebApplication mapWebSocket(String path, WebSocketHandler handler) {
    super.mapWebSocket(path, handler);
    return this;
  }

  @Override
  public WebApplication mapWebSocket(
      String path, WebSocketAcceptContext settings, WebSocketHandler handler) {
    super.mapWebSocket(path, settings, handler);
    return this;
  }

  @Override
  public WebApplication mapWebSocket(String path, WebSocketContextHandler handler) {
    super.mapWebSocket(path, handler);
    return this;
  }

  @Override
  public WebApplication mapWebSocket(
      String path, WebSocketAcceptContext settings, WebSocketContextHandler handler) {
    super.mapWebSocket(path, settings, handler);
    return this;
  }

  @Override
  public WebApplication mapWebSocketListener(String path, WebSocketListenerFactory listeners) {
    super.mapWebSocketListener(path, listeners);
    return this;
  }

  @Override
  public WebApplication mapWebSocketListener(
      String path, WebSocketAcceptContext settings, WebSocketListenerFactory listeners) {
    super.mapWebSocketListener(path, settings, listeners);
    return this;
  }

  @Override
  public WebApplication mapGroup(String prefix, Consumer<RouteGroup> routes) {
    super.mapGroup(prefix, routes);
    return this;
  }

  @Override
  public WebApplication requireUser() {
    super.requireUser();
    return this;
  }

  @Override
  public WebApplication requireRole(String... anyOf) {
    super.requireRole(anyOf);
    return this;
  }

  @Override
  public WebApplication mapControllers(Object... controllers) {
    super.mapControllers(controllers);
    return this;
  }

  @Override
  public WebApplication events(Events events) {
    super.events(events);
    return this;
  }

  /** {@inheritDoc} The user's {@code --environment} comes before it. */
  @Override
  public WebApplication environment(String name) {
    String set = settings.value(Setting.ENVIRONMENT);
    super.environment(set == null ? name : set.strip());
    return this;
  }

  @Override
  public WebApplication useDeveloperExceptionPage() {
    super.useDeveloperExceptionPage();
    return this;
  }

  @Override
  public WebApplication refuseAmbiguousPaths() {
    super.refuseAmbiguousPaths();
    return this;
  }

  @Override
  public WebApplication every(Duration period, Task task) {
    super.every(period, task);
    return this;
  }

  @Override
  public WebApplication onStarted(Runnable task) {
    super.onStarted(task);
    return this;
  }

  @Override
  public WebApplication onStopping(Task task) {
    super.onStopping(task);
    return this;
  }

  // ---- Setting up: the steps that most applications want

  /** Adds the WebSocket middleware with its defaults. */
  public WebApplication useWebSockets() {
    return useWebSockets(options -> {});
  }

  /**
   * Adds the WebSocket middleware with the default options, changed by {@code change}, and then by
   * what the user has set.
   */
  public WebApplication useWebSockets(Consumer<WebSocketOptions> change) {
    usesWebSockets = true;
    return use(
        WebSockets.with(options -> {
          change.accept(options);
          settings.apply(Setting.OF_SOCKETS, options);
        }));
  }

  /** Adds the access log with its defaults; see {@link HttpLogging}. */
  public WebApplication useHttpLogging() {
    return useHttpLogging(options -> {});
  }

  /** Adds the access log with the default options, changed by {@code change}. */
  public WebApplication useHttpLogging(Consumer<HttpLoggingOptions> change) {
    return use(HttpLogging.with(change));
  }

  /**
   * Adds the step that takes the client's address and scheme from known proxies, with its defaults;
   * see {@link ForwardedHeaders}.
   */
  public WebApplication useForwardedHeaders() {
    return useForwardedHeaders(options -> {});
  }

  /**
   * Adds the step that takes the client's address and scheme from known proxies, with the default
   * options, changed by {@code change}.
   */
  public WebApplication useForwardedHeaders(Consumer<ForwardedHeadersOptions> change) {
    return use(ForwardedHeaders.with(change));
  }

  /** Adds the step that answers requests for unknown hosts with 400; see {@link HostFiltering}. */
  public WebApplication useHostFiltering(Consumer<HostFilteringOptions> change) {
    return use(HostFiltering.with(change));
  }

  /** Adds the redirection from HTTP to HTTPS with its defaults; see {@link HttpsRedirection}. */
  public WebApplication useHttpsRedirection() {
    return useHttpsRedirection(options -> {});
  }

  /**
   * Adds the redirection from HTTP to HTTPS with the default options, changed by {@code change}.
   */
  public WebApplication useHttpsRedirection(Consumer<HttpsRedirectionOptions> change) {
    return use(HttpsRedirection.with(change));
  }

  /** Adds HTTP Strict Transport Security with its defaults; see {@link Hsts}. */
  public WebApplication useHsts() {
    return useHsts(options -> {});
  }

  /** Adds HTTP Strict Transport Security with the default options, changed by {@code change}. */
  public WebApplication useHsts(Consumer<HstsOptions> change) {
    return use(Hsts.with(change));
  }

  /**
   * Adds the step that finds out who is asking, from a password, a token, a key or a cookie; see
   * {@link Authentication}.
   */
  public WebApplication useAuthentication(Consumer<AuthenticationOptions> change) {
    return use(Authentication.with(change));
  }

  /** Adds CORS, which lets pages of other origins use the application; see {@link Cors}. */
  public WebApplication useCors(Consumer<CorsOptions> change) {
    return use(Cors.with(change));
  }

  /**
   * Serves {@code files} if one matches the path, before the steps and routes that are added later.
   */
  public WebApplication useStaticFiles(StaticFiles files) {
    return use(files);
  }

  // ---- The host

  /** Changes the options of the host. What the user has set comes before it. */
  public WebApplication server(Consumer<ServerOptions> change) {
    change.accept(options);
    return this;
  }

  /**
   * Runs {@code task} if the application cannot go on, because an error such as exhausted memory
   * has ended one of its event loops; the application stops after it. Only for an application that
   * is a part of a program and was started by {@link #start()}: after {@link #run()}, the process
   * ends with exit code 3 instead. Several tasks run in the order in which they were added.
   *
   * @param task is given the error, on a thread of its own
   */
  public WebApplication onFailed(Consumer<Throwable> task) {
    onFailed.add(Objects.requireNonNull(task, "task"));
    return this;
  }

  /**
   * Starts the application and returns. If a task of {@link #onStarted} throws an exception, the
   * application stops, and this method throws that exception.
   *
   * @throws ListenException if the application cannot listen on an address, for example because the
   *     address is malformed, or if a certificate cannot be used; it may be started again
   * @throws IllegalStateException if the application was started before
   */
  public WebApplication start() throws ListenException {
    if (!phase.compareAndSet(Phase.NEW, Phase.STARTED)) {
      boolean isRunning = phase.get() == Phase.STARTED;
      throw new IllegalStateException(
          isRunning ? "the application is already running" : "the application was stopped");
    }
    Server started = null;
    try {
      started = listen();
      server = started;
    } finally {
      if (started == null) {
        phase.compareAndSet(Phase.STARTED, Phase.NEW);
      }
    }
    running.set(started);
    if (phase.get() == Phase.STOPPED) { // meanwhile
      stopRunning();
      throw new IllegalStateException("the application was stopped");
    }
    try {
      listening.run();
      started();
    } catch (RuntimeException | Error e) {
      stop();
      throw e;
    }
    return this;
  }

  private Server listen() throws ListenException {
    settings.apply(Setting.OF_SERVER, options);
    if (!usesWebSockets) {
      settings.requireNone(Setting.OF_SOCKETS, "the program does not call useWebSockets");
    }
    String problem = settings.problem();
    if (problem != null) { // the user's mistake, not a bug in the program
      throw new ListenException(problem);
    }
    chooseCertificate();
    if (isDevelopment() && options.heldLoopThreshold() == null) {
      options.heldLoopThreshold(HELD_IN_DEVELOPMENT);
    }
    ServerLimits limits = options.limits();
    limits.exemptAddresses(limits.exemptAddresses().or(isKnownProxy)); // their clients count
    LoopEnd end = ownsProcess ? LoopEnd.ofProcess() : LoopEnd.of(this::failed);
    CodeInFolders.load(
        WebApplication.class, WebSockets.class, Server.class, Application.class, CloseCode.class);
    Server created = new Server(options, build()).onLoopEnded(end);
    host(created.background());
    created.start();
    end.await();
    loopEnd = end;
    return created;
  }

  /** The server cannot go on. */
  private void failed(Throwable cause) {
    try {
      log.error("an event loop has ended, and the application stops", cause);
    } finally { // memory for the log may be exhausted
      try {
        onFailed.forEach(task -> task.accept(cause));
      } finally {
        stop();
      }
    }
  }

  private void chooseCertificate() throws ListenException {
    List<String> urls = options.urls().stream().filter(url -> url.startsWith("https://")).toList();
    if (urls.isEmpty() || options.tls().certificate() != null) {
      return;
    }
    for (String url : urls) {
      if (!LOOPBACK.matcher(url).matches()) {
        throw new ListenException(
            "cannot listen on "
                + url
                + ": there is no certificate for it; name its file with --certificate");
      }
    }
    try {
      var made = DevelopmentCertificate.in(Path.of(System.getProperty("user.home"), ".windhover"));
      options.tls().certificate(made.file()).password(DevelopmentCertificate.PASSWORD);
      log.info(
          "{} development certificate for localhost: {}; to trust it, see docs/tls.md",
          made.isNew() ? "made a" : "using the",
          made.pem());
    } catch (IOException e) {
      throw new ListenException("cannot listen on " + urls.getFirst() + ": " + e.getMessage(), e);
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the user has made a mistake in an option
   */
  @Override
  public ExchangeHandler build() {
    String problem = settings.problem();
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    return super.build();
  }

  /**
   * Returns the addresses on which the application listens, with the ports that were bound; empty
   * before the start.
   */
  public List<String> urls() {
    Server listening = phase.get() == Phase.STARTED ? server : null;
    return listening == null ? List.of() : listening.urls();
  }

  /**
   * Starts the application, prints its addresses, and returns when it has been stopped by {@link
   * #stop()}, SIGTERM or Ctrl-C.
   *
   * <p>If the user asks for {@code --help}, the process lists the options and ends with exit code
   * 0. If it cannot start, it prints one line and ends with exit code 1. After a stop by a signal,
   * and when this method's thread has ended, the process ends with exit code 0, also if clients had
   * to be dropped; with 1 if a handler has not returned within the time limit of the stop. A second
   * signal ends the process at once, with 143 after SIGTERM and 130 after Ctrl-C.
   *
   * <p>Without a backend for SLF4J, one line on stderr says so, and only errors are logged, there.
   */
  public void run() {
    if (settings.value(Setting.HELP) != null) {
      System.out.print(Settings.help());
      System.exit(0);
    }
    StopSignals signals = new StopSignals(this::stopBySignal, this::stopAndWait);
    listening =
        () -> {
          runner = Thread.currentThread();
          signals.listen();
          sayWhereTheLogIs();
          sayWhere();
        };
    ownsProcess = true;
    try {
      start();
      stopped.await();
    } catch (ListenException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stop();
    } finally {
      signals.ignore();
    }
  }

  /** Returns the exit code, when the program has had its time to end. */
  private int stopBySignal() throws InterruptedException {
    long deadline = System.nanoTime() + options.stopTimeout().toNanos();
    stopAndWait();
    Server ended = server;
    long last = Math.max(deadline, System.nanoTime() + LAST_NANOS);
    boolean allReturned = ended == null || ended.awaitHandlers(left(last));
    if (!allReturned) {
      log.warn("a handler has not returned");
    }
    if (runner != null) {
      runner.join(left(last));
    }
    return allReturned ? 0 : 1;
  }

  /** Stops, and waits if it was being stopped already. */
  private void stopAndWait() {
    stop();
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Duration left(long deadline) {
    return Duration.ofNanos(Math.max(deadline - System.nanoTime(), 0));
  }

  private static void sayWhereTheLogIs() {
    if (Loggers.haveNoBackend()) {
      System.err.println(
          "windhover: there is no SLF4J backend, so only errors are logged, here on stderr; add"
              + " one, such as org.slf4j:slf4j-simple");
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
   * Stops the application, in the order that {@link #onStopping} describes: refuses new
   * connections, runs the tasks of {@code onStopping}, closes every socket with 1001, lets requests
   * finish, and drops whatever is left after {@link ServerOptions#stopTimeout} (10 s by default).
   * Returns when everything has ended, and at most a second after that time, even if a handler or a
   * task of {@link #onStopping} never returns. Further calls have no effect. An application that
   * was stopped cannot be started again.
   */
  public void stop() {
    phase.set(Phase.STOPPED);
    stopRunning();
  }

  private void stopRunning() {
    Server ending = running.getAndSet(null);
    if (ending == null) {
      return;
    }
    log.debug("stopping");
    try {
      ending.stopListening();
      ending.stop(tellApplication());
    } finally {
      if (loopEnd != null) {
        loopEnd.stopWaiting();
      }
      stopped.countDown();
    }
  }

  /** Begins the stop of the application on a thread of its own: one of its tasks may hang. */
  private CompletableFuture<Void> tellApplication() {
    CompletableFuture<CompletableFuture<Void>> begun = new CompletableFuture<>();
    Duration forTasks = options.stopTimeout().dividedBy(2);
    Thread _ =
        Thread.ofPlatform()
            .daemon()
            .name("windhover-stopping")
            .start(() -> begun.completeAsync(() -> beginStop(forTasks), Runnable::run));
    return begun.thenCompose(over -> over);
  }

  /** As {@link #stop()}. */
  @Override
  public void close() {
    stop();
  }
}
