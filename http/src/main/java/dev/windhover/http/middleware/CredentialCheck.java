package dev.windhover.http.middleware;

import dev.windhover.http.User;
import org.jspecify.annotations.Nullable;

/** Knows to whom a token, a key or a cookie belongs. It may block. */
@FunctionalInterface
public interface CredentialCheck {
  /**
   * Returns the user to whom {@code credential} belongs, or null if it is not valid.
   *
   * @param credential as the client has sent it. To compare it with a secret, use {@link
   *     Authentication#isSame}
   * @throws Exception to answer with 500 and one error line in the log; its text should not contain
   *     the credential
   */
  @Nullable User userOf(String credential) throws Exception;
}
