package dev.windhover.samples.dashboard;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;
import java.net.URI;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * A live dashboard of its own process. Run it with {@code ./run dashboard} and open
 * http://localhost:5000, in several windows if you like.
 *
 * <p>A socket at {@code /ticks} is sent 20 ticks a second, see {@link Board}. A viewer that reads
 * more slowly skips some. To see one, switch on the {@link SlowViewer} in the page, which sends
 * {@code slow on} or {@code slow off}.
 */
public final class Dashboard {
  static final Duration PERIOD = Duration.ofMillis(50);

  private Dashboard() {}

  static void main(String[] args) {
    create(new Machine(), args).run();
  }

  /** Returns the application, ready to start; it shows what {@code machine} says. */
  static WebApplication create(Supplier<Reading> machine, String... args) {
    var app = WebApplication.create(args);
    var board = new Board(machine);
    var slowViewer = new SlowViewer(() -> socketAddress(app));

    // Only this dashboard's own page may connect. Yours names its own hosts here.
    app.useWebSockets(o -> o.sameOrigin("localhost", "127.0.0.1"));
    app.use(Middleware.nonBlocking(Dashboard::restrictPage));
    app.useStaticFiles(StaticFiles.fromClassPath(Dashboard.class, "wwwroot"));
    app.mapWebSocket("/ticks", socket -> watch(board, slowViewer, socket));
    app.every(PERIOD, () -> board.tick(app.now(), slowViewer.seen()));
    app.onStopping(slowViewer::stop);
    return app;
  }

  private static void watch(Board board, SlowViewer slowViewer, WebSocket socket) {
    board.add(socket);
    for (Message message : socket) {
      switch (message) {
        case Message.Text(String text) when text.equals("slow on") -> slowViewer.start();
        case Message.Text(String text) when text.equals("slow off") -> slowViewer.stop();
        default -> {} // viewers have nothing else to say
      }
    }
  }

  private static URI socketAddress(WebApplication app) {
    return URI.create(app.urls().getFirst().replaceFirst("^http", "ws") + "/ticks");
  }

  /** Lets the page load and read only what comes from here. */
  private static void restrictPage(HttpContext context, Handler next) throws Exception {
    context
        .response()
        .headers()
        .set(
            "Content-Security-Policy",
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    next.handle(context);
  }
}
