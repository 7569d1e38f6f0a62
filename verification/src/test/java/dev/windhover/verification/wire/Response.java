package dev.windhover.verification.wire;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An HTTP/1.1 response as it came. */
@SuppressWarnings("ArrayRecordComponent") // nobody compares responses
public record Response(int status, List<String> headers, byte[] bytes) {
  /** Returns the body as UTF-8. */
  public String body() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Returns the value of the only header of this name, or null. */
  public @Nullable String header(String name) {
    List<String> all = all(name);
    if (all.size() > 1) {
      throw new AssertionError("several headers " + name + " in " + this);
    }
    return all.isEmpty() ? null : all.getFirst();
  }

  /** Returns all values of the headers of this name. */
  public List<String> all(String name) {
    String start = name.toLowerCase(java.util.Locale.ROOT) + ": ";
    return headers.stream()
        .filter(header -> header.toLowerCase(java.util.Locale.ROOT).startsWith(start))
        .map(header -> header.substring(start.length()))
        .toList();
  }

  /** Requires the answer to {@link Wire#handshake}: its four parts and no more than allowed. */
  public void expectUpgrade() {
    boolean right =
        status == 101
            && "websocket".equals(header("Upgrade"))
            && "Upgrade".equals(header("Connection"))
            && Wire.ACCEPT.equals(header("Sec-WebSocket-Accept"))
            && header("Content-Length") == null
            && header("Transfer-Encoding") == null;
    if (!right) {
      throw new AssertionError("not the answer to an opening handshake: " + this);
    }
  }

  @Override
  public String toString() {
    return status + " " + headers + " " + body();
  }
}
