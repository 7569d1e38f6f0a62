package dev.windhover.samples.hub.server;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.hubs.ClientNames;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionEndpoint;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.hubs.redis.RedisBackplane;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The hub server that is asked what the reference was asked. */
public final class HubServer {
  private HubServer() {}

  static void main(String[] args) {
    List<String> all = new ArrayList<>(List.of(args));
    int at = all.indexOf("--redis");
    if (at < 0 || at == all.size() - 1) {
      announce(create(args), System.out).run();
      return;
    }
    all.remove(at);
    try (RedisBackplane redis =
        RedisBackplane.connect(all.remove(at), options -> options.hubName(Class::getSimpleName))) {
      announce(create(redis, all.toArray(String[]::new)), System.out).run();
    }
  }

  /** Returns the application, ready to start. */
  public static WebApplication create(String... args) {
    return create(null, args);
  }

  /** Returns the application, as one of several servers if there is a backplane. */
  public static WebApplication create(@Nullable Backplane backplane, String... args) {
    WebApplication app = WebApplication.create(args);
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.use(
        Middleware.nonBlocking((context, next) -> {
          context.user(Token.of(context));
          next.handle(context);
        }));
    Hubs hubs = on(app, backplane);
    hubs.options(options ->
        options
            .userIdentifier(HubServer::userOf)
            .clientNames(ClientNames.PASCAL_CASE)
            .filter(new WritingFilter("A"))
            .filter(new WritingFilter("B")));
    hubs.map("/plainhub", PlainHub.class, PlainHub::new);
    hubs.options(options -> options.enableDetailedErrors(true));
    hubs.map("/testhub", TestHub.class, TestHub::new);
    hubs.map(
        "/stateful",
        TestHub.class,
        TestHub::new,
        options -> options.connections(lower -> lower.allowStatefulReconnects(true)));
    hubs.map(
        "/nowebsockets",
        TestHub.class,
        TestHub::new,
        options ->
            options.connections(lower ->
                lower.transports(
                    EnumSet.of(TransportType.SERVER_SENT_EVENTS, TransportType.LONG_POLLING))));
    hubs.map(
        "/limithub",
        LimitHub.class,
        LimitHub::new,
        options ->
            options
                .clientTimeoutInterval(Duration.ofSeconds(2))
                .keepAliveInterval(Duration.ofSeconds(1))
                .handshakeTimeout(Duration.ofSeconds(1))
                .maximumReceiveMessageSize(1024)
                .streamBufferCapacity(2)
                .maximumParallelInvocationsPerClient(2)
                .connections(lower -> lower.pollTimeout(Duration.ofSeconds(2))));
    hubs.map("/broken", BrokenHub.class, BrokenHub::new);
    hubs.map("/refusing", RefusingHub.class, RefusingHub::new);
    hubs.map(
        "/authhub",
        AuthHub.class,
        AuthHub::new,
        options -> options.connections(lower -> lower.requireUser()));
    hubs.map(
        "/expiring",
        AuthHub.class,
        AuthHub::new,
        options ->
            options.connections(
                lower -> lower.requireUser().closeOnAuthenticationExpiration(true)));
    hubs.map(
        "/filterhub",
        FilterHub.class,
        FilterHub::new,
        options -> options.filter(new WritingFilter("C")));
    hubs.map(
        "/jsonhub", JsonHub.class, JsonHub::new, options -> options.supportedProtocols("json"));
    mapBenchmarks(app, backplane);
    ConnectionEndpoint _ = ConnectionEndpoint.map(app, "/echo", HubServer::echo);
    HubContext<TestHub.Client> tests = hubs.context(TestHub.class);
    app.mapGet("/result/{connectionId}", context -> result(context, tests));
    app.mapGet(
        "/send/{any}/{target}",
        context ->
            tests
                .clients()
                .untyped()
                .all()
                .send(context.request().pathParameter("target"), "from outside"));
    return app;
  }

  /** Prints the line for which testers wait when the application listens. */
  static WebApplication announce(WebApplication app, PrintStream out) {
    return app.onStarted(() -> out.println("ready: hubs on " + String.join(", ", app.urls())));
  }

  /** Without filters, which cost time. */
  private static void mapBenchmarks(WebApplication app, @Nullable Backplane backplane) {
    Hubs hubs = on(app, backplane);
    hubs.options(options ->
        options.connections(lower -> lower.applicationMaxBufferSize(0).transportMaxBufferSize(0)));
    hubs.map("/bench", BenchHub.class, BenchHub::new);
    hubs.map("/bench-loop", BenchLoopHub.class, BenchLoopHub::new);
  }

  private static Hubs on(WebApplication app, @Nullable Backplane backplane) {
    Hubs hubs = Hubs.on(app);
    return backplane == null ? hubs : hubs.backplane(backplane);
  }

  private static @Nullable String userOf(ConnectionContext connection) {
    String named = connection.request().query().get("user");
    if (named != null) {
      return named;
    }
    return connection.user() == null ? null : connection.user().name();
  }

  private static void result(HttpContext context, HubContext<TestHub.Client> tests)
      throws Exception {
    String answer;
    try {
      String id = context.request().pathParameter("connectionId");
      answer = Integer.toString(tests.clients().client(id).result());
    } catch (RuntimeException e) {
      answer = HubLog.describe(e);
    }
    context.response().write(answer);
  }

  private static ConnectionListener echo(ConnectionContext connection) {
    return new ConnectionListener() {
      @Override
      public void onBytes(ByteBuffer bytes) {
        boolean _ = connection.send(bytes);
        bytes.position(bytes.limit());
      }
    };
  }
}
