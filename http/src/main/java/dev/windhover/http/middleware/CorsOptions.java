package dev.windhover.http.middleware;

import dev.windhover.http.host.Origins;
import dev.windhover.http.host.Tokens;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The policy of {@link Cors}, with the names of ASP.NET Core's {@code CorsPolicyBuilder}. Each
 * method sets or adds something and returns this.
 */
public final class CorsOptions {
  final List<String> origins = new ArrayList<>();
  final List<String> methods = new ArrayList<>();
  final List<String> headers = new ArrayList<>();
  final List<String> exposedHeaders = new ArrayList<>();
  boolean anyOrigin;
  boolean anyMethod;
  boolean anyHeader;
  boolean credentials;
  @Nullable Duration preflightMaxAge;

  /** Creates a policy that allows nothing. */
  public CorsOptions() {}

  /**
   * Allows pages of these origins.
   *
   * @param origins exact origins, such as {@code https://example.com} or {@code
   *     https://example.com:8443}. Case and the scheme's default port do not matter. {@code *} is
   *     not allowed, nor is {@code null}, because every sandboxed page has that origin
   * @throws IllegalArgumentException if one has another form
   */
  public CorsOptions withOrigins(String... origins) {
    for (String origin : Objects.requireNonNull(origins, "origins")) {
      if (!Origins.isWellFormed(origin) || origin.indexOf('*') >= 0) {
        throw new IllegalArgumentException(
            "origin \"" + origin + "\" is not of the form scheme://host[:port]");
      }
      this.origins.add(Origins.normalize(origin));
    }
    return this;
  }

  /** Allows pages of every origin; not together with {@link #allowCredentials()}. */
  public CorsOptions allowAnyOrigin() {
    anyOrigin = true;
    return this;
  }

  /**
   * Allows these methods in addition to GET, HEAD and POST, for which browsers do not ask.
   *
   * @throws IllegalArgumentException if one is not a method
   */
  public CorsOptions withMethods(String... methods) {
    addTokens("method", Objects.requireNonNull(methods, "methods"), this.methods);
    return this;
  }

  /** Allows every method. */
  public CorsOptions allowAnyMethod() {
    anyMethod = true;
    return this;
  }

  /**
   * Allows these request headers in addition to those for which browsers do not ask.
   *
   * @throws IllegalArgumentException if one is not a header name
   */
  public CorsOptions withHeaders(String... headers) {
    addTokens("header", Objects.requireNonNull(headers, "headers"), this.headers);
    return this;
  }

  /** Allows every request header. */
  public CorsOptions allowAnyHeader() {
    anyHeader = true;
    return this;
  }

  /**
   * Lets pages see these response headers.
   *
   * @throws IllegalArgumentException if one is not a header name
   */
  public CorsOptions withExposedHeaders(String... headers) {
    addTokens("header", Objects.requireNonNull(headers, "headers"), exposedHeaders);
    return this;
  }

  /**
   * Lets pages send cookies and see the responses: those pages can then act on behalf of the
   * logged-in user. Off by default.
   */
  public CorsOptions allowCredentials() {
    credentials = true;
    return this;
  }

  /**
   * Lets browsers remember the response to a preflight, in whole seconds. Without it they use their
   * own default (5 s). Browsers cap it at 2 hours to a day.
   *
   * @throws IllegalArgumentException if negative
   */
  public CorsOptions preflightMaxAge(Duration maxAge) {
    if (maxAge.isNegative()) {
      throw new IllegalArgumentException("preflightMaxAge " + maxAge + " is negative");
    }
    preflightMaxAge = maxAge;
    return this;
  }

  private static void addTokens(String what, String[] tokens, List<String> to) {
    for (String token : tokens) {
      if (!Tokens.isToken(token) || token.equals("*")) {
        throw new IllegalArgumentException(what + " \"" + token + "\" is not a name");
      }
      to.add(token);
    }
  }
}
