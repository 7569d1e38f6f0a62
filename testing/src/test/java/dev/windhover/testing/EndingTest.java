package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Ending.By;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.WebSocketState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The end is a value: it is there as soon as the application meets the end. */
class EndingTest {
  private static final String SILENT = "; the peer did not answer our close";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  /** How a handler meets the end. */
  enum Receiving {
    LOOP,
    MESSAGES,
    BUFFERS;

    void toTheEnd(WebSocket socket) throws Exception {
      switch (this) {
        case LOOP -> socket.forEach(_ -> {});
        case MESSAGES -> {
          while (socket.receiveMessage() != null) {}
        }
        case BUFFERS -> {
          ByteBuffer buffer = ByteBuffer.allocate(64);
          while (!socket.receive(buffer.clear()).isClose()) {}
        }
      }
    }
  }

  private final CompletableFuture<@Nullable Ending> found = new CompletableFuture<>();

  /** Opens a socket whose handler receives until the end and then asks how it ended. */
  private TestFrames receive(Receiving how) {
    return server.open(socket -> {
      how.toTheEnd(socket);
      found.complete(socket.ending());
    });
  }

  /** Requires the same answer of the handler, right after its end, and of the ended socket. */
  private void expect(By by, CloseReason reason, String why) {
    expect(by, reason, why, why);
  }

  private void expect(By by, CloseReason reason, String why, String whyAfterwards) {
    assertThat(found.orTimeout(10, TimeUnit.SECONDS).join()).isEqualTo(new Ending(by, reason, why));
    assertThat(server.ending()).isEqualTo(new Ending(by, reason, whyAfterwards));
    assertThat(server.socket().ending()).isEqualTo(server.ending());
  }

  // ---- The peer's ways

  @ParameterizedTest
  @EnumSource
  void thePeerCloses(Receiving how) {
    TestFrames client = receive(how);
    client.sendText("before").sendClose(4001, "bye");
    client.receiveClose();
    client.expectEnd();
    client.end();
    expect(By.PEER, new CloseReason(4001, "bye"), "the peer closed");
    assertThat(server.socket().state()).isEqualTo(WebSocketState.CLOSED);
  }

  @ParameterizedTest
  @EnumSource
  void thePeerClosesWithoutAReason(Receiving how) {
    TestFrames client = receive(how);
    client.sendHex("88 80 00000000");
    client.receiveClose();
    client.expectEnd();
    client.end();
    expect(By.PEER, CloseReason.NO_STATUS, "the peer closed");
  }

  @ParameterizedTest
  @EnumSource
  void thePeerResetsTheConnection(Receiving how) {
    receive(how).reset();
    expect(By.CONNECTION, CloseReason.of(1006), "the peer reset the connection");
    assertThat(server.socket().state()).isEqualTo(WebSocketState.ABORTED);
  }

  @ParameterizedTest
  @EnumSource
  void thePeerEndsTheConnectionWithoutAClose(Receiving how) {
    TestFrames client = receive(how);
    client.end();
    client.expectEnd();
    expect(
        By.CONNECTION, CloseReason.of(1006), "the peer ended the connection without a close frame");
  }

  @ParameterizedTest
  @EnumSource
  void thePeerBreaksARule(Receiving how) {
    TestFrames client = receive(how);
    client.sendHex("83 80 00000000");
    CloseReason reason = client.receiveClose();
    client.expectEnd();
    client.end();
    assertThat(reason.code()).isEqualTo(1002);
    expect(By.SERVER, reason, reason.text());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "BUFFERS")
  void thePeersMessageIsTooBig(Receiving how) {
    server.settings(settings -> settings.maxMessageSize(10));
    TestFrames client = receive(how);
    client.sendText("more than ten");
    CloseReason reason = client.receiveClose();
    client.expectEnd();
    client.end();
    assertThat(reason.code()).isEqualTo(1009);
    expect(By.SERVER, reason, reason.text());
  }

  // ---- The application's ways, from another thread

  @ParameterizedTest
  @EnumSource
  void theApplicationHasClosedItsOutput(Receiving how) throws Exception {
    TestFrames client = receive(how);
    server.socket().closeOutput(4000, "enough");
    assertThat(server.socket().ending())
        .isEqualTo(
            new Ending(By.APPLICATION, new CloseReason(4000, "enough"), "the application closed"));
    client.receiveClose();
    client.sendClose(4002, "me too");
    client.expectEnd();
    client.end();
    expect(By.APPLICATION, new CloseReason(4002, "me too"), "the application closed");
  }

  /** The handler meets the end before the peer has answered, or never does. */
  @ParameterizedTest
  @EnumSource
  void theApplicationCloses(Receiving how) throws Exception {
    TestFrames client = receive(how);
    WebSocket socket = server.socket();
    var closing =
        Background.start(() -> {
          socket.close(4000, "enough");
          return socket.ending();
        });
    client.receiveClose();
    assertThat(found.orTimeout(10, TimeUnit.SECONDS).join()).isNotNull();
    server.advance(Duration.ofSeconds(5));
    client.expectReset();
    CloseReason reason = new CloseReason(4000, "enough");
    expect(By.APPLICATION, reason, "the application closed", "the application closed" + SILENT);
    assertThat(closing.join().reason()).isEqualTo(reason);
    assertThat(socket.state()).isEqualTo(WebSocketState.ABORTED);
  }

  @ParameterizedTest
  @EnumSource
  void theApplicationAborts(Receiving how) {
    TestFrames client = receive(how);
    server.socket().abort();
    assertThat(server.socket().ending()).isNotNull();
    client.expectReset();
    expect(By.APPLICATION, CloseReason.of(1006), "the application aborted");
  }

  @ParameterizedTest
  @EnumSource
  void theHandlerEndsUnderABackgroundService(Receiving how) throws Exception {
    TestFrames client = server.hold();
    WebSocket socket = server.socket();
    Background.start(
            () -> {
              how.toTheEnd(socket);
              return found.complete(socket.ending());
            })
        .awaitBlocked();
    server.release();
    client.answerClose();
    expect(By.APPLICATION, CloseReason.of(1000), "the handler ended");
  }

  // ---- The server's ways

  @ParameterizedTest
  @EnumSource
  void theServerStops(Receiving how) {
    TestFrames client = receive(how);
    server.socket();
    server.host().application().beginStop();
    assertThat(client.receiveClose().code()).isEqualTo(1001);
    client.sendClose(1001, "");
    client.expectEnd();
    client.end();
    expect(By.SERVER, CloseReason.of(1001), "the server is stopping");
  }

  @ParameterizedTest
  @EnumSource
  void thePeerShowsNoSignOfLife(Receiving how) {
    TestFrames client = receive(how);
    server.socket();
    server.advance(Duration.ofMinutes(2));
    client.receive();
    server.advance(Duration.ofSeconds(20));
    client.expectReset();
    expect(By.SERVER, CloseReason.of(1006), "no sign of life within PT20S after a ping");
  }

  @ParameterizedTest
  @EnumSource
  void thePeerDoesNotAnswerOurClose(Receiving how) throws Exception {
    TestFrames client = receive(how);
    server.socket().closeOutput(1000, "");
    client.receiveClose();
    server.advance(Duration.ofSeconds(5));
    client.expectReset();
    CloseReason reason = CloseReason.of(1000);
    expect(By.APPLICATION, reason, "the application closed" + SILENT);
  }

  // ---- In the listener form

  @Test
  void aListenerHasTheEndingInOnClose() {
    TestFrames client =
        server.listen(
            new WebSocketListener() {
              @Override
              public void onClose(WebSocket socket) {
                found.complete(socket.ending());
              }
            });
    client.sendClose(4001, "bye");
    client.receiveClose();
    client.expectEnd();
    client.end();
    expect(By.PEER, new CloseReason(4001, "bye"), "the peer closed");
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void aListenersSocketHasItAsSoonAsItDoesNotSend(Way way) throws Exception {
    TestFrames client = server.listen(new WebSocketListener() {});
    WebSocket socket = server.socket();
    assertThat(socket.ending()).isNull();
    way.go(client, socket);
    server.host().awaitIdle();
    assertThat(socket.state().canSend()).isFalse();
    assertThat(socket.ending()).isNotNull().extracting(Ending::by).isEqualTo(way.by);
    client.reset();
    server.host().allowLeftOvers();
  }

  enum Way {
    CLOSE(By.APPLICATION),
    ABORT(By.APPLICATION),
    VIOLATION(By.SERVER),
    RESET(By.CONNECTION);

    private final By by;

    Way(By by) {
      this.by = by;
    }

    void go(TestFrames client, WebSocket socket) throws Exception {
      switch (this) {
        case CLOSE -> socket.closeOutput(1000, "");
        case ABORT -> socket.abort();
        case VIOLATION -> client.sendHex("83 80 00000000");
        case RESET -> client.reset();
      }
    }
  }
}
