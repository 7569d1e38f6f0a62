package dev.windhover.testing;

import dev.windhover.http.Headers;
import java.nio.charset.StandardCharsets;

/** The response to a {@link TestRequest}. */
public final class TestResponse {
  private final int status;
  private final Headers headers;
  private final byte[] body;

  TestResponse(int status, Headers headers, byte[] body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** Returns the status, 101 for a socket. */
  public int status() {
    return status;
  }

  /** Returns the headers as the host would write them. */
  public Headers headers() {
    return headers;
  }

  /** Returns the bytes of the body, which belong to the caller. */
  public byte[] body() {
    return body;
  }

  /** Returns the body as UTF-8 text. */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return status + " " + headers + " " + text();
  }
}
