package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What happens to a request that has become a socket. */
@ExtendWith(StrictLogs.class)
class UpgradedRequestTest {
  private static final WebSocketListener ECHO =
      new WebSocketListener() {
        @Override
        public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload)
            throws Exception {
          socket.send(payload, type, true);
        }
      };

  @Test
  @Timeout(30)
  void aListenersSocketDoesNotKeepItsRequest() throws Exception {
    BlockingQueue<WeakReference<HttpContext>> requests = new LinkedBlockingQueue<>();
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map(
        "/",
        Handler.nonBlocking(context -> {
          WebSocket _ = context.webSockets().accept(ECHO);
          requests.add(new WeakReference<>(context));
        }));
    app.start();
    try (Wire client = Wire.open(URI.create(app.urls().getFirst()).getPort(), "/")) {
      WeakReference<HttpContext> request = requests.poll(10, TimeUnit.SECONDS);
      assertThat(request).isNotNull();
      client.send(Frame.text("one"));
      assertThat(client.frame()).isEqualTo(Frame.text("one"));
      while (!request.refersTo(null)) {
        System.gc();
      }
      client.send(Frame.text("two"));
      assertThat(client.frame()).isEqualTo(Frame.text("two"));
    } finally {
      app.stop();
    }
  }
}
