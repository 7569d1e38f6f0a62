package dev.windhover.websocket;

import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.Limit;
import dev.windhover.http.Middleware;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.PerLoop;
import dev.windhover.http.host.RequestSummary;
import dev.windhover.http.host.Upgrade;
import dev.windhover.http.middleware.HostFiltering;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.http.websocket.WebSocketManager;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.websocket.deflate.Compression;
import dev.windhover.websocket.deflate.DeflatePool;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The WebSocket middleware. It provides {@link HttpContext#webSockets()} for every request, refuses
 * origins that are not allowed with 403, answers requests that are almost a handshake with 400 or
 * 426 if nothing else answers them, and closes its sockets with 1001 when the application stops. It
 * never blocks.
 */
public final class WebSockets implements Middleware {
  private static final Logger log = Loggers.get(WebSockets.class);
  private static final String RETRY_AFTER_SECONDS = "5";

  private final WebSocketOptions options;
  private final OriginPolicy origins;
  private final DeflatePool contexts;

  private final PerLoop<Session> sessions = new PerLoop<>();

  /** What sends to many sockets of each loop. A change replaces the map with a copy. */
  private final AtomicReference<Map<Loop, FanOut>> fanOuts = new AtomicReference<>(Map.of());

  /**
   * The handshakes that are being accepted, whose sockets are not open yet. A stop waits for them.
   */
  private final AtomicInteger opening = new AtomicInteger();

  private final CompletableFuture<Void> noneOpening = new CompletableFuture<>();
  private volatile boolean stopping;
  private volatile @Nullable SessionSettings lastSettings;

  /** The budget in which the contexts count, and the payloads that wait for many sockets. */
  private final AtomicReference<@Nullable MemoryBudget> counted = new AtomicReference<>();

  /** Creates the middleware with a copy of {@code options}. */
  public WebSockets(WebSocketOptions options) {
    this.options = new WebSocketOptions(options);
    this.origins = new OriginPolicy(this.options);
    this.contexts =
        new DeflatePool(
            DeflateCodecs.best(options.limits().compressionMemoryLevel()),
            options.limits().compressionMemory());
  }

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static WebSockets with(Consumer<WebSocketOptions> change) {
    WebSocketOptions options = new WebSocketOptions();
    change.accept(options);
    return new WebSockets(options);
  }

  /**
   * Registers the closing of all sockets for the stop of the application.
   *
   * @throws IllegalStateException if the application uses WebSockets already; if {@code
   *     sameOrigin()} was set without hosts, and no {@link HostFiltering} was added before this
   *     step
   */
  @Override
  public void addedTo(Application application) {
    if (application.uses(WebSockets.class)) { // the first would serve all sockets, by its options
      throw new IllegalStateException(
          "the application uses WebSockets already: set all of their options in one call");
    }
    if (origins.reliesOnHostFiltering() && !application.uses(HostFiltering.class)) {
      throw new IllegalStateException(
          "sameOrigin() needs this server's host names: call useHostFiltering(…) first, or pass"
              + " them to sameOrigin(…)");
    }
    application.endOnStop(this::stop);
    if (origins.isOpen()) {
      log.warn(
          "WebSockets are open to pages of every origin; name yours with allowedOrigins(…) or"
              + " sameOrigin(…)");
    }
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    HostContext host = HostContext.of(context);
    if (host.hasWebSockets()) {
      next.handle(context); // the host has an engine of its own
      return;
    }
    Manager manager = new Manager(context);
    host.webSockets(manager);
    OpeningHandshake.Fault fault = manager.fault;
    if (fault == null || fault.almost()) {
      context.response().onStarting(() -> answering(context, manager));
    }
    if (fault == null) {
      requireAllowedOrigin(context);
    }
    next.handle(context);
    if (fault != null && fault.almost() && host.isUnanswered()) {
      throw refused(context, fault.refusal(), fault.toException());
    }
  }

  /** Reports why a request for a WebSocket, which is being answered, did not become one. */
  private static void answering(HttpContext context, Manager manager) {
    if (manager.accepted) {
      return;
    }
    OpeningHandshake.Fault fault = manager.fault;
    int status = context.response().status();
    if (fault != null && fault.version() && status / 100 == 4) {
      context.response().headers().set(OpeningHandshake.VERSION, "13");
    }
    if (context.route() == null && status == 404) {
      reportRefused(
          context, HandshakeRefusal.NO_ROUTE, status, "no route for " + context.request().path());
    } else if (fault != null) {
      reportRefused(context, fault.refusal(), status, fault.cause());
    } else {
      reportRefused(
          context,
          HandshakeRefusal.NOT_ACCEPTED,
          status,
          "the application answered without accepting the socket");
    }
  }

  private void requireAllowedOrigin(HttpContext context) {
    HttpException refusal = originRefusal(context);
    if (refusal != null) {
      throw refused(context, HandshakeRefusal.ORIGIN_NOT_ALLOWED, refusal);
    }
  }

  private @Nullable HttpException originRefusal(HttpContext context) {
    Headers headers = context.request().headers();
    String origin = String.join(",", headers.all("Origin"));
    boolean isAllowed =
        origins.allows(origin, context.request().scheme(), context.request().host());
    return isAllowed ? null : new HttpException(403, "origin " + origin + " is not allowed");
  }

  private static HttpException refused(
      HttpContext context, HandshakeRefusal cause, HttpException answer) {
    reportRefused(context, cause, answer.status(), String.valueOf(answer.getMessage()));
    return answer;
  }

  /** Reports a refused handshake to the log and the events, once for each request. */
  private static void reportRefused(
      HttpContext context, HandshakeRefusal cause, int status, String text) {
    if (context.items().putIfAbsent(WebSockets.class.getName(), true) == null) {
      log.debug("handshake {} refused with {}: {}", context.id(), status, text);
      context.application().events().handshakeRefused(context, cause, status, text);
    }
  }

  /** Closes all sockets with 1001; the future completes when the last one has ended. */
  private CompletableFuture<Void> stop() {
    opening.incrementAndGet();
    stopping = true;
    openedOrNot();
    return CompletableFuture.allOf(closeOpen(), noneOpening.thenCompose(_ -> closeOpen()));
  }

  /** Ends one handshake: its socket is open, or will never be. */
  private void openedOrNot() {
    if (opening.decrementAndGet() == 0 && stopping) {
      noneOpening.complete(null);
    }
  }

  private CompletableFuture<Void> closeOpen() {
    return sessions.endAll(session -> {
      if (session.settings().closesOnStop()) {
        session.life().goAway();
      }
      return session.ended();
    });
  }

  /** The WebSocket side of one request. */
  private final class Manager implements WebSocketManager {
    private final HttpContext context;
    private final OpeningHandshake.@Nullable Fault fault;
    private boolean accepted;

    /** The connection will be a socket's. */
    private boolean isTaken;

    Manager(HttpContext context) {
      this.context = context;
      this.fault = OpeningHandshake.check(context);
    }

    @Override
    public boolean isWebSocketRequest() {
      return fault == null;
    }

    @Override
    public List<String> webSocketRequestedProtocols() {
      return context.request().headers().list(OpeningHandshake.PROTOCOL);
    }

    @Override
    public void requireWebSocketRequest() {
      if (fault != null) {
        throw refused(context, fault.refusal(), fault.toException());
      }
    }

    @Override
    public void requireAllowedOrigin() {
      HttpException refusal = originRefusal(context);
      if (refusal != null) {
        throw refusal;
      }
    }

    @Override
    public WebSocket accept(WebSocketAcceptContext settings) {
      return open(Objects.requireNonNull(settings, "settings"), null);
    }

    @Override
    public WebSocket accept(WebSocketAcceptContext settings, WebSocketListener listener) {
      Objects.requireNonNull(settings, "settings");
      return open(settings, Objects.requireNonNull(listener, "listener"));
    }

    private WebSocket open(WebSocketAcceptContext given, @Nullable WebSocketListener listener) {
      if (accepted) {
        throw new IllegalStateException("the socket was already accepted");
      }
      requireWebSocketRequest();
      Upgrade upgrade = HostContext.of(context).upgrade();
      if (upgrade == null || context.response().hasStarted()) {
        throw new IllegalStateException("the response has started");
      }
      opening.incrementAndGet();
      try {
        return open(upgrade, given, listener);
      } finally {
        if (!isTaken) { // there is no session that could be opened or ended
          openedOrNot();
        }
      }
    }

    private WebSocket open(
        Upgrade upgrade, WebSocketAcceptContext given, @Nullable WebSocketListener listener) {
      if (stopping) {
        throw refused(
            context,
            HandshakeRefusal.STOPPING,
            new HttpException(
                503,
                "the server is stopping",
                new Headers().add("Retry-After", RETRY_AFTER_SECONDS)));
      }
      String subprotocol;
      Headers answer;
      try {
        subprotocol = subprotocol(given);
        answer = OpeningHandshake.accept(context, subprotocol);
      } catch (HttpException e) {
        throw refused(context, HandshakeRefusal.SUBPROTOCOL, e);
      } catch (IllegalArgumentException e) {
        reportRefused(context, HandshakeRefusal.SUBPROTOCOL, 500, String.valueOf(e.getMessage()));
        throw e;
      }
      DeflateAgreement agreement = negotiate(given, answer);
      SessionSettings settings = settings(given);
      if (listener == null && upgrade.loop().inLoop()) {
        throw new IllegalStateException(
            "a non-blocking handler can accept a socket only with a listener");
      }
      try {
        upgrade.reserve();
      } catch (HttpException noRoom) {
        throw refused(context, HandshakeRefusal.NO_ROOM, noRoom);
      }
      Compression compression =
          agreement == null ? null : new Compression(contexts, agreement, given);
      MemoryBudget memory = HostContext.of(context).memory();
      countIn(memory);
      Session session =
          new Session(
              SocketEvents.of(context),
              RequestSummary.of(context),
              upgrade.loop(),
              settings,
              subprotocol,
              compression,
              listener,
              memory,
              WebSockets.this);
      try {
        accepted = true;
        HostContext.of(context).takeOver(session);
        isTaken = true;
      } finally {
        if (!isTaken && compression != null) { // no end of a session will release it
          compression.endReading();
          compression.endSending();
        }
      }
      context.response().headers().forEach(field -> answer.add(field.getKey(), field.getValue()));
      upgrade.accept(HostContext.of(context).upgradeStatus(), answer, session);
      return session.socket();
    }

    /** Most sockets have the same settings and share one object. */
    private SessionSettings settings(WebSocketAcceptContext given) {
      SessionSettings asked =
          SessionSettings.of(options, given, context.application().isDevelopment());
      SessionSettings last = lastSettings;
      if (last != null && last.equals(asked)) {
        return last;
      }
      lastSettings = asked;
      return asked;
    }

    private @Nullable DeflateAgreement negotiate(WebSocketAcceptContext given, Headers answer) {
      List<String> offers = context.request().headers().all(OpeningHandshake.EXTENSIONS);
      if (!given.dangerousEnableCompression() || offers.isEmpty()) {
        return null;
      }
      DeflateAgreement.Terms wanted = Compression.terms(given);
      DeflateAgreement.Terms terms = contexts.affordable(wanted);
      if (!wanted.equals(terms)) {
        context.application().events().limitReached(context, Limit.COMPRESSION_MEMORY);
      }
      if (terms == null) {
        log.debug("handshake {}: no memory for compression", context.id());
        return null;
      }
      DeflateAgreement agreement = DeflateAgreement.negotiate(offers, terms);
      if (agreement == null) {
        log.debug("handshake {}: no acceptable compression in {}", context.id(), offers);
      } else {
        log.debug("handshake {}: compression {}", context.id(), agreement.response());
        answer.add(OpeningHandshake.EXTENSIONS, agreement.response());
      }
      return agreement;
    }

    private @Nullable String subprotocol(WebSocketAcceptContext given) {
      var selector = given.subprotocolSelector();
      String chosen = selector == null ? null : selector.select(webSocketRequestedProtocols());
      return chosen == null || chosen.isBlank() ? null : chosen;
    }
  }

  /** Lets what no socket holds alone count in the host's budget. */
  private void countIn(MemoryBudget memory) {
    MemoryBudget before = counted.get();
    if (before != memory && counted.compareAndSet(before, memory)) {
      memory.include(contexts::used);
      memory.include(this::waitingBytes);
    }
  }

  /** Returns the bytes of what many sockets are sent that wait in their queues; any thread. */
  private long waitingBytes() {
    long sum = 0;
    for (FanOut each : fanOuts.get().values()) {
      sum += each.waitingBytes();
    }
    return sum;
  }

  /** Returns what sends to many sockets of {@code loop}; any thread. */
  FanOut fanOut(Loop loop) {
    while (true) {
      Map<Loop, FanOut> known = fanOuts.get();
      FanOut fanOut = known.get(loop);
      if (fanOut != null) {
        return fanOut;
      }
      Map<Loop, FanOut> more = new HashMap<>(known);
      more.put(loop, new FanOut(loop));
      fanOuts.compareAndSet(known, Map.copyOf(more));
    }
  }

  /** Adds a socket that is open; on its loop. */
  void opened(Session session) {
    sessions.add(session.loop(), session);
    openedOrNot();
    if (stopping && session.settings().closesOnStop()) {
      session.life().goAway(); // the stop began while it was being accepted
    }
  }

  /** Removes a socket that has ended; on its loop. */
  void ended(Session session) {
    if (!sessions.remove(session.loop(), session)) {
      openedOrNot(); // lost before it was open
    }
  }
}
