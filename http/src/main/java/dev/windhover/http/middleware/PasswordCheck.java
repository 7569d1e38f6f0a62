package dev.windhover.http.middleware;

import dev.windhover.http.User;
import org.jspecify.annotations.Nullable;

/** Knows whether a password is right. It may block. */
@FunctionalInterface
public interface PasswordCheck {
  /**
   * Returns the user of this name, or null if there is none or the password is wrong.
   *
   * @param password as the client has sent it. To compare it with a secret, use {@link
   *     Authentication#isSame}; what is stored should be a slow hash
   * @throws Exception to answer with 500 and one error line in the log; its text should not contain
   *     the password
   */
  @Nullable User userOf(String name, String password) throws Exception;
}
