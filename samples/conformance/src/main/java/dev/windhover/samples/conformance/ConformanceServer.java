package dev.windhover.samples.conformance;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * The server for outside testers. It echoes every message whole, as one message of the same type,
 * on any path. The query sets how; see {@link Settings}.
 */
public final class ConformanceServer {
  /** How long a message may be too slow, which has no meaning at a rate of 0. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  private ConformanceServer() {}

  static void main(String[] args) {
    announce(create(args), System.out).run();
  }

  /** Returns the application, ready to start. */
  public static WebApplication create(String... args) {
    WebApplication app = WebApplication.create(args);
    app.use(ConformanceServer::answerPlainRequests);
    app.useWebSockets(options ->
        options
            .allowedOrigins("*") // testers come from anywhere
            .limits(limits -> limits.minMessageRate(0, GRACE))); // and some dribble on purpose
    app.map("/{*path}", ConformanceServer::accept);
    return app;
  }

  /** Prints the line for which testers wait when the application listens. */
  static WebApplication announce(WebApplication app, PrintStream out) {
    return app.onStarted(() ->
        out.println("ready: echoes every message on any path of " + String.join(", ", app.urls())));
  }

  /** Comes before the WebSocket middleware, which answers almost-handshakes itself. */
  private static void answerPlainRequests(HttpContext context, Handler next) throws Exception {
    next.handle(context);
    if (context.route() != null && !context.isUpgraded()) {
      String scheme = context.request().scheme().equals("https") ? "wss" : "ws";
      String url = scheme + "://" + context.request().host() + context.request().path();
      context.response().write("ready: connect a WebSocket to " + url + "\n");
    }
  }

  private static void accept(HttpContext context) throws Exception {
    Settings settings = Settings.of(context.request().query());
    if (!context.webSockets().isWebSocketRequest()) {
      return;
    }
    switch (settings.api()) {
      case BLOCKING -> {
        CountDownLatch ended = new CountDownLatch(1);
        context.response().onCompleted(ended::countDown);
        echo(context.webSockets().accept(settings.accept()), settings, ended);
      }
      case LISTENER -> {
        WebSocket _ = context.webSockets().accept(settings.accept(), new EchoListener(settings));
      }
    }
  }

  private static void echo(WebSocket socket, Settings settings, CountDownLatch ended)
      throws Exception {
    Integer close = settings.close();
    if (close != null) {
      socket.close(close, "");
    } else if (settings.noRead()) {
      ended.await();
    } else {
      for (Message message : socket) {
        socket.send(message);
      }
    }
  }
}
