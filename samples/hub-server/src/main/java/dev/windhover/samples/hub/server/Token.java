package dev.windhover.samples.hub.server;

import dev.windhover.http.HttpContext;
import dev.windhover.http.User;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who a bearer token names: {@code name}, {@code name:role} or {@code name:role:seconds}. Such
 * tokens are for tests alone, and so are those in queries: see {@code useAuthentication} for real
 * ones.
 */
record Token(String name, Set<String> roles, @Nullable Instant expiresAt) implements User {
  /** Returns whose token a request carries, in its header or its query; null if none is good. */
  static @Nullable User of(HttpContext context) {
    String header = context.request().headers().get("Authorization");
    String token =
        header != null && header.startsWith("Bearer ")
            ? header.substring("Bearer ".length())
            : context.request().query().get("access_token");
    return token == null ? null : parse(token, context.now());
  }

  private static @Nullable User parse(String token, Instant now) {
    String[] parts = token.split(":", -1);
    if (parts[0].equals("bad")) {
      return null;
    }
    Set<String> roles = parts.length > 1 && !parts[1].isEmpty() ? Set.of(parts[1]) : Set.of();
    Instant end =
        parts.length > 2 ? now.plus(Duration.ofSeconds(Integer.parseInt(parts[2]))) : null;
    return new Token(parts[0], roles, end);
  }
}
