package dev.windhover.samples.hub.server;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.hubs.ClientNames;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionEndpoint;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.connections.TransportType;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumSet;
import org.jspecify.annotations.Nullable;

/** The hub server that is asked what the reference was asked. */
public final class HubServer {
  private HubServer() {}

  static void main(String[] args) {
    announce(create(args), System.out).run();
  }

  /** Returns the application, ready to start. */
  public static WebApplication create(String... args) {
    WebApplication app = WebApplication.create(args);
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.use(
        Middleware.nonBlocking((context, next) -> {
          context.user(Token.of(context));
          next.handle(context);
        }));
    Hubs hubs = Hubs.on(app);
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
    mapBenchmarks(app);
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
  private static void mapBenchmarks(WebApplication app) {
    Hubs hubs = Hubs.on(app);
    hubs.options(options ->
        options.connections(lower -> lower.applicationMaxBufferSize(0).transportMaxBufferSize(0)));
    hubs.map("/bench", BenchHub.class, BenchHub::new);
    hubs.map("/bench-loop", BenchLoopHub.class, BenchLoopHub::new);
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
