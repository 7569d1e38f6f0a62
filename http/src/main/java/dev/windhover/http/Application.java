package dev.windhover.http;

import dev.windhover.http.host.Background;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.PerLoop;
import dev.windhover.http.host.RequestSummary;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketContextHandler;
import dev.windhover.http.websocket.WebSocketHandler;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.http.websocket.WebSocketListenerFactory;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * An application: its middleware, its routes, and the pipeline that runs them. For each request,
 * the route is found first. Then every middleware runs, in the order in which it was added, and
 * after them the route's handler. If no route matches, the answer is 404, or 405 with {@code Allow}
 * if the path has other methods (RFC 9110 15.5.5, 15.5.6).
 *
 * <p>One thread sets it up, and {@link #build()} freezes it. From then on, the methods that set it
 * up throw {@link IllegalStateException}.
 */
public class Application {
  private static final Logger log = Loggers.get(Application.class);

  /** Half of the time that a server's stop may take by default. */
  private static final Duration FOR_LAST_TASKS = Duration.ofSeconds(5);

  private final List<Middleware> middleware = new ArrayList<>();
  private final List<Mapping> mappings = new ArrayList<>();
  private final Router<Mapping> taken =
      new Router<>(); // so that a bad path fails in the call that maps it
  private final Queue<Supplier<CompletableFuture<Void>>> endings = new ConcurrentLinkedQueue<>();
  private final OwnTasks ownTasks = new OwnTasks();
  private final CompletableFuture<Void> stopping = new CompletableFuture<>();
  private final CompletableFuture<Void> stoppingView = ReadOnlyFuture.of(stopping);
  private final PerLoop<EventStream> eventStreams = new PerLoop<>();
  private final List<Events> registered = new ArrayList<>();
  private Events events = Events.NONE;
  private String environment = "Production";
  private boolean developerExceptionPage;
  private boolean refusesAmbiguousPaths;
  private boolean built;

  private record Mapping(
      Set<String> methods,
      String path,
      boolean ignoresCase,
      Handler handler,
      @Nullable RouteGroup group) {
    /** Returns the handler within the steps of its group. */
    Handler endpoint() {
      return group == null ? handler : group.around(handler);
    }
  }

  /** Creates an application without middleware and routes. */
  public Application() {}

  // ---- Setting up

  /** Adds a step to the pipeline, after the steps that were added before. */
  public Application use(Middleware step) {
    requireNotBuilt();
    step.addedTo(this);
    middleware.add(step);
    return this;
  }

  /**
   * Answers {@code path} with {@code handler}, whatever the method is, including HTTP/2's CONNECT
   * for WebSockets (RFC 8441).
   *
   * @param path literal segments, {@code {name}} for one segment, {@code {*name}} for the rest;
   *     case and a trailing slash matter
   * @throws IllegalArgumentException if the path is malformed or is already mapped; the message
   *     shows how {@code /:id} and {@code /a/*} are written here
   */
  public Application map(String path, Handler handler) {
    return map(Set.of(), path, handler);
  }

  /** Answers GET and HEAD on {@code path}. */
  public Application mapGet(String path, Handler handler) {
    return map(Set.of("GET"), path, handler);
  }

  /** Answers POST on {@code path}. */
  public Application mapPost(String path, Handler handler) {
    return map(Set.of("POST"), path, handler);
  }

  /** Answers PUT on {@code path}. */
  public Application mapPut(String path, Handler handler) {
    return map(Set.of("PUT"), path, handler);
  }

  /** Answers DELETE on {@code path}. */
  public Application mapDelete(String path, Handler handler) {
    return map(Set.of("DELETE"), path, handler);
  }

  /**
   * Answers {@code methods} on {@code path}. A route for GET also answers HEAD.
   *
   * @param methods in upper case; empty for all methods
   * @param path as in {@link #map(String, Handler)}
   * @throws IllegalArgumentException if a method or the path is malformed, or if one of the methods
   *     is already mapped on this path
   */
  public Application map(Set<String> methods, String path, Handler handler) {
    map(methods, path, false, handler, null);
    return this;
  }

  /**
   * As {@link #map(Set, String, Handler)}, but the literal segments of {@code path} match in any
   * case. If a route whose case matters fits as well, that one is taken.
   */
  public Application mapIgnoringCase(Set<String> methods, String path, Handler handler) {
    map(methods, path, true, handler, null);
    return this;
  }

  void map(
      Set<String> methods,
      String path,
      boolean ignoresCase,
      Handler handler,
      @Nullable RouteGroup group) {
    Objects.requireNonNull(methods, "methods");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(handler, "handler");
    requireNotBuilt();
    Mapping mapping = new Mapping(Set.copyOf(methods), path, ignoresCase, handler, group);
    taken.add(mapping.methods(), path, ignoresCase, mapping);
    mappings.add(mapping);
  }

  /**
   * Maps routes whose paths begin with {@code prefix}, and which share steps:
   *
   * <pre>{@code
   * app.mapGroup("/api", api -> api
   *     .requireUser()
   *     .mapGet("/me", context -> context.response().write(context.requireUser().name()))
   *     .mapWebSocket("/live", socket -> …));
   * }</pre>
   *
   * @param prefix as the path in {@link #map(String, Handler)}, without a slash at its end
   * @throws IllegalArgumentException if the prefix or a path is malformed, or is already mapped
   */
  public Application mapGroup(String prefix, Consumer<RouteGroup> routes) {
    requireNotBuilt();
    Objects.requireNonNull(routes, "routes");
    routes.accept(new RouteGroup(this, null, prefix));
    return this;
  }

  /**
   * Answers all requests without a user with 401, whatever their path is, unless an earlier step
   * answers them. For some routes only, see {@link #mapGroup}; see also {@link
   * HttpContext#requireUser()}.
   */
  public Application requireUser() {
    return use(userRequired());
  }

  /**
   * As {@link #requireUser()}, and answers users without any of these roles with 403; see {@link
   * HttpContext#requireRole}.
   */
  public Application requireRole(String... anyOf) {
    return use(roleRequired(anyOf));
  }

  static Middleware userRequired() {
    return Middleware.nonBlocking((context, next) -> {
      User _ = context.requireUser();
      next.handle(context);
    });
  }

  static Middleware roleRequired(String... anyOf) {
    String[] roles = HttpContext.requireRoles(anyOf).clone();
    return Middleware.nonBlocking((context, next) -> {
      User _ = context.requireRole(roles);
      next.handle(context);
    });
  }

  /**
   * Answers {@code path} with a socket. A request that is not a valid opening handshake is answered
   * with 426 (wrong version) or 400, and the response says what is wrong.
   */
  public Application mapWebSocket(String path, WebSocketHandler handler) {
    return mapWebSocket(path, new WebSocketAcceptContext(), handler);
  }

  /** As {@link #mapWebSocket(String, WebSocketHandler)}, with settings for its sockets. */
  public Application mapWebSocket(
      String path, WebSocketAcceptContext settings, WebSocketHandler handler) {
    Objects.requireNonNull(handler, "handler");
    return mapWebSocket(path, settings, (_, socket) -> handler.handle(socket));
  }

  /**
   * As {@link #mapWebSocket(String, WebSocketHandler)}, for a handler that also wants the request:
   * {@code mapWebSocket("/chat/{room}", (context, socket) -> …)}.
   */
  public Application mapWebSocket(String path, WebSocketContextHandler handler) {
    return mapWebSocket(path, new WebSocketAcceptContext(), handler);
  }

  /** As {@link #mapWebSocket(String, WebSocketContextHandler)}, with settings for its sockets. */
  public Application mapWebSocket(
      String path, WebSocketAcceptContext settings, WebSocketContextHandler handler) {
    return map(path, webSocket(settings, handler));
  }

  static Handler webSocket(WebSocketAcceptContext settings, WebSocketContextHandler handler) {
    Objects.requireNonNull(settings, "settings");
    Objects.requireNonNull(handler, "handler");
    return context -> handler.handle(context, context.webSockets().accept(settings));
  }

  /**
   * Answers {@code path} with a socket in the listener form. {@code listeners} makes a listener for
   * each valid opening handshake, before the handshake is answered; other requests are answered as
   * by {@link #mapWebSocket(String, WebSocketHandler)}.
   */
  public Application mapWebSocketListener(String path, WebSocketListenerFactory listeners) {
    return mapWebSocketListener(path, new WebSocketAcceptContext(), listeners);
  }

  /**
   * As {@link #mapWebSocketListener(String, WebSocketListenerFactory)}, with settings for its
   * sockets.
   */
  public Application mapWebSocketListener(
      String path, WebSocketAcceptContext settings, WebSocketListenerFactory listeners) {
    return map(path, webSocketListener(settings, listeners));
  }

  static Handler webSocketListener(
      WebSocketAcceptContext settings, WebSocketListenerFactory listeners) {
    Objects.requireNonNull(settings, "settings");
    Objects.requireNonNull(listeners, "listeners");
    return context -> {
      context.webSockets().requireWebSocketRequest();
      WebSocketListener listener =
          Objects.requireNonNull(listeners.listenerFor(context), "the factory's listener");
      context.webSockets().accept(settings, listener);
    };
  }

  /**
   * Maps the methods of {@code controllers} that carry {@link Route}.
   *
   * @throws IllegalArgumentException if a controller has no such method, or has one that cannot be
   *     called: its signature is not {@code public void name(HttpContext)}, or its module does not
   *     open its package to this module
   */
  public Application mapControllers(Object... controllers) {
    for (Object controller : Objects.requireNonNull(controllers, "controllers")) {
      Controllers.mapTo(this::map, controller);
    }
    return this;
  }

  /** Registers {@code events}, which are called after those that were registered before. */
  public Application events(Events events) {
    requireNotBuilt();
    registered.add(Objects.requireNonNull(events, "events"));
    this.events = new RegisteredEvents(List.copyOf(registered));
    ownTasks.events(this.events);
    return this;
  }

  /**
   * Sets the environment in which the application runs: {@code Development}, {@code Staging},
   * {@code Production} (the default), or another name.
   */
  public Application environment(String name) {
    requireNotBuilt();
    this.environment = Objects.requireNonNull(name, "name");
    return this;
  }

  /** Returns the name of the environment. */
  public String environment() {
    return environment;
  }

  /** Returns whether the environment is {@code Development}, ignoring case. */
  public boolean isDevelopment() {
    return environment.equalsIgnoreCase("Development");
  }

  /**
   * Shows the client the stack trace of a handler that failed, with the request's id: as a page in
   * browsers, as text to other clients. This has an effect only in the environment {@code
   * Development}. In every other environment, the client learns only that the status is 500.
   */
  public Application useDeveloperExceptionPage() {
    requireNotBuilt();
    developerExceptionPage = true;
    return this;
  }

  /**
   * Answers 400 to requests whose path a proxy may read differently than Windhover does: paths with
   * dot segments, with an encoded slash or a backslash, or with a letter, digit or {@code -._~}
   * that is percent-encoded, such as {@code /x/../admin} and {@code /%61dmin}. Windhover normalises
   * paths, so both reach {@code /admin}. Call this if a proxy in front decides by path who may
   * pass, and does not normalise. Clients do not send such paths, except for encoded slashes. Off
   * by default.
   */
  public Application refuseAmbiguousPaths() {
    requireNotBuilt();
    refusesAmbiguousPaths = true;
    return this;
  }

  /** Returns whether a step of this class was added. */
  public boolean uses(Class<? extends Middleware> step) {
    Objects.requireNonNull(step, "step");
    return middleware.stream().anyMatch(step::isInstance);
  }

  /** Returns events that call all registered ones; {@link Events#NONE} if there are none. */
  public Events events() {
    return events;
  }

  // ---- Its own tasks

  /**
   * Runs {@code task} every {@code period}, by the host's clock: for the first time one period
   * after the start, and then until the stop. Each run has a virtual thread of its own and may
   * block. Runs of one task never overlap: if one takes longer than the period, those that were due
   * meanwhile are skipped. A run that throws an exception is logged as an error, and the next one
   * comes all the same. At the stop, no run begins any more, and one that is going on may end.
   *
   * @param task it must not call a {@code stop()} that waits, because the stop would wait for it
   * @throws IllegalArgumentException if the period is not positive
   */
  public Application every(Duration period, Task task) {
    requireNotBuilt();
    ownTasks.every(period, task);
    return this;
  }

  /**
   * Runs {@code task} as soon as the host serves requests, on the thread that starts the
   * application. Several tasks run in the order in which they were added. If one throws an
   * exception, the application stops, and the start throws that exception.
   */
  public Application onStarted(Runnable task) {
    requireNotBuilt();
    ownTasks.onStarted(task);
    return this;
  }

  /**
   * Runs {@code task} when the application begins to stop, while its sockets still work: it may
   * send last messages, which arrive before the Close. Several tasks run in the order in which they
   * were added, one after the other, on a virtual thread. If one throws an exception, it is logged
   * as an error, and the others still run. This is the order of a stop:
   *
   * <ol>
   *   <li>No new connections are accepted, and {@link #stopping()} completes.
   *   <li>The tasks of {@link #every} end: no run begins any more, and one that is going on ends.
   *   <li>The tasks of {@code onStopping} run.
   *   <li>Every socket is closed with 1001, and every event stream ends, after what was sent
   *       before; new sockets are refused with 503. What was registered with {@link #endOnStop}
   *       ends, too.
   *   <li>When requests and sockets have ended, and in any case after the host's time limit, the
   *       host drops what is left and ends.
   * </ol>
   *
   * <p>The second and third step together may take 5 s, or half of the host's time limit ({@code
   * stopTimeout}, so also 5 s by default). After that the fourth begins all the same.
   *
   * @throws IllegalStateException if the application is already stopping
   */
  public Application onStopping(Task task) {
    ownTasks.onStopping(task);
    return this;
  }

  /**
   * Returns the host's time of day; in tests, the time of the clock that the test moves.
   *
   * @throws IllegalStateException before the start
   */
  public Instant now() {
    return ownTasks.now();
  }

  /**
   * Sets what the application's own tasks run with; called by the host before it serves requests.
   */
  public void host(Background host) {
    ownTasks.host(Objects.requireNonNull(host, "host"));
  }

  /**
   * Runs the tasks of the start on this thread, and begins to run those of {@link #every}; called
   * once by the host, when it serves requests.
   *
   * @throws IllegalStateException if {@link #host} was not called
   */
  public void started() {
    ownTasks.start();
  }

  // ---- Stopping

  /**
   * Returns a future that completes when the application begins to stop, on the thread that stops
   * it. Only {@link #beginStop()} completes it: its own methods for that throw {@link
   * UnsupportedOperationException}.
   */
  public CompletableFuture<Void> stopping() {
    return stoppingView;
  }

  /**
   * Registers what ends together with the sockets, after the tasks of {@link #onStopping}: {@code
   * end} begins that end and must not block, and the stop waits for the future that it returns.
   */
  public void endOnStop(Supplier<CompletableFuture<Void>> end) {
    endings.add(Objects.requireNonNull(end, "end"));
  }

  /** As {@link #beginStop(Duration)}, with 5 s for the application's own tasks. */
  public CompletableFuture<Void> beginStop() {
    return beginStop(FOR_LAST_TASKS);
  }

  /**
   * Begins to stop, in the order that {@link #onStopping} describes. The returned future completes
   * when all tasks, sockets and event streams have ended; it completes exceptionally if what was
   * registered with {@link #endOnStop} failed. Each task runs only once, however many times this is
   * called.
   *
   * @param forTasks how long sockets and event streams stay open at most while the application's
   *     own tasks end
   */
  public CompletableFuture<Void> beginStop(Duration forTasks) {
    Objects.requireNonNull(forTasks, "forTasks");
    stopping.complete(null);
    CompletableFuture<Void> tasks = ownTasks.stop();
    CompletableFuture<Void> others =
        ownTasks.atMost(forTasks, tasks).thenCompose(_ -> endEverything());
    return CompletableFuture.allOf(tasks, others);
  }

  private CompletableFuture<Void> endEverything() {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (Supplier<CompletableFuture<Void>> end; (end = endings.poll()) != null; ) {
      try {
        all.add(end.get());
      } catch (RuntimeException e) {
        all.add(CompletableFuture.failedFuture(e));
      }
    }
    all.add(
        eventStreams.endAll(stream -> {
          stream.close();
          return stream.over();
        }));
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  /** Records an event stream that was opened; on its loop. */
  void opened(EventStream stream) {
    eventStreams.add(stream.loop(), stream);
    stream.over().thenRun(() -> eventStreams.remove(stream.loop(), stream)); // on the loop, too
    if (stopping.isDone()) {
      stream.close(); // the stop began while it was being opened
    }
  }

  /** Returns how many event streams are open; for tests, on the loop. */
  int openEventStreams() {
    return eventStreams.size();
  }

  // ---- Running

  /** Freezes the application and returns what a host calls for each request. */
  public ExchangeHandler build() {
    built = true;
    Router<Handler> router = new Router<>();
    for (Mapping mapping : mappings) {
      router.add(
          mapping.methods(), mapping.path(), mapping.ignoresCase(), pipeline(mapping.endpoint()));
    }
    Handler unmatched = pipeline(Handler.nonBlocking(Application::answerUnmatched));
    return new ExchangeHandler() {
      @Override
      public void handle(Exchange exchange) {
        Application.this.handle(exchange, router, unmatched);
      }

      @Override
      public void connectionDropped(SocketAddress remote, Limit limit) {
        events.connectionDropped(remote, limit);
      }
    };
  }

  private Handler pipeline(Handler endpoint) {
    Handler pipeline = endpoint;
    for (Middleware step : middleware.reversed()) {
      pipeline = step.around(pipeline);
    }
    return pipeline;
  }

  private static void answerUnmatched(HttpContext context) throws IOException {
    Set<String> allowed = context.allowedMethods();
    if (allowed.isEmpty()) {
      context.response().status(404).write("not found\n");
    } else {
      context.response().headers().set("Allow", String.join(", ", allowed));
      context.response().status(405).write("method not allowed\n");
    }
  }

  private void handle(Exchange exchange, Router<Handler> router, Handler unmatched) {
    RequestTarget target;
    Router.Match<Handler> match;
    Handler pipeline;
    try {
      target = RequestTarget.parse(exchange.target());
      requireUnambiguous(exchange);
      match = router.match(exchange.method(), target.path());
      pipeline = match.target() != null ? match.target() : unmatched;
    } catch (HttpException fault) {
      HttpException malformed = closing(fault);
      target = new RequestTarget(null, "/", "");
      match = new Router.Match<>(null, null, Map.of(), Set.of());
      pipeline =
          Handler.nonBlocking(context -> {
            throw malformed;
          });
    }
    HttpContext context = new HostedContext(this, exchange, target, match);
    if (!events.equals(Events.NONE)) {
      exchange.onLimit(limit -> events.limitReached(context, limit));
    }
    Handler chosen = pipeline;
    if (chosen.isNonBlocking()) {
      run(context, chosen);
    } else {
      exchange.start(() -> run(context, chosen));
    }
  }

  private void requireUnambiguous(Exchange exchange) {
    String ambiguity = refusesAmbiguousPaths ? RequestTarget.ambiguityOf(exchange.target()) : null;
    if (ambiguity != null) {
      log.debug(
          "request {} refused with 400: {} in {} (Application.refuseAmbiguousPaths)",
          exchange.id(),
          ambiguity,
          withoutQuery(exchange.target()));
      throw new HttpException(400, "ambiguous path: " + ambiguity);
    }
  }

  /** The query stays out of the log: it may hold an access token. */
  private static String withoutQuery(String target) {
    int question = target.indexOf('?');
    return question < 0 ? target : target.substring(0, question);
  }

  /** Adds a header that ends the connection: nothing that follows a malformed request is read. */
  private static HttpException closing(HttpException fault) {
    return new HttpException(
        fault.status(),
        String.valueOf(fault.getMessage()),
        new Headers().add("Connection", "close"));
  }

  private void run(HttpContext context, Handler pipeline) {
    Throwable failure = failureOf(() -> pipeline.handle(context));
    DeferredResponse deferred = context.response().deferred();
    if (deferred != null && failure == null) {
      await(context, deferred);
      return;
    }
    if (deferred != null) {
      deferred.cancel();
    }
    Takeover takeover = goesOn(context);
    if (takeover != null) {
      // The request is kept until the end of the socket or stream only if a task waits for that.
      context
          .response()
          .whenCompletionMatters(
              () -> takeover.ended().thenRun(() -> context.start(() -> completed(context))));
      if (failure != null && context.response().streaming() != null) {
        answer(context, failure); // logs it and drops the response, which has already started
      }
      takeover.handlerEnded(failure);
      return;
    }
    finish(context, failure);
    completed(context);
  }

  /** Sends what the handler has answered, or answers its failure. */
  private void finish(HttpContext context, @Nullable Throwable handlers) {
    Thread.interrupted(); // an interrupt was meant for the handler, not for its answer
    Throwable failure = handlers != null ? handlers : failureOf(() -> context.response().end());
    if (failure != null) {
      answer(context, failure);
    }
  }

  /** Leaves the request until somebody answers it. */
  private void await(HttpContext context, DeferredResponse deferred) {
    context
        .response()
        .whenCompletionMatters(
            () -> deferred.ended().thenRun(() -> context.start(() -> completed(context))));
    deferred.handlerEnded(answer -> finish(context, failureOf(() -> answer.handle(context))));
  }

  /** Returns what continues the request after its handler: a socket, a stream, or null. */
  private static @Nullable Takeover goesOn(HttpContext context) {
    ResponseStream stream = context.response().streaming();
    return stream == null ? context.takeover() : stream.takeover();
  }

  private void answer(HttpContext context, Throwable failure) {
    HttpResponse response = context.response();
    boolean clientGone = context.exchange().aborted().isDone() || response.writeFailed();
    if (clientGone) {
      log.debug("request {} was cut short: {}", context.id(), failure.toString());
    } else if (failure instanceof HttpException known) {
      log.trace("request {} refused with {}: {}", context.id(), known.status(), known.getMessage());
    } else {
      log.error("request {} failed: {}", context.id(), RequestSummary.of(context), failure);
      events.handlerFailed(context, failure);
    }
    if (clientGone || response.hasStarted()) {
      context.abort();
      return;
    }
    Throwable second = failureOf(() -> writeAnswer(context, failure));
    if (second != null) {
      log.debug("request {} could not be answered: {}", context.id(), second.toString());
      context.abort();
    }
  }

  private void writeAnswer(HttpContext context, Throwable failure) throws IOException {
    HttpResponse response = context.response();
    response.reset();
    if (failure instanceof HttpException known) {
      response.status(known.status());
      known.headers().forEach(field -> response.headers().add(field.getKey(), field.getValue()));
      response.write(known.getMessage() + "\n");
    } else if (developerExceptionPage && isDevelopment()) {
      DeveloperExceptionPage.write(context, failure);
    } else {
      response.status(500).write("internal server error\n");
    }
    response.end();
  }

  private void completed(HttpContext context) {
    for (Runnable task; (task = context.response().nextOnCompleted()) != null; ) {
      Throwable failure = failureOf(task::run);
      if (failure != null) {
        log.error(
            "a task on completion of request {} failed: {}",
            context.id(),
            RequestSummary.of(context),
            failure);
        events.handlerFailed(context, failure);
      }
    }
  }

  /** A handler or a task, which may throw anything. */
  private interface Step {
    void run() throws Exception;
  }

  private static @Nullable Throwable failureOf(Step step) {
    try {
      step.run();
      return null;
    } catch (Throwable failure) {
      return failure;
    }
  }

  void requireNotBuilt() {
    if (built) {
      throw new IllegalStateException("the application is already built");
    }
  }
}
