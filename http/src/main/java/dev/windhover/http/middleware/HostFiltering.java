package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.Middleware;
import java.util.function.Consumer;

/**
 * Answers requests for unknown hosts with 400. This stops DNS rebinding, where an attacker points a
 * name of their own at this server, and code that builds links can trust the host. The host is that
 * of {@link dev.windhover.http.HttpRequest#host()}: an absolute-form target takes precedence over
 * the header, and {@link ForwardedHeaders} before this step take precedence over both. Never
 * blocks.
 *
 * <p>The WebSocket option {@code sameOrigin()} needs this step.
 */
public final class HostFiltering implements Middleware {
  private final HostPatterns allowed;
  private final boolean allowEmpty;

  /**
   * Creates the middleware with a copy of {@code options}.
   *
   * @throws IllegalArgumentException if no host is allowed
   */
  public HostFiltering(HostFilteringOptions options) {
    this.allowed = new HostPatterns(options.allowedHosts());
    this.allowEmpty = options.allowEmptyHosts();
    if (allowed.isEmpty()) {
      throw new IllegalArgumentException("no host is allowed: name yours with allowedHosts(…)");
    }
  }

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static HostFiltering with(Consumer<HostFilteringOptions> change) {
    HostFilteringOptions options = new HostFilteringOptions();
    change.accept(options);
    return new HostFiltering(options);
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    String host = context.request().host();
    if (!host.isEmpty() || !allowEmpty) {
      require(host);
    }
    next.handle(context);
  }

  private void require(String text) {
    HostName host = HostName.parse(text);
    if (host == null) {
      throw new HttpException(400, text.isEmpty() ? "host is missing" : "malformed host");
    }
    if (!allowed.matches(host)) {
      throw new HttpException(400, "host " + host.name() + " is not allowed");
    }
  }
}
