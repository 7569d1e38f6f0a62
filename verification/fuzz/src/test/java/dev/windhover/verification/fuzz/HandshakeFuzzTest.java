package dev.windhover.verification.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.websocket.WebSockets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Any headers as an opening handshake: each is answered once, and the socket opens only if the
 * request is one of RFC 6455 4.2.1 or RFC 8441.
 */
class HandshakeFuzzTest {
  private static final List<String> METHODS = List.of("GET", "GET", "GET", "CONNECT", "POST");
  private static final ExchangeHandler APPLICATION = application();

  @FuzzTest
  void fuzz(byte[] bytes) throws NoSuchAlgorithmException {
    Input input = new Input(bytes);
    int choice = input.choice();
    String method = METHODS.get(choice % METHODS.size());
    HttpVersion version =
        method.equals("CONNECT")
            ? HttpVersion.HTTP_2
            : choice >= 250 ? HttpVersion.HTTP_1_0 : HttpVersion.HTTP_1_1;
    Headers headers = headers(new String(input.rest(), ISO_8859_1));
    MemoryHost host = new MemoryHost(method, version, headers);
    host.handledBy(APPLICATION);
    assertThat(host.isAnswered()).as("answered").isTrue();
    if (!host.isUpgraded()) {
      assertThat(host.status()).isIn(400, 403, 426);
      assertThat(host.status() != 426 || "13".equals(host.answer().get("Sec-WebSocket-Version")))
          .isTrue();
      return;
    }
    assertThat(headers.all("Sec-WebSocket-Version").toString()).contains("13");
    String offered = headers.all("Sec-WebSocket-Protocol").toString();
    assertThat(offered).contains(String.valueOf(or(host.answer().get("Sec-WebSocket-Protocol"))));
    String origin = or(headers.get("Origin")).toLowerCase(Locale.ROOT);
    assertThat(origin).matches("|http://(a.test|\\[::1\\])(:80)?");
    if (version == HttpVersion.HTTP_2) {
      assertThat(host.status()).isEqualTo(200);
      assertThat(host.answer().contains("Sec-WebSocket-Accept")).isFalse();
    } else {
      assertThat(host.status()).isEqualTo(101);
      assertThat(version).isEqualTo(HttpVersion.HTTP_1_1);
      assertThat(method).isEqualTo("GET");
      assertThat(headers.all("Upgrade").toString()).containsIgnoringCase("websocket");
      assertThat(headers.all("Connection").toString()).containsIgnoringCase("upgrade");
      assertThat(headers.all("Sec-WebSocket-Key")).hasSize(1);
      String key = headers.all("Sec-WebSocket-Key").getFirst().strip();
      assertThat(Base64.getDecoder().decode(key)).hasSize(16);
      byte[] accept =
          MessageDigest.getInstance("SHA-1")
              .digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(ISO_8859_1));
      assertThat(host.answer().get("Sec-WebSocket-Accept"))
          .isEqualTo(Base64.getEncoder().encodeToString(accept));
    }
    host.lose("over");
    host.letTimePass();
  }

  private static String or(@Nullable String value) {
    return value == null ? "" : value;
  }

  /** Reads lines; those that no host would hand over are left out. */
  private static Headers headers(String text) {
    Headers headers = new Headers();
    for (String line : text.split("\n", 100)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        try {
          headers.add(line.substring(0, colon), line.substring(colon + 1).strip());
        } catch (IllegalArgumentException e) {
          // left out
        }
      }
    }
    return headers;
  }

  private static ExchangeHandler application() {
    Application app = new Application();
    app.use(WebSockets.with(o -> o.allowedOrigins("http://a.test", "http://[::1]")));
    app.map(
        "/",
        Handler.nonBlocking(context -> {
          context.webSockets().requireWebSocketRequest();
          WebSocket _ =
              context
                  .webSockets()
                  .accept(
                      new WebSocketAcceptContext()
                          .dangerousEnableCompression(true)
                          .subprotocolSelector(
                              offered -> offered.isEmpty() ? null : offered.getLast()),
                      new WebSocketListener() {});
        }));
    return app.build();
  }
}
