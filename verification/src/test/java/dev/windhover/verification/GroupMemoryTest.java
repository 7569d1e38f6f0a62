package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.server.Server;
import dev.windhover.server.ServerOptions;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Wire;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What waits for members that do not read counts in the server's budget, and each payload once. */
@ExtendWith(StrictLogs.class)
class GroupMemoryTest {
  private static final int MEMBERS = 12;
  private static final int LOOPS = 2;
  private static final int LARGE = 128 * 1024;
  private static final int MIB = 1 << 20;
  private static final int BUDGET = 6 * MIB;

  /** The most that waits for one member: {@code sendQueue}. */
  private static final int QUEUE = MIB;

  private final BlockingQueue<WebSocket> accepted = new LinkedBlockingQueue<>();
  private final List<WebSocket> sockets = new ArrayList<>();
  private final List<Wire> wires = new ArrayList<>();
  private final Server server = server();

  private Server server() {
    Application application =
        new Application().use(WebSockets.with(options -> options.allowedOrigins("*")));
    application.map(
        "/",
        Handler.nonBlocking(
            context -> accepted.add(context.webSockets().accept(new WebSocketListener() {}))));
    ServerOptions options = new ServerOptions().urls("http://127.0.0.1:0").loops(LOOPS);
    options.limits().memory(BUDGET);
    return new Server(options, application.build());
  }

  /** Opens sockets that never read. */
  @BeforeEach
  void open() throws Exception {
    server.start();
    int port = URI.create(server.urls().getFirst()).getPort();
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    for (int i = 0; i < MEMBERS; i++) {
      wires.add(Wire.connect(address, 4096).upgrade("/"));
      WebSocket socket = accepted.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
      assertThat(socket).isNotNull();
      sockets.add(socket);
    }
  }

  @AfterEach
  void stop() throws Exception {
    leave();
    server.stop();
  }

  private void leave() throws IOException {
    for (Wire wire : wires) {
      wire.abort();
    }
    wires.clear();
  }

  private static PreparedMessage large(int content) {
    return PreparedMessage.of(ByteBuffer.allocate(LARGE).putInt(0, content), MessageType.BINARY);
  }

  private static void sendUntilFull(Group group, WebSocket member) {
    for (int i = 0; member.state().canSend() && member.droppedMessages() == 0; i++) {
      group.send(large(i));
      assertThat(i).isLessThan(1000);
    }
  }

  private long open(List<WebSocket> all) {
    return all.stream().filter(each -> each.state().canSend()).count();
  }

  private void await(BooleanSupplier condition, String what) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as(what).isNegative();
      Thread.onSpinWait();
    }
  }

  /** Each is in a room of its own, so that all payloads are different. */
  @Test
  void payloadsOfManyGroupsStayWithinTheBudget() throws Exception {
    try (Logs.Recording _ = Logs.record(line -> line.text().contains("is used up"))) {
      for (WebSocket socket : sockets) {
        Group room = new Group();
        room.join(socket, WhenFull.DROP_NEWEST);
        sendUntilFull(room, socket);
      }
      await(() -> open(sockets) < MEMBERS, "wait for the first to go");
      await(() -> server.memory().used() <= BUDGET, "wait for the others that have to go");
      long waiting =
          sockets.stream()
              .filter(each -> each.state().canSend())
              .mapToLong(WebSocket::bufferedAmount)
              .sum();
      assertThat(waiting).isLessThanOrEqualTo(BUDGET + QUEUE);
      assertThat(open(sockets)).isGreaterThan(2); // no more than have to
    }
    leave();
    await(() -> server.memory().used() == 0, "wait until nothing is held");
  }

  /** As much for each as in the test above, but the same for all. */
  @Test
  void aPayloadThatManyShareCountsOnce() throws Exception {
    Group room = new Group();
    for (WebSocket socket : sockets) {
      room.join(socket, WhenFull.DROP_NEWEST);
    }
    for (WebSocket socket : sockets) {
      sendUntilFull(room, socket);
    }
    assertThat(open(sockets)).isEqualTo(MEMBERS);
    assertThat(server.memory().used()).isBetween(QUEUE / 2L, (long) LOOPS * 2 * QUEUE);
    leave();
    await(() -> server.memory().used() == 0, "wait until nothing is held");
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "WAIT")
  void nothingIsCountedWhenNothingWaits(WhenFull whenFull) throws Exception {
    Group room = new Group();
    WebSocket socket = sockets.getFirst();
    room.join(socket, whenFull);
    sendUntilFull(room, socket);
    leave();
    await(() -> server.memory().used() == 0, "wait until nothing is held");
  }
}
