package dev.windhover.http;

import java.security.Principal;
import java.time.Instant;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who has sent a request: {@link HttpContext#user()}. Applications may implement it with a type of
 * their own, which knows more of the user.
 */
@FunctionalInterface
public interface User extends Principal {
  /** Returns the name, as it is to appear in logs. */
  String name();

  /** Returns what the user may do, in the application's words; nothing by default. */
  default Set<String> roles() {
    return Set.of();
  }

  /** Returns whether the user has this role. */
  default boolean hasRole(String role) {
    return roles().contains(role);
  }

  /**
   * Returns when the user's authentication expires, for example that of a token; null for never.
   * What outlives its request may end then.
   */
  default @Nullable Instant expiresAt() {
    return null;
  }

  /** As {@link #name()}. */
  @Override
  default String getName() {
    return name();
  }

  /** Returns a user with this name and these roles. */
  static User of(String name, String... roles) {
    return new NamedUser(name, Set.of(Objects.requireNonNull(roles, "roles")));
  }
}
