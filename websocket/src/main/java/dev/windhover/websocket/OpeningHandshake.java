package dev.windhover.websocket;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Tokens;
import dev.windhover.http.host.Upgrade;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.protocol.OpeningKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Validates opening handshakes (RFC 6455 4.2.1, RFC 8441 5) and creates the headers of the response
 * (4.2.2).
 */
final class OpeningHandshake {
  static final String VERSION = "Sec-WebSocket-Version";
  static final String KEY = "Sec-WebSocket-Key";
  static final String PROTOCOL = "Sec-WebSocket-Protocol";
  static final String EXTENSIONS = "Sec-WebSocket-Extensions";
  private static final String SUPPORTED_VERSION = "13";

  /**
   * What is wrong with a request that is not a valid handshake.
   *
   * @param status 400 or 426
   * @param cause the fact, in lower case, for the body, the log and the event
   * @param almost whether the client meant to open a WebSocket
   * @param version whether the version is the fault
   */
  record Fault(int status, String cause, boolean almost, boolean version, boolean http2) {
    HttpException toException() {
      return new HttpException(status, cause, headers());
    }

    HandshakeRefusal refusal() {
      return version ? HandshakeRefusal.UNSUPPORTED_VERSION : HandshakeRefusal.NOT_A_HANDSHAKE;
    }

    /** The headers that tell the client what would be accepted (RFC 6455 4.4, RFC 9110 15.5.22). */
    private Headers headers() {
      Headers headers = new Headers();
      if (version) {
        headers.add(VERSION, SUPPORTED_VERSION);
        if (!http2) {
          headers.add("Connection", "Upgrade").add("Upgrade", "websocket");
        }
      }
      return headers;
    }
  }

  private OpeningHandshake() {}

  /** Returns the fault of the request as a handshake, or null. */
  static @Nullable Fault check(HttpContext context) {
    HttpRequest request = context.request();
    Upgrade upgrade = HostContext.of(context).upgrade();
    return upgrade != null && upgrade.isExtendedConnect()
        ? checkConnect(request)
        : checkUpgrade(request, upgrade != null);
  }

  /** Checks in ASP.NET Core's order and reports the first fault. */
  private static @Nullable Fault checkUpgrade(HttpRequest request, boolean upgradable) {
    Headers headers = request.headers();
    boolean upgradeAsked = headers.hasToken("Upgrade", "websocket");
    boolean almost = upgradeAsked || headers.contains(KEY) || headers.contains(VERSION);
    if (!almost) {
      return fault("not a WebSocket request: it has no Upgrade: websocket", false);
    }
    if (request.version() == HttpVersion.HTTP_1_0) {
      return fault("a WebSocket needs HTTP/1.1 or later", true);
    }
    if (!request.method().equals("GET")) {
      return fault("a WebSocket is opened with GET, not " + request.method(), true);
    }
    if (!headers.list(VERSION).contains(SUPPORTED_VERSION)) {
      String sent = String.join(", ", headers.all(VERSION));
      String cause =
          sent.isEmpty()
              ? "Sec-WebSocket-Version is missing; 13 is supported"
              : "Sec-WebSocket-Version " + sent + " is not supported; 13 is";
      return new Fault(426, cause, true, true, false);
    }
    if (!upgradeAsked) {
      return fault("Upgrade: websocket is missing", true);
    }
    if (!headers.hasToken("Connection", "Upgrade")) {
      return fault("Connection: Upgrade is missing", true);
    }
    List<String> keys = headers.all(KEY);
    if (keys.isEmpty()) {
      return fault("Sec-WebSocket-Key is missing", true);
    }
    if (keys.size() > 1) {
      return fault("Sec-WebSocket-Key comes more than once", true);
    }
    if (!OpeningKey.isValid(keys.getFirst())) {
      return fault("Sec-WebSocket-Key is not the base64 of 16 bytes", true);
    }
    if (!upgradable) {
      return fault("a WebSocket request has no body", true);
    }
    return null;
  }

  /** HTTP/2: the upgrade headers and the key are neither required nor checked (RFC 8441 5). */
  private static @Nullable Fault checkConnect(HttpRequest request) {
    if (!request.headers().list(VERSION).contains(SUPPORTED_VERSION)) {
      return new Fault(400, "sec-websocket-version is not 13", true, true, true);
    }
    return null;
  }

  private static Fault fault(String cause, boolean almost) {
    return new Fault(400, cause, almost, false, false);
  }

  /**
   * Returns the headers of the response.
   *
   * @throws IllegalArgumentException if {@code subprotocol} was not offered
   * @throws HttpException if it was offered but is not a token
   */
  static Headers accept(HttpContext context, @Nullable String subprotocol) {
    Headers answer = new Headers();
    Headers asked = context.request().headers();
    Upgrade upgrade = HostContext.of(context).upgrade();
    if (upgrade != null && !upgrade.isExtendedConnect()) {
      String key = asked.get(KEY);
      answer.add("Upgrade", "websocket").add("Connection", "Upgrade");
      answer.add("Sec-WebSocket-Accept", OpeningKey.accept(key == null ? "" : key.strip()));
    }
    if (subprotocol != null) {
      List<String> offered = asked.list(PROTOCOL);
      if (!offered.contains(subprotocol)) {
        throw new IllegalArgumentException(
            "subprotocol \"" + subprotocol + "\" is not among the client's " + offered);
      }
      if (!Tokens.isToken(subprotocol)) { // the client's fault, because it was offered
        throw new HttpException(400, "subprotocol \"" + subprotocol + "\" is not a token");
      }
      answer.add(PROTOCOL, subprotocol);
    }
    return answer;
  }
}
