package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Groups over a real network: what the system holds counts, too. */
@ExtendWith(StrictLogs.class)
class GroupsTest {
  private static final int TICK_BYTES = 16 * 1024;
  private static final int MOST_OLD_BYTES = 128 * 1024;
  private static final int RECEIVE_BUFFER = 16 * 1024;

  private final Group viewers = new Group();

  private WebApplication start(WhenFull whenFull, CompletableFuture<WebSocket> joined)
      throws IOException {
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.useWebSockets(o -> o.allowedOrigins("*"));
    app.mapWebSocket(
        "/",
        socket -> {
          viewers.join(socket, whenFull);
          joined.complete(socket);
          while (socket.receiveMessage() != null) {
            // viewers have nothing to say
          }
        });
    return app.start();
  }

  private static Wire connect(WebApplication app) throws Exception {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app));
    return Wire.connect(address, RECEIVE_BUFFER).upgrade("/");
  }

  private static PreparedMessage tick(long content) {
    return PreparedMessage.of(
        ByteBuffer.allocate(TICK_BYTES).putLong(0, content), MessageType.BINARY);
  }

  private static long content(Frame frame) {
    assertThat(frame.payload()).hasSize(TICK_BYTES);
    return ByteBuffer.wrap(frame.payload()).getLong();
  }

  /** Ticks until one after the other replaces its predecessor; then the viewer reads. */
  @Test
  void aSlowViewerGetsAtMost128KiBOfOldTicks() throws Exception {
    var joined = new CompletableFuture<WebSocket>();
    WebApplication app = start(WhenFull.KEEP_LATEST, joined);
    try (Wire viewer = connect(app)) {
      WebSocket socket = joined.get();
      long last = 0;
      while (socket.droppedMessages() < 50) {
        viewers.send(tick(++last));
        LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
      }
      viewers.send(tick(++last));
      List<Long> received = new ArrayList<>();
      do {
        received.add(content(viewer.frame()));
      } while (received.getLast() != last);
      assertThat((received.size() - 1) * TICK_BYTES).isLessThanOrEqualTo(MOST_OLD_BYTES);
      assertThat(received).isSorted();
    } finally {
      app.stop();
    }
  }

  /** 20 ticks a second; the viewer pauses for 20 s. */
  @Test
  @Tag("full")
  void aViewerThatPausesSeesTheLatestTick() throws Exception {
    var joined = new CompletableFuture<WebSocket>();
    WebApplication app = start(WhenFull.KEEP_LATEST, joined);
    var over = new AtomicBoolean();
    Thread ticker =
        Thread.startVirtualThread(() -> {
          while (!over.get()) {
            viewers.send(tick(System.nanoTime()));
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
          }
        });
    try (Wire viewer = connect(app)) {
      joined.get();
      LockSupport.parkNanos(Duration.ofSeconds(20).toNanos());
      long resumed = System.nanoTime();
      int old = 0;
      while (content(viewer.frame()) < resumed - Duration.ofMillis(500).toNanos()) {
        old++;
      }
      assertThat(old * TICK_BYTES).isLessThanOrEqualTo(MOST_OLD_BYTES);
    } finally {
      over.set(true);
      ticker.join();
      app.stop();
    }
  }

  /** A member that reads nothing costs the others nothing, and is disconnected. */
  @Test
  void aMemberThatNeverReadsDelaysNobody() throws Exception {
    var joined = new CompletableFuture<WebSocket>();
    WebApplication app = start(WhenFull.DISCONNECT, joined);
    try (Wire stuck = connect(app)) {
      WebSocket socket = joined.get();
      try (Wire other = connect(app)) {
        while (viewers.size() < 2) {
          Thread.onSpinWait();
        }
        long last = 0;
        while (socket.state().canSend()) {
          viewers.send(tick(++last));
          assertThat(content(other.frame())).isEqualTo(last);
          assertThat(socket.bufferedAmount()).isLessThanOrEqualTo(1 << 20);
        }
        while (viewers.size() > 1) {
          Thread.onSpinWait(); // it leaves right after its state has changed
        }
        assertThat(socket.ending())
            .hasToString(
                "ended by server, 1013 \"send queue of 1048576 bytes is full\": send queue of 1048576"
                    + " bytes is full");
      }
      stuck.abort();
    } finally {
      app.stop();
    }
  }
}
