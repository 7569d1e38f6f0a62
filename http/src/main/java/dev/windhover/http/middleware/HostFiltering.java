package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.Middleware;
import java.util.function.Consumer;

/**
 * Answers 400 to requests for a host that is not ours. A page of an attacker's name that was
 * pointed at this server (DNS rebinding) gets no further, and what builds links from the host's
 * name can trust it. The host is that of {@link dev.windhover.http.HttpRequest#host()}: an
 * absolute-form target goes before the header, and {@link ForwardedHeaders} that stand before this
 * step go before both. Never blocks.
 *
 * <p>{@code sameOrigin()} of the WebSocket options asks for this step.
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

  /** Creates the middleware with options changed from their defaults. */
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
