package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.SubprotocolSelector;
import dev.windhover.websocket.WebSockets;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every cause of a refused handshake is told as the constant that names it. */
class RefusalTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  @Test
  void aMissingKey() {
    assertRefused(HandshakeRefusal.NOT_A_HANDSHAKE, r -> r.without("Sec-WebSocket-Key"));
  }

  @Test
  void anotherVersion() {
    assertRefused(
        HandshakeRefusal.UNSUPPORTED_VERSION, r -> r.header("Sec-WebSocket-Version", "8"));
  }

  @Test
  void anotherVersionOverHttp2() {
    assertRefused(
        HandshakeRefusal.UNSUPPORTED_VERSION, r -> r.http2().header("Sec-WebSocket-Version", "8"));
  }

  @Test
  void aForeignOrigin() {
    Application application = new Application();
    application.use(WebSockets.with(options -> options.allowedOrigins("https://ours.com")));
    application.events(server.recorder()).mapWebSocket("/", socket -> {});
    server.start(application).webSocket("/").header("Origin", "https://evil.org").send();
    assertThat(server.recorder().refusals()).containsExactly(HandshakeRefusal.ORIGIN_NOT_ALLOWED);
  }

  @Test
  void noCommonSubprotocol() {
    server.settings(settings ->
        settings.subprotocolSelector(SubprotocolSelector.serverPreference("chat").orRefuse()));
    assertRefused(
        HandshakeRefusal.SUBPROTOCOL, r -> r.header("Sec-WebSocket-Protocol", "superchat"));
  }

  @Test
  void noRoute() {
    server.start(context -> {}).webSocket("/nowhere").send();
    assertThat(server.recorder().refusals()).containsExactly(HandshakeRefusal.NO_ROUTE);
  }

  @Test
  void anAnswerOfTheApplicationsOwn() {
    server.start(context -> context.response().status(204)).webSocket("/").send();
    assertThat(server.recorder().refusals()).containsExactly(HandshakeRefusal.NOT_ACCEPTED);
  }

  @Test
  void aStop() {
    TestHost host = server.startMapped(socket -> {});
    host.application().beginStop();
    host.webSocket("/").send();
    assertThat(server.recorder().refusals()).containsExactly(HandshakeRefusal.STOPPING);
  }

  private void assertRefused(HandshakeRefusal cause, UnaryOperator<TestRequest> change) {
    change.apply(server.startMapped(socket -> {}).webSocket("/")).send();
    assertThat(server.recorder().refusals()).containsExactly(cause);
  }
}
