package dev.windhover.samples.events;

import dev.windhover.app.WebApplication;
import dev.windhover.http.EventStream;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.files.StaticFiles;
import java.time.Duration;

/**
 * A page that shows the ticks of the server's clock, and those that it missed while it was away.
 * Run it with {@code ./run events} and open http://localhost:5000, or read the stream with {@code
 * curl -N http://localhost:5000/ticks}.
 */
public final class Ticks {
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private Ticks() {}

  static void main(String[] args) {
    var clock = new Clock();
    var app = create(clock, args);
    app.every(PERIOD, clock::tick);
    app.run();
  }

  /** Returns the application, ready to start; its ticks are those of {@code clock}. */
  static WebApplication create(Clock clock, String... args) {
    var app = WebApplication.create(args);
    app.use(Middleware.nonBlocking(Ticks::restrictPage));
    app.useStaticFiles(StaticFiles.fromClassPath(Ticks.class, "wwwroot"));
    app.mapGet(
        "/ticks",
        context -> {
          EventStream stream = EventStream.open(context);
          stream.retry(Duration.ofSeconds(2));
          clock.add(stream);
        });
    return app;
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
