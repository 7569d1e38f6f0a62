package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.User;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Wire;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who is asking, over connections; and what the log says of their credentials, which is nothing.
 */
class AuthenticationTest {
  private static final String SECRET = "s3cr3t-token";

  private final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");

  @BeforeEach
  void start() throws Exception {
    app.useHttpLogging();
    app.refuseAmbiguousPaths();
    app.useWebSockets(o -> o.allowedOrigins("*"));
    app.useAuthentication(o ->
        o.bearer(Map.of(SECRET, User.of("ann"))::get)
            .bearerInQuery()
            .bearerInSubprotocol("bearer."));
    app.mapGroup(
        "/live",
        live ->
            live.requireUser()
                .mapWebSocket(
                    "/chat",
                    new WebSocketAcceptContext()
                        .subprotocolSelector(
                            offered -> offered.isEmpty() ? null : offered.getFirst()),
                    (context, socket) -> {
                      socket.sendText("hello " + context.requireUser().name());
                      socket.receiveMessage();
                    })
                .mapGet(
                    "/fails",
                    context -> {
                      throw new IllegalStateException("on purpose");
                    }));
    app.start();
  }

  @AfterEach
  void stop() {
    app.stop();
  }

  private int port() {
    return Ports.of(app);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/live/chat", "/live/chat?access_token=wrong"})
  void aSocketWithoutAUserIsRefusedBeforeTheUpgrade(String target) throws Exception {
    try (Wire wire = Wire.connect(port());
        Http2Wire http2 = Http2Wire.connect(port())) {
      wire.send(Wire.handshake(target));
      var refused = wire.response();
      assertThat(refused.status()).isEqualTo(401);
      assertThat(refused.header("WWW-Authenticate"))
          .isEqualTo(
              "Bearer realm=\"application\""
                  + (target.endsWith("wrong") ? ", error=\"invalid_token\"" : ""));
      assertThat(http2.connectWebSocket(target).status()).isEqualTo(401);
    }
  }

  /** Every line of every level is looked at, and so is what is thrown. */
  @Test
  void noLineOfTheLogHoldsAToken() throws Exception {
    String target = "/live/chat?access_token=" + SECRET;
    try (Logs.Recording log = Logs.record(line -> true)) {
      for (boolean http2 : new boolean[] {false, true}) {
        try (Peer peer =
            http2 ? Http2Wire.connect(port()).open(target) : Wire.connect(port()).upgrade(target)) {
          assertThat(peer.frame()).isEqualTo(Frame.text("hello ann"));
          peer.send(Frame.close(1000, ""));
          assertThat(peer.frame()).isEqualTo(Frame.close(1000, ""));
        }
      }
      for (String request :
          new String[] {
            Wire.handshake("/live/chat", "Sec-WebSocket-Protocol: chat, bearer." + SECRET),
            Wire.handshake("/live/chat", "Authorization: Bearer " + SECRET, "Origin: http://a.b"),
            Wire.handshake("/live/./chat?access_token=" + SECRET),
            Wire.handshake("/nowhere?access_token=" + SECRET),
            Wire.handshake("/live/chat?access_token=" + SECRET + "%"),
            Wire.handshake(target).replace("Version: 13", "Version: 12"),
            get("/live/fails", "Authorization: Bearer " + SECRET),
            get("/live/fails?access_token=" + SECRET, "Accept: text/event-stream"),
            get(target + "\u0001", ""),
            get(target + " x", ""),
          }) {
        try (Wire wire = Wire.connect(port())) {
          wire.send(request);
          wire.response();
        }
      }
      app.stop();
      assertThat(log.lines())
          .anyMatch(line ->
              line.text().contains("on purpose")
                  || line.failure() instanceof IllegalStateException);
      assertThat(log.lines()).anyMatch(line -> line.logger().equals("dev.windhover.http.access"));
      assertThat(log.lines()).noneMatch(line -> (line.text() + line.failure()).contains(SECRET));
    }
  }

  private static String get(String target, String header) {
    return "GET "
        + target
        + " HTTP/1.1\r\nHost: localhost\r\n"
        + (header.isEmpty() ? "" : header + "\r\n")
        + "\r\n";
  }
}
