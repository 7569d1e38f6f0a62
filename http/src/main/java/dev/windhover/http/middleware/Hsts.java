package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import java.util.function.Consumer;

/**
 * Tells browsers to use only HTTPS ({@code Strict-Transport-Security}, RFC 6797). The header is on
 * every response over HTTPS, errors included, and never on a response over HTTP (7.2). Never
 * blocks.
 */
public final class Hsts implements Middleware {
  private final String value;
  private final HostPatterns excluded;

  /** Creates the middleware with a copy of {@code options}. */
  public Hsts(HstsOptions options) {
    this.value =
        "max-age="
            + options.maxAge().toSeconds()
            + (options.includeSubDomains() ? "; includeSubDomains" : "")
            + (options.preload() ? "; preload" : "");
    this.excluded = new HostPatterns(options.excludedHosts());
  }

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static Hsts with(Consumer<HstsOptions> change) {
    HstsOptions options = new HstsOptions();
    change.accept(options);
    return new Hsts(options);
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    if (context.request().scheme().equals("https")) {
      HostName host = HostName.parse(context.request().host());
      if (host == null || !excluded.matches(host)) {
        context
            .response()
            .onStarting(() -> context.response().headers().set("Strict-Transport-Security", value));
      }
    }
    next.handle(context);
  }
}
