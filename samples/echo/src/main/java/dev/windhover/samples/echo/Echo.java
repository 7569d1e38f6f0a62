package dev.windhover.samples.echo;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * A page that talks to four WebSocket endpoints, each of which sends back what it receives. Run it
 * with {@code ./run echo} and open http://localhost:5000. {@code ./run echo --https} also listens
 * on https://localhost:5001.
 */
public final class Echo {
  /**
   * Accepts the client's preferred subprotocol, since all are the same to an echo. Compresses,
   * which is dangerous only if there are secrets.
   */
  static final WebSocketAcceptContext SETTINGS =
      new WebSocketAcceptContext()
          .subprotocolSelector(offered -> offered.isEmpty() ? null : offered.getFirst())
          .dangerousEnableCompression(true);

  private Echo() {}

  static void main(String[] args) {
    create(args).run();
  }

  /** Returns the application, ready to start. */
  public static WebApplication create(String... args) {
    var app = WebApplication.create(args);
    var background = new BackgroundSocketProcessor();

    // An echo has no secrets, so all pages may connect. Your application should name its origins.
    app.useWebSockets(o -> o.keepAliveInterval(Duration.ofMinutes(2)).allowedOrigins("*"));
    app.use(Middleware.nonBlocking(Echo::restrictPage));
    app.use(Middleware.nonBlocking(Echo::tellHttpVersion));
    app.useStaticFiles(StaticFiles.fromClassPath(Echo.class, "wwwroot"));

    app.map("/ws", Echo::echoBuffers);
    app.mapWebSocket("/ws/messages", SETTINGS, Echo::echoMessages);
    app.mapControllers(new EchoController());
    app.mapWebSocket("/ws/background", SETTINGS, socket -> background.add(socket).get());
    return app;
  }

  /** Buffer by buffer: messages of any size pass through 4 KiB. */
  private static void echoBuffers(HttpContext context) throws Exception {
    if (!context.webSockets().isWebSocketRequest()) {
      context.response().status(400).write("this is a WebSocket endpoint\n");
      return;
    }
    WebSocket socket = context.webSockets().accept(SETTINGS);
    MagicWords magicWords = new MagicWords(socket);
    ByteBuffer buffer = ByteBuffer.allocate(4 * 1024);

    ReceiveResult received = socket.receive(buffer);
    while (!received.isClose()) {
      buffer.flip();
      if (!magicWords.obey(received, buffer)) {
        socket.send(buffer, received.type(), received.endOfMessage());
      }
      received = socket.receive(buffer.clear());
    }
    socket.close(socket.closeStatus(), socket.closeStatusDescription());
  }

  /** Message by message, until the peer closes; its Close is answered at the end of the loop. */
  static void echoMessages(WebSocket socket) throws Exception {
    MagicWords magicWords = new MagicWords(socket);
    for (Message message : socket) {
      if (!magicWords.obey(message)) {
        socket.send(message);
      }
    }
  }

  /** Tells the page which HTTP version its socket uses, because browsers do not. */
  private static void tellHttpVersion(HttpContext context, Handler next) throws Exception {
    if (context.webSockets().isWebSocketRequest()) {
      String cookie = "socketHttpVersion=" + context.request().version();
      context
          .response()
          .headers()
          .add("Set-Cookie", cookie + "; Path=/; SameSite=Strict; Max-Age=10");
    }
    next.handle(context);
  }

  /**
   * Lets the page load only its own resources, and connect to any WebSocket that the user types in.
   */
  private static void restrictPage(HttpContext context, Handler next) throws Exception {
    context
        .response()
        .headers()
        .set(
            "Content-Security-Policy",
            "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none';"
                + " frame-ancestors 'none'");
    next.handle(context);
  }
}
