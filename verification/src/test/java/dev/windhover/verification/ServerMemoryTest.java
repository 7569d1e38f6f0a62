package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.server.Server;
import dev.windhover.server.ServerOptions;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The memory budget of a real server: who goes at the limit, and that nothing is left of it. */
@ExtendWith(StrictLogs.class)
class ServerMemoryTest {
  private static final String USED_UP = "is used up: the connections that hold the most";
  private static final int LENGTH = 100_000;
  private static final int MANY_MIB = 32 << 20;

  private static final class Started implements AutoCloseable {
    final List<String> limits = new CopyOnWriteArrayList<>();
    final CountDownLatch read = new CountDownLatch(1);
    final Server server;
    final int port;

    Started(Consumer<ServerOptions> change) throws IOException {
      Application application = new Application();
      application.events(
          new Events() {
            @Override
            public void limitReached(HttpContext context, Limit limit) {
              limits.add(context.request().path() + " " + limit);
            }

            @Override
            public void connectionDropped(SocketAddress remote, Limit limit) {
              limits.add("connection " + limit);
            }
          });
      application.use(WebSockets.with(options -> options.allowedOrigins("*")));
      application.mapPost(
          "/upload",
          context -> {
            read.await();
            int bytes = context.request().body().readAllBytes().length;
            context.response().write("got " + bytes);
          });
      application.mapGet(
          "/large", // on the loop, which cannot wait for room
          Handler.nonBlocking(context -> context.response().write("x".repeat(MANY_MIB))));
      application.map(
          "/echo", Handler.nonBlocking(context -> context.webSockets().accept(new Echo())));
      ServerOptions options = new ServerOptions().urls("http://127.0.0.1:0").loops(2);
      change.accept(options);
      server = new Server(options, application.build()).start();
      port = URI.create(server.urls().getFirst()).getPort();
    }

    /** Waits until somebody has had to go. */
    void awaitLimit() {
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
      while (limits.isEmpty()) {
        assertThat(System.nanoTime() - end).as("wait for the limit").isNegative();
        Thread.onSpinWait();
      }
    }

    /** Waits until nothing is counted any more. */
    void awaitNothingHeld() throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
      while (server.memory().used() + server.memory().directUsed() > 0) {
        assertThat(System.nanoTime() - end)
            .as(
                "%d bytes of memory and %d of direct memory are still counted",
                server.memory().used(), server.memory().directUsed())
            .isNegative();
        Thread.onSpinWait();
      }
    }

    @Override
    public void close() {
      server.stop();
    }
  }

  private static final class Echo implements WebSocketListener {
    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      socket.send(payload, type, true);
    }
  }

  private static Logs.Recording usedUp() {
    return Logs.record(line -> line.text().contains(USED_UP));
  }

  private static Wire upload(int port, int first) throws IOException {
    Wire wire = Wire.connect(port);
    wire.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: " + LENGTH + "\r\n\r\n");
    wire.send(new byte[first]);
    return wire;
  }

  @Test
  void aRequestWhoseBodyIsHeldIsAnsweredWith503() throws Exception {
    try (Logs.Recording _ = usedUp();
        Started app = new Started(options -> options.limits().memory(200_000))) {
      Wire small = upload(app.port, 30_000);
      List<Wire> large = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        large.add(upload(app.port, 60_000));
      }
      app.awaitLimit();
      app.read.countDown();
      small.send(new byte[LENGTH - 30_000]);
      assertThat(small.response().body()).isEqualTo("got " + LENGTH);
      int refused = 0;
      for (Wire each : large) {
        if (each.isQuietFor(100)) { // else it is answered, and soon closed
          each.send(new byte[LENGTH - 60_000]);
        }
        Response response = each.response();
        if (response.status() == 503) {
          assertThat(response.body()).isEqualTo("the server has no memory left for this request\n");
          assertThat(response.header("Retry-After")).isEqualTo("5");
          refused++;
        } else {
          assertThat(response.body()).isEqualTo("got " + LENGTH);
        }
        each.close();
      }
      assertThat(refused).isBetween(1, 2); // the rest of the others may be too much, too
      assertThat(app.limits).hasSize(refused).containsOnly("/upload memory");
      small.close();
      app.awaitNothingHeld();
    }
  }

  /** Waits until that much was counted, so that all have come. */
  private static void awaitAtLeast(Started app, long bytes) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
    while (app.server.memory().used() < bytes && System.nanoTime() - end < 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void theSameOverHttp2() throws Exception {
    try (Logs.Recording _ = usedUp();
        Started app = new Started(options -> options.limits().memory(160_000));
        Http2Wire wire = Http2Wire.connect(app.port)) {
      List<Http2Wire.Stream> all = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Http2Wire.Stream stream = wire.request(false, Http2Wire.head("POST", "/upload"));
        stream.data(false, new byte[60_000]);
        all.add(stream);
      }
      app.awaitLimit();
      app.read.countDown();
      List<Integer> statuses = new ArrayList<>();
      for (Http2Wire.Stream each : all) {
        try {
          each.data(true);
        } catch (SocketException e) {
          // it was answered, and reset
        }
        statuses.add(each.status());
      }
      assertThat(statuses).contains(200, 503);
      app.awaitNothingHeld();
    }
  }

  @Test
  void aResponseThatNobodyReadsIsDropped() throws Exception {
    try (Logs.Recording _ = usedUp();
        Started app = new Started(options -> options.limits().directMemory(16 << 20));
        Wire other = Wire.connect(app.port);
        Wire wire =
            Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), app.port), 4096)) {
      wire.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
      app.awaitLimit();
      byte[] bytes = new byte[16 * 1024];
      long read = 0;
      try {
        for (int n; (n = wire.receive(bytes)) >= 0; ) {
          read += n;
        }
      } catch (SocketException e) {
        // "Connection reset"
      }
      assertThat(read).isLessThan(MANY_MIB);
      assertThat(app.limits).containsExactly("connection memory");
      other.upgrade("/echo");
      other.send(Frame.text("still here"));
      assertThat(other.frame()).isEqualTo(Frame.text("still here"));
      other.abort();
      app.awaitNothingHeld();
    }
  }

  @Test
  void nothingIsCountedWhenAllHaveEnded() throws Exception {
    try (Started app = new Started(options -> {})) {
      List<Wire> sockets = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        Wire wire = Wire.open(app.port, "/echo");
        sockets.add(wire);
        wire.send(Frame.binary(new byte[50_000]));
        assertThat(wire.frame()).isEqualTo(Frame.binary(new byte[50_000]));
        byte[] frame = Frame.binary(new byte[50_000]).masked();
        wire.send(ByteBuffer.wrap(frame, 0, 40_000)); // and no more
      }
      Http2Wire multiplexed = Http2Wire.connect(app.port, 0);
      Http2Wire.Stream stream = multiplexed.open("/echo");
      stream.send(Frame.binary(new byte[50_000]).masked()); // whose echo has no window
      Wire upload = upload(app.port, 50_000);
      awaitAtLeast(app, 450_000);
      assertThat(app.server.memory().used()).isGreaterThanOrEqualTo(450_000);
      for (Wire each : sockets) {
        each.close();
      }
      multiplexed.close();
      upload.abort();
      app.awaitNothingHeld();
    }
  }
}
