package dev.windhover.testing;

import dev.windhover.http.Headers;
import java.nio.charset.StandardCharsets;

/**
 * The response to a {@link TestRequest}.
 *
 * @param status 101 for a socket
 * @param headers as the host would write them
 * @param body its bytes, which belong to the caller
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares responses
public record TestResponse(int status, Headers headers, byte[] body) {
  /** Returns the body as UTF-8 text. */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return status + " " + headers + " " + text();
  }
}
