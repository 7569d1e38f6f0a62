package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.Middleware;
import dev.windhover.http.host.Origins;
import dev.windhover.http.host.Tokens;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets pages of other origins use the steps and routes after this one (CORS, as the Fetch standard
 * defines it). This step answers preflights with 204. Every other request goes on, and its
 * response, errors included, says whether the page may see it. Nothing is refused: the browser
 * withholds from a page what was not allowed, and other clients do not ask. CORS does not cover
 * WebSockets, because browsers do not apply it to them; use their {@code allowedOrigins}. Never
 * blocks.
 *
 * <p>If responses differ by origin, all of them have {@code Vary: Origin}, so that a cache does not
 * give a page a response that was meant for another.
 */
public final class Cors implements Middleware {
  private static final String ALLOW_ORIGIN = "Access-Control-Allow-Origin";

  private final Set<String> origins;
  private final boolean anyOrigin;
  private final boolean credentials;
  private final boolean anyMethod;
  private final boolean anyHeader;
  private final String methods;
  private final String headers;
  private final String exposedHeaders;
  private final @Nullable Duration maxAge;

  /**
   * Creates the middleware with a copy of {@code policy}.
   *
   * @throws IllegalArgumentException if no origin is allowed, or if every origin is allowed
   *     together with credentials: any page could then act on behalf of the logged-in user
   */
  public Cors(CorsOptions policy) {
    if (policy.anyOrigin && policy.credentials) {
      throw new IllegalArgumentException(
          "allowAnyOrigin() with allowCredentials() is unsafe: name the origins");
    }
    if (!policy.anyOrigin && policy.origins.isEmpty()) {
      throw new IllegalArgumentException("no origin is allowed: name some with withOrigins(…)");
    }
    origins = Set.copyOf(policy.origins);
    anyOrigin = policy.anyOrigin;
    credentials = policy.credentials;
    anyMethod = policy.anyMethod;
    anyHeader = policy.anyHeader;
    methods = String.join(", ", policy.methods);
    headers = String.join(", ", policy.headers);
    exposedHeaders = String.join(", ", policy.exposedHeaders);
    maxAge = policy.preflightMaxAge;
  }

  /** Creates the middleware with a policy that allows nothing but what {@code change} adds. */
  public static Cors with(Consumer<CorsOptions> change) {
    CorsOptions policy = new CorsOptions();
    change.accept(policy);
    return new Cors(policy);
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    HttpRequest request = context.request();
    Headers answer = context.response().headers();
    String allowed = allowedOrigin(request.headers().all("Origin"));
    if (isPreflight(request)) {
      context.response().status(204);
      allowOrigin(answer, allowed);
      if (allowed != null) {
        allowRequest(answer, request.headers());
      }
      return;
    }
    // At the last moment, so that responses to failures have it too.
    context
        .response()
        .onStarting(() -> {
          allowOrigin(answer, allowed);
          if (allowed != null) {
            setUnlessEmpty(answer, "Access-Control-Expose-Headers", exposedHeaders);
          }
        });
    next.handle(context);
  }

  private static boolean isPreflight(HttpRequest request) {
    return request.method().equals("OPTIONS")
        && request.headers().contains("Origin")
        && request.headers().contains("Access-Control-Request-Method");
  }

  /**
   * Returns the value of {@code Access-Control-Allow-Origin} for the one origin that a browser
   * sends, or null.
   */
  private @Nullable String allowedOrigin(List<String> sent) {
    if (sent.size() != 1) {
      return null;
    }
    if (anyOrigin) {
      return "*";
    }
    String origin = sent.getFirst();
    return origins.contains(Origins.normalize(origin)) ? origin : null;
  }

  private void allowOrigin(Headers answer, @Nullable String allowed) {
    if (!anyOrigin && !answer.hasToken("Vary", "Origin") && !answer.hasToken("Vary", "*")) {
      answer.add("Vary", "Origin");
    }
    if (allowed != null) {
      answer.set(ALLOW_ORIGIN, allowed);
      if (credentials) {
        answer.set("Access-Control-Allow-Credentials", "true");
      }
    }
  }

  /** Says which method and headers the request after a preflight may have. */
  private void allowRequest(Headers answer, Headers asked) {
    // Not a *: with credentials it is an ordinary name, and it never covers Authorization.
    String method = asked.get("Access-Control-Request-Method");
    boolean echoMethod = anyMethod && method != null && Tokens.isToken(method);
    setUnlessEmpty(answer, "Access-Control-Allow-Methods", echoMethod ? method : methods);
    List<String> names = asked.list("Access-Control-Request-Headers");
    boolean echoHeaders = anyHeader && names.stream().allMatch(Tokens::isToken);
    setUnlessEmpty(
        answer, "Access-Control-Allow-Headers", echoHeaders ? String.join(", ", names) : headers);
    if (maxAge != null) {
      answer.set("Access-Control-Max-Age", Long.toString(maxAge.toSeconds()));
    }
  }

  private static void setUnlessEmpty(Headers answer, String name, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      answer.set(name, value);
    }
  }
}
