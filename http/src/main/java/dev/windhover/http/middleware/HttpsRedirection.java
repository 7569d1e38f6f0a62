package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.Middleware;
import java.util.function.Consumer;

/**
 * Redirects requests over HTTP to the same host, path and query over HTTPS. Behind a proxy that
 * terminates TLS, put {@link ForwardedHeaders} before it, or it redirects forever. It trusts the
 * host that the client names if it is well-formed (otherwise it answers 400), so put {@link
 * HostFiltering} before it if there is a cache in between. Browsers do not follow redirects of a
 * WebSocket: let pages connect to {@code wss:}. Never blocks.
 */
public final class HttpsRedirection implements Middleware {
  private final String port;
  private final int status;

  /** Creates the middleware with a copy of {@code options}. */
  public HttpsRedirection(HttpsRedirectionOptions options) {
    this.port = options.httpsPort() == 443 ? "" : ":" + options.httpsPort();
    this.status = options.redirectStatusCode();
  }

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static HttpsRedirection with(Consumer<HttpsRedirectionOptions> change) {
    HttpsRedirectionOptions options = new HttpsRedirectionOptions();
    change.accept(options);
    return new HttpsRedirection(options);
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    HttpRequest request = context.request();
    if (request.scheme().equals("https")) {
      next.handle(context);
      return;
    }
    HostName host = HostName.parse(request.host());
    if (host == null) {
      throw new HttpException(400, request.host().isEmpty() ? "host is missing" : "malformed host");
    }
    String location = "https://" + host.name() + port + pathAndQuery(request.target());
    context.response().status(status).headers().set("Location", location);
  }

  /** Returns the part after the host as it came: still encoded, and therefore safe in a header. */
  private static String pathAndQuery(String target) {
    if (target.startsWith("/")) {
      return target;
    }
    if (target.equals("*")) {
      return "/";
    }
    int end = target.indexOf("://") + 3; // absolute-form
    while (end < target.length() && "/?".indexOf(target.charAt(end)) < 0) {
      end++;
    }
    String rest = target.substring(end);
    return rest.startsWith("/") ? rest : "/" + rest;
  }
}
