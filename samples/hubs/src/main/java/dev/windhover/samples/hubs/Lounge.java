package dev.windhover.samples.hubs;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.hubs.HubOptions;
import dev.windhover.hubs.Hubs;

/**
 * A chat with rooms on a hub. Run it with {@code ./run hubs} and open http://localhost:5000 in two
 * windows. Stop it and start it again to see them come back.
 *
 * <p>The page is a client of {@link ChatHub} by {@code @microsoft/signalr}, which {@code ./run
 * setup} copies from npm to where the other files of the page are.
 */
public final class Lounge {
  /** The largest message of a client, in bytes. */
  private static final int MOST_BYTES = 4 * 1024;

  private Lounge() {}

  static void main(String[] args) {
    create(args).run();
  }

  /** Returns the application, ready to start. */
  public static WebApplication create(String... args) {
    var app = WebApplication.create(args);
    var rooms = new Rooms();
    var wind = new Wind();

    // Only this page may speak in its users' names. Yours names its own hosts here.
    app.useWebSockets(o -> o.sameOrigin("localhost", "127.0.0.1"));
    app.use(Middleware.nonBlocking(Lounge::restrictPage));
    app.useStaticFiles(StaticFiles.fromClassPath(Lounge.class, "wwwroot"));
    Hubs.on(app).map("/chat", ChatHub.class, () -> new ChatHub(rooms, wind), Lounge::options);
    app.every(Wind.PERIOD, wind::blow);
    return app;
  }

  private static void options(HubOptions options) {
    options
        .maximumReceiveMessageSize(MOST_BYTES)
        .connections(connections -> connections.allowStatefulReconnects(true));
  }

  /** Lets the page load and read only what comes from here. */
  private static void restrictPage(HttpContext context, Handler next) throws Exception {
    context
        .response()
        .headers()
        .set(
            "Content-Security-Policy",
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    next.handle(context);
  }
}
