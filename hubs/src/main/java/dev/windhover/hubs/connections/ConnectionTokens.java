package dev.windhover.hubs.connections;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes ids and tokens: 16 bytes in base64url without padding, which clients put into URLs as they
 * are. A token is 12 random bytes and a mark by which this process knows that it made it, however
 * long ago. Any thread.
 */
final class ConnectionTokens {
  private static final int BYTES = 16;
  private static final int MARK_BYTES = 4;
  private static final String ALGORITHM = "HmacSHA256";

  private final SecureRandom random = new SecureRandom();
  private final SecretKeySpec key;

  ConnectionTokens() {
    byte[] secret = new byte[32];
    random.nextBytes(secret);
    key = new SecretKeySpec(secret, ALGORITHM);
  }

  /** Returns an id that tells nothing. */
  String newId() {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    return encode(bytes);
  }

  /** Returns a token that nobody can guess. */
  String newToken() {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    System.arraycopy(mark(bytes), 0, bytes, BYTES - MARK_BYTES, MARK_BYTES);
    return encode(bytes);
  }

  /** Returns whether {@link #newToken} may have made it: an error is one in four billion. */
  boolean isOurs(String token) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(token);
      return bytes.length == BYTES
          && Arrays.equals(bytes, BYTES - MARK_BYTES, BYTES, mark(bytes), 0, MARK_BYTES);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private byte[] mark(byte[] bytes) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(bytes, 0, BYTES - MARK_BYTES);
      return mac.doFinal();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java platform has it", e);
    }
  }

  private static String encode(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
