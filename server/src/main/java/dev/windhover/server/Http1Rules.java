package dev.windhover.server;

import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import org.jspecify.annotations.Nullable;

/** What RFC 9112 asks of a request's head beside what Netty's decoder enforces. */
final class Http1Rules {
  /** What is wrong with a request; the connection is closed with the answer. */
  record Fault(int status, String text) {}

  private Http1Rules() {}

  /** Returns what is wrong, or null. */
  static @Nullable Fault check(HttpRequest request, ServerLimits limits) {
    int fields = request.headers().size();
    if (fields > limits.maxHeaderCount()) {
      return new Fault(431, fields + " headers are more than " + limits.maxHeaderCount() + "\n");
    }
    HttpVersion version = request.protocolVersion();
    if (!version.protocolName().equals("HTTP")) {
      return new Fault(400, "malformed request\n");
    }
    if (version.majorVersion() != 1) {
      return new Fault(505, version + " is not supported\n");
    }
    // 3.2
    boolean http10 = version.minorVersion() == 0;
    int hosts = request.headers().getAll("Host").size();
    if (hosts > 1 || (hosts == 0 && !http10)) {
      return new Fault(400, hosts == 0 ? "Host is missing\n" : "Host comes more than once\n");
    }
    return null;
  }
}
