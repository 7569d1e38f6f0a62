package dev.windhover.hubs.connections;

import dev.windhover.http.Application;
import dev.windhover.http.DeferredResponse;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpResponse;
import dev.windhover.http.RouteGroup;
import dev.windhover.http.User;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.hubs.connections.ConnectionEnding.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A path where clients open connections that outlive a request: over a WebSocket, server-sent
 * events or long polling, as SignalR's clients do. What a connection carries is the handler's
 * business.
 *
 * <pre>{@code
 * ConnectionEndpoint.map(app, "/echo", connection -> connection::send);
 * }</pre>
 *
 * <p>Clients negotiate with {@code POST path/negotiate}. Then they connect with {@code GET
 * path?id=token}, send with {@code POST} unless they have a WebSocket, and end a connection over
 * long polling with {@code DELETE}. A WebSocket may come without a negotiation. The path matches in
 * any case, and with a slash at its end.
 *
 * <p>The origin rule of the WebSocket middleware holds for all of these requests.
 */
public final class ConnectionEndpoint {
  private static final Logger log = Loggers.get(ConnectionEndpoint.class);

  /** For clients that would be too many now; other servers of ours say the same. */
  private static final String RETRY_AFTER_SECONDS = "5";

  private final ConnectionOptions options;
  private final ConnectionHandler handler;
  private final WebSocketAcceptContext socketSettings;
  private final ConnectionTable table;

  /** What each loop has. A change replaces the map with a copy. */
  private final AtomicReference<Map<Loop, LoopConnections>> loops = new AtomicReference<>(Map.of());

  private volatile boolean stopping;

  private ConnectionEndpoint(ConnectionOptions options, ConnectionHandler handler) {
    this.options = new ConnectionOptions(options);
    this.handler = Objects.requireNonNull(handler, "handler");
    this.table = new ConnectionTable(this, this.options);
    this.socketSettings =
        new WebSocketAcceptContext(this.options.webSockets())
            .closesOnStop(false)
            .writeStallTimeout(this.options.transportSendTimeout());
    if (options.transportMaxBufferSize() > 0) {
      socketSettings.sendMark(options.transportMaxBufferSize());
    }
  }

  // ---- Mapping

  /** Maps an endpoint with the default options. */
  public static ConnectionEndpoint map(
      Application application, String path, ConnectionHandler handler) {
    return map(application, path, new ConnectionOptions(), handler);
  }

  /**
   * Maps an endpoint.
   *
   * @param path as in {@link Application#map(String, Handler)}, without a slash at its end
   * @throws IllegalArgumentException if the path is malformed, or is already mapped
   */
  public static ConnectionEndpoint map(
      Application application, String path, ConnectionOptions options, ConnectionHandler handler) {
    ConnectionEndpoint endpoint = new ConnectionEndpoint(options, handler);
    endpoint.mapTo(application::mapIgnoringCase, path);
    application.endOnStop(endpoint::stop);
    return endpoint;
  }

  /** Maps an endpoint to a group, whose steps run for each of its requests. */
  public static ConnectionEndpoint map(
      RouteGroup group, String path, ConnectionOptions options, ConnectionHandler handler) {
    ConnectionEndpoint endpoint = new ConnectionEndpoint(options, handler);
    endpoint.mapTo(group::mapIgnoringCase, path);
    group.application().endOnStop(endpoint::stop);
    return endpoint;
  }

  @FunctionalInterface
  private interface Routes {
    Object map(Set<String> methods, String path, Handler handler);
  }

  private void mapTo(Routes routes, String path) {
    Handler negotiate =
        options.onNegotiate() == null ? Handler.nonBlocking(this::negotiate) : this::negotiate;
    Handler connect = Handler.nonBlocking(this::connect);
    for (String end : new String[] {"", "/"}) {
      routes.map(Set.of(), path + "/negotiate" + end, admitting(negotiate));
      routes.map(Set.of(), path + end, admitting(connect));
      routes.map(Set.of("POST"), path + end, admitting(this::post));
    }
  }

  /** Refuses what may not come here at all. */
  private Handler admitting(Handler next) {
    return new Handler() {
      @Override
      public void handle(HttpContext context) throws Exception {
        context.webSockets().requireAllowedOrigin();
        if (isAdmitted(context)) {
          next.handle(context);
        }
      }

      @Override
      public boolean isNonBlocking() {
        return next.isNonBlocking();
      }
    };
  }

  private boolean isAdmitted(HttpContext context) {
    if (!options.requiresUser()) {
      return true;
    }
    User user = context.user();
    if (user == null) {
      Headers headers = context.response().status(401).headers();
      context.challenges().forEach(challenge -> headers.add("WWW-Authenticate", challenge));
      return false;
    }
    String[] roles = options.roles();
    if (roles.length > 0 && Set.of(roles).stream().noneMatch(user::hasRole)) {
      context.response().status(403);
      return false;
    }
    return true;
  }

  // ---- Negotiating

  private void negotiate(HttpContext context) throws Exception {
    if (!context.request().method().equals("POST")) {
      answer(context, 405, "");
      return;
    }
    String asked = parameter(context, "negotiateVersion");
    int version = asked == null ? 0 : versionOf(asked);
    HttpResponse response = context.response().contentType("application/json");
    if (version == NOT_A_NUMBER) {
      response.write(
          NegotiationAnswer.error("The client requested a non-integer protocol version."));
      return;
    }
    if (version < options.minimumProtocolVersion()) {
      response.write(
          NegotiationAnswer.error(
              "The client requested version '"
                  + version
                  + "', but the server does not support this version."));
      return;
    }
    int spoken = Math.min(version, NegotiationAnswer.VERSION);
    NegotiationHandler other = options.onNegotiate();
    NegotiationRedirect redirect = other == null ? null : other.negotiate(context);
    if (redirect != null) {
      response.write(NegotiationAnswer.redirect(redirect, spoken));
      return;
    }
    requireRunning();
    boolean stateful =
        options.allowStatefulReconnects()
            && "true".equalsIgnoreCase(parameter(context, "useStatefulReconnect"));
    Negotiated negotiated = table.negotiate(spoken, stateful, loopOf(context));
    if (negotiated == null) {
      log.debug("negotiation {} refused: too many are unfinished", context.id());
      context.response().headers().set("Retry-After", RETRY_AFTER_SECONDS);
      answer(context, 429, "too many unfinished negotiations");
      return;
    }
    String token = spoken == 0 ? null : negotiated.token();
    response.write(
        NegotiationAnswer.of(spoken, negotiated.id(), token, stateful, transportsFor(context)));
  }

  private static final int NOT_A_NUMBER = Integer.MIN_VALUE;

  private static int versionOf(String text) {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      return NOT_A_NUMBER;
    }
  }

  /** In the order in which clients are to try them, which is that of the constants. */
  private Set<TransportType> transportsFor(HttpContext context) {
    Set<TransportType> offered = EnumSet.copyOf(options.transports());
    if (!HostContext.of(context).hasWebSockets()) {
      offered.remove(TransportType.WEB_SOCKETS);
    }
    return offered;
  }

  private void requireRunning() {
    if (stopping) {
      throw new HttpException(
          503, "the server is stopping", new Headers().add("Retry-After", RETRY_AFTER_SECONDS));
    }
  }

  // ---- Connecting

  private void connect(HttpContext context) throws Exception {
    switch (context.request().method()) {
      case "GET" -> {
        if (acceptsEvents(context)) {
          connectEvents(context);
        } else if (context.webSockets().isWebSocketRequest()) {
          connectSocket(context);
        } else {
          poll(context);
        }
      }
      case "CONNECT" -> {
        context.webSockets().requireWebSocketRequest();
        connectSocket(context);
      }
      case "DELETE" -> delete(context);
      default -> answer(context, 405, "");
    }
  }

  private void connectSocket(HttpContext context) throws IOException {
    requireRunning();
    if (isRefused(context, TransportType.WEB_SOCKETS)) {
      return;
    }
    String token = parameter(context, "id");
    ClientConnection connection;
    if (token == null || token.isEmpty()) {
      connection = table.unnegotiated(context);
    } else {
      connection = table.find(token, context);
      if (connection == null) {
        context.response().status(404);
        return;
      }
    }
    Refusal refusal = connection.reserve(TransportType.WEB_SOCKETS);
    if (refusal != null) {
      refuse(context, refusal);
      return;
    }
    SocketTransport transport = new SocketTransport(connection, requestOf(context), context.user());
    boolean isAccepted = false;
    try {
      context.webSockets().accept(socketSettings, transport);
      isAccepted = true;
    } finally {
      if (!isAccepted) {
        connection.abandon();
      }
    }
  }

  /** An exact media type without parameters, as the reference wants it. */
  private static boolean acceptsEvents(HttpContext context) {
    return context.request().headers().list("Accept").stream()
        .anyMatch("text/event-stream"::equalsIgnoreCase);
  }

  private void connectEvents(HttpContext context) throws IOException {
    if (isRefused(context, TransportType.SERVER_SENT_EVENTS)) {
      return;
    }
    ClientConnection connection = find(context);
    if (connection == null) {
      return;
    }
    Refusal refusal = connection.reserve(TransportType.SERVER_SENT_EVENTS);
    if (refusal != null) {
      refuse(context, refusal);
      return;
    }
    ConnectionRequest request = requestOf(context);
    User user = context.user();
    EventTransport transport = EventTransport.open(connection, context.response());
    connection.loop().execute(() -> connection.attachEvents(transport, request, user));
  }

  private boolean isRefused(HttpContext context, TransportType type) throws IOException {
    if (options.transports().contains(type)) {
      return false;
    }
    answer(context, 404, type.wireName() + " transport not supported by this end point type");
    return true;
  }

  private void poll(HttpContext context) throws IOException {
    Headers headers = context.response().headers();
    headers.set("Cache-Control", "no-cache, no-store");
    headers.set("Pragma", "no-cache");
    headers.set("Expires", "Thu, 01 Jan 1970 00:00:00 GMT");
    String token = parameter(context, "id");
    if (token != null && table.peek(token) == null && table.isOurs(token)) {
      answer(context, 204, ""); // a client that gets 404 may poll again at once, for ever
      return;
    }
    if (isRefused(context, TransportType.LONG_POLLING)) {
      return;
    }
    ClientConnection connection = find(context);
    if (connection == null) {
      return;
    }
    Refusal refusal = connection.reserve(TransportType.LONG_POLLING);
    if (refusal != null) {
      refuse(context, refusal);
      return;
    }
    ConnectionRequest request = requestOf(context);
    User user = context.user();
    DeferredResponse poll = context.response().defer();
    connection.loop().execute(() -> connection.poll(poll, request, user));
  }

  private void post(HttpContext context) throws IOException, InterruptedException {
    ClientConnection connection = find(context);
    if (connection == null) {
      return;
    }
    if (connection.type() == TransportType.WEB_SOCKETS) {
      refuse(context, Refusal.POST_TO_SOCKET);
    } else if (connection.isClosing()) {
      refuse(context, Refusal.GONE);
    } else {
      boolean isTaken = connection.post(context.request().body());
      answer(context, isTaken ? 200 : 404, "");
    }
  }

  private void delete(HttpContext context) throws IOException {
    String token = parameter(context, "id");
    if (token != null && table.peek(token) instanceof Negotiated) {
      refuse(context, Refusal.NO_DELETE);
      return;
    }
    ClientConnection connection = find(context);
    if (connection == null) {
      return;
    }
    if (connection.isClosing()) {
      refuse(context, Refusal.GONE);
    } else if (connection.type() != TransportType.LONG_POLLING) {
      refuse(context, Refusal.NO_DELETE);
    } else {
      connection.loop().execute(() -> connection.closeOrderly(Status.NORMAL_CLOSURE));
      answer(context, 202, "");
    }
  }

  /** Returns the connection of the request's token; null if the request was refused. */
  private @Nullable ClientConnection find(HttpContext context) throws IOException {
    String token = parameter(context, "id");
    if (token == null || token.isEmpty()) {
      refuse(context, Refusal.NO_ID);
      return null;
    }
    ClientConnection connection = table.find(token, context);
    if (connection == null) {
      refuse(context, Refusal.GONE);
    }
    return connection;
  }

  private static void refuse(HttpContext context, Refusal refusal) throws IOException {
    answer(context, refusal.status(), refusal.text());
  }

  private static void answer(HttpContext context, int status, String text) throws IOException {
    HttpResponse response = context.response().status(status).contentType("text/plain");
    if (!text.isEmpty()) {
      response.write(text);
    }
  }

  private static Loop loopOf(HttpContext context) {
    return HostContext.of(context).loop();
  }

  private static ConnectionRequest requestOf(HttpContext context) {
    return new ConnectionRequest(
        context.request().path(),
        context.request().query(),
        new Headers(context.request().headers()),
        context.connection());
  }

  /** Returns the values of {@code name}, which ignores case, joined by commas; null if none. */
  private static @Nullable String parameter(HttpContext context, String name) {
    @Nullable String joined = null;
    for (Map.Entry<String, String> parameter : context.request().query().parameters()) {
      if (parameter.getKey().equalsIgnoreCase(name)) {
        String value = parameter.getValue();
        joined = joined == null ? value : joined + "," + value;
      }
    }
    return joined;
  }

  // ---- What connections tell

  ConnectionHandler handler() {
    return handler;
  }

  ConnectionOptions options() {
    return options;
  }

  /** Returns what the loop of a request has of this endpoint; any thread. */
  LoopConnections on(HttpContext request) {
    Loop loop = loopOf(request);
    while (true) {
      Map<Loop, LoopConnections> known = loops.get();
      LoopConnections found = known.get(loop);
      if (found != null) {
        return found;
      }
      MemoryBudget memory = HostContext.of(request).memory();
      FanOut fanOut = new FanOut(loop);
      Map<Loop, LoopConnections> more = new HashMap<>(known);
      more.put(loop, new LoopConnections(loop, fanOut, memory));
      if (loops.compareAndSet(known, Map.copyOf(more))) {
        memory.include(fanOut::waitingBytes);
      }
    }
  }

  /** A connection has its first transport; on its loop. */
  void opened(ClientConnection connection) {
    finished(connection);
    if (stopping) { // the stop began while it was being opened
      connection.loop().execute(() -> connection.closeOrderly(Status.APP_SHUTDOWN));
    }
  }

  /** A connection has its first transport, or has ended without one. */
  void finished(ClientConnection connection) {
    if (connection.token() != null) {
      table.finished();
    }
  }

  /** The token of {@code connection} is dead; any thread. */
  void forget(ClientConnection connection) {
    table.remove(connection);
  }

  // ---- Stopping

  /** Ends all connections, spread over the drain time; completes when the last has ended. */
  private CompletableFuture<Void> stop() {
    stopping = true;
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (LoopConnections each : loops.get().values()) {
      CompletableFuture<Void> drained = new CompletableFuture<>();
      all.add(drained);
      each.loop().execute(() -> each.drain(options.drainTime(), drained));
    }
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }
}
