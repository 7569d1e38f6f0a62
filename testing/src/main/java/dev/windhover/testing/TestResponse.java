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

  /**
   * Returns this, if the body is this text.
   *
   * @throws AssertionError if it is another text
   */
  public TestResponse expectText(String text) {
    if (!text().equals(text)) {
      throw new AssertionError("expected \"" + text + "\"\n but got " + this);
    }
    return this;
  }

  /**
   * Returns this, if the body means the same as this JSON: white space, the order of members, and
   * the spelling of strings and numbers do not matter.
   *
   * @throws AssertionError if it does not; its text names the place where they differ
   * @throws IllegalArgumentException if {@code json} is not JSON (RFC 8259)
   */
  public TestResponse expectJson(String json) {
    String difference = Json.difference(Json.expected(json), text());
    if (difference != null) {
      throw new AssertionError("expected JSON " + json + "\n but got " + this + "\n" + difference);
    }
    return this;
  }

  @Override
  public String toString() {
    return status + " " + headers + " " + text();
  }
}
