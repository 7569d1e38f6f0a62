package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Code that holds an event loop hurts as few others as possible, and is named. */
@ExtendWith(StrictLogs.class)
class HeldLoopTest {
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch gate = new CountDownLatch(1);

  private void hold() throws InterruptedException {
    begun.countDown();
    gate.await();
  }

  @Test
  void newConnectionsAreNotGivenToAHeldLoop() throws Exception {
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> options.loops(2));
    app.map("/held", Handler.nonBlocking(context -> hold()));
    app.mapGet("/", context -> context.response().write("hello"));
    app.start();
    try (Wire holding = Wire.connect(Ports.of(app))) {
      holding.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
      begun.await();
      for (int i = 0; i < 20; i++) { // half of them would be its
        try (Wire wire = Wire.connect(Ports.of(app))) {
          wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
          assertThat(wire.response().body()).isEqualTo("hello");
        }
      }
      gate.countDown();
      assertThat(holding.response().status()).isEqualTo(200);
    } finally {
      gate.countDown();
      app.stop();
    }
  }

  @Test
  void listenerThatHoldsItsLoopIsNamedInTheLog() throws Exception {
    WebSocketListener listener =
        new WebSocketListener() {
          @Override
          public void onText(WebSocket socket, String text) throws Exception {
            hold();
            socket.sendText(text);
          }
        };
    BlockingQueue<Logs.Line> named = new LinkedBlockingQueue<>();
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> options.heldLoopThreshold(Duration.ofMillis(60)));
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map("/held", Handler.nonBlocking(context -> context.webSockets().accept(listener)));
    app.start();
    try (Wire wire = Wire.open(Ports.of(app), "/held");
        Logs.Recording _ =
            Logs.record(
                line -> line.text().startsWith("an event loop was held") && named.add(line))) {
      wire.send(Frame.text("hold"));
      Logs.Line line = named.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
      assertThat(line).isNotNull();
      assertThat(line.text())
          .isEqualTo(
              "an event loop was held for more than 60 ms by "
                  + listener.getClass().getName()
                  + ".onText");
      assertThat(line.failure()).hasStackTraceContaining("HeldLoopTest.hold");
      gate.countDown();
      assertThat(wire.frame()).isEqualTo(Frame.text("hold"));
    } finally {
      gate.countDown();
      app.stop();
    }
  }
}
