package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.websocket.WebSockets;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Settings of a single socket that differ from those of the middleware. */
class AcceptSettingsTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static final class Quiet implements WebSocketListener {
    private final List<String> calls = new ArrayList<>();

    @Override
    public void onWritable(WebSocket socket) {
      calls.add("writable");
    }
  }

  @Test
  void aSendMarkTellsSendersEarlier() throws Exception {
    server.settings(settings -> settings.sendMark(1000));
    Quiet listener = new Quiet();
    TestFrames client = server.listen(listener);
    client.stopTaking();
    List<Boolean> hadRoom = new ArrayList<>();
    server.onLoop(() -> {
      for (int i = 0; i < 20; i++) { // beyond the mark, it is told and not refused
        hadRoom.add(server.socket().send(ByteBuffer.allocate(100), MessageType.BINARY, true));
      }
    });
    assertThat(hadRoom.subList(0, 9)).doesNotContain(false);
    assertThat(hadRoom.subList(10, 20)).doesNotContain(true);
    server.host().awaitIdle();
    assertThat(listener.calls).isEmpty();
    client.takeAll();
    server.host().awaitIdle();
    assertThat(listener.calls).containsExactly("writable");
    for (int i = 0; i < 20; i++) {
      assertThat(client.receiveBinary()).hasSize(100);
    }
    client.close();
  }

  @Test
  void aCloseTimeoutOfItsOwnEndsTheWait() throws Exception {
    server.settings(settings -> settings.closeTimeout(Duration.ofSeconds(1)));
    TestFrames client = server.listen(new Quiet());
    server.socket().close(1000, "");
    client.receiveClose();
    server.host().clock().advance(Duration.ofSeconds(1));
    client.expectReset();
  }

  @Test
  void aSocketThatTheStopDoesNotCloseIsWaitedFor() {
    CompletableFuture<WebSocket> accepted = new CompletableFuture<>();
    Application application =
        new Application().use(WebSockets.with(options -> options.allowedOrigins("*")));
    application.map(
        "/",
        context ->
            accepted.complete(
                context
                    .webSockets()
                    .accept(new WebSocketAcceptContext().closesOnStop(false), new Quiet())));
    try (TestHost host = TestHost.start(application)) {
      TestFrames client = host.webSocket("/").connect().frames();
      CompletableFuture<Void> stopped = application.beginStop();
      host.awaitIdle();
      client.expectNothing();
      assertThat(stopped).isNotDone();
      accepted.join().abort();
      client.expectReset();
      assertThat(stopped).succeedsWithin(Duration.ofSeconds(10));
    }
  }

  @Test
  void aCopyHasTheSameSettings() {
    WebSocketAcceptContext copy =
        new WebSocketAcceptContext(
            new WebSocketAcceptContext()
                .subprotocol("a")
                .keepAliveInterval(Duration.ofSeconds(1))
                .keepAliveTimeout(Duration.ofSeconds(2))
                .closeTimeout(Duration.ofSeconds(3))
                .maxMessageSize(4)
                .sendMark(5)
                .closesOnStop(false)
                .dangerousEnableCompression(true)
                .disableServerContextTakeover(true)
                .disableClientContextTakeover(true)
                .serverMaxWindowBits(9)
                .clientMaxWindowBits(10)
                .compressionLevel(1)
                .compressionThreshold(6));
    assertThat(copy)
        .extracting(
            WebSocketAcceptContext::keepAliveInterval,
            WebSocketAcceptContext::keepAliveTimeout,
            WebSocketAcceptContext::closeTimeout,
            WebSocketAcceptContext::maxMessageSize,
            WebSocketAcceptContext::sendMark,
            WebSocketAcceptContext::closesOnStop,
            WebSocketAcceptContext::dangerousEnableCompression,
            WebSocketAcceptContext::disableServerContextTakeover,
            WebSocketAcceptContext::disableClientContextTakeover,
            WebSocketAcceptContext::serverMaxWindowBits,
            WebSocketAcceptContext::clientMaxWindowBits,
            WebSocketAcceptContext::compressionLevel,
            WebSocketAcceptContext::compressionThreshold)
        .containsExactly(
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(3),
            4L,
            5,
            false,
            true,
            true,
            true,
            9,
            10,
            1,
            6);
    assertThat(copy.subprotocolSelector()).isNotNull();
  }
}
