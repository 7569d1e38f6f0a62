package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** All sockets of a server share one memory budget, here of 1 MiB. */
class MemoryTest {
  private static final String WHY = "the server has no memory left for this socket";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private final List<WebSocket> sockets = new CopyOnWriteArrayList<>();

  @BeforeEach
  void keepQuiet() {
    server.options(o -> o.keepAliveInterval(Duration.ZERO));
  }

  private TestFrames limited(Form form) {
    TestFrames first = server.limitMemory(1 << 20, 1 << 20).echo(form);
    return first;
  }

  private TestFrames another() {
    return server.host().webSocket("/").connect().frames();
  }

  private MemoryBudget budget() {
    return server.host().memory();
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocate(size);
  }

  private void expectWarning() {
    server.expectWarning("is used up: the connections that hold the most");
  }

  @ParameterizedTest
  @EnumSource
  void unfinishedMessagesEndWith1013(Form form) {
    expectWarning();
    TestFrames bystander = limited(form);
    List<TestFrames> attackers = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      attackers.add(another().send(Opcode.BINARY, false, bytes(300_000 - i)));
      bystander.sendText("still here");
      assertThat(bystander.receiveText()).isEqualTo("still here");
    }
    server.host().awaitIdle();
    assertThat(budget().used()).isLessThan(1 << 20);
    List<TestFrames> ended = attackers.stream().filter(each -> !each.received().isEmpty()).toList();
    assertThat(ended).hasSizeBetween(1, 4); // which ones depends on who moved last
    assertThat(server.events()).contains("limit memory");
    for (TestFrames each : ended) {
      assertThat(each.receive()).isEqualTo(Frame.close(1013, WHY));
      each.expectEnd();
    }
    attackers.forEach(TestFrames::reset);
    bystander.close();
    server.host().allowLeftOvers();
  }

  /** 1 KiB of them is a message of 1 MiB. */
  @ParameterizedTest
  @EnumSource
  void compressedZerosEndWith1013(Form form) {
    expectWarning();
    server.settings(s -> s.dangerousEnableCompression(true));
    TestFrames bystander = limited(form);
    for (int i = 0; i < 10; i++) {
      TestFrames attacker =
          server
              .host()
              .webSocket("/")
              .header("Sec-WebSocket-Extensions", "permessage-deflate")
              .connect()
              .frames();
      ByteBuffer zeros = attacker.compress(bytes(900_000));
      attacker.send(
          attacker.frame(
              Opcode.BINARY,
              false,
              dev.windhover.protocol.Extension.RSV1,
              zeros.limit(zeros.limit() - 5)));
      server.host().awaitIdle();
      assertThat(budget().used()).isLessThan(1 << 20);
    }
    bystander.sendText("still here");
    assertThat(bystander.receiveText()).isEqualTo("still here");
    bystander.close();
    server.host().allowLeftOvers();
  }

  @ParameterizedTest
  @EnumSource
  void echoesThatNobodyReadsAreDropped(Form form) {
    expectWarning();
    TestFrames bystander = limited(form);
    List<TestFrames> attackers = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      TestFrames attacker = another().stopTaking();
      attackers.add(attacker);
      attacker.sendBinary(new byte[400_000]).sendBinary(new byte[100_000]);
      bystander.sendText("still here");
      assertThat(bystander.receiveText()).isEqualTo("still here");
    }
    server.host().awaitIdle();
    assertThat(budget().used()).isLessThan(1 << 20);
    List<TestFrames> dropped = attackers.stream().filter(this::isReset).toList();
    assertThat(dropped).hasSizeBetween(1, 4); // which ones depends on who moved last
    dropped.forEach(TestFrames::expectReset);
    assertThat(server.events()).contains("limit memory");
    attackers.forEach(TestFrames::reset);
    bystander.close();
    server.host().allowLeftOvers();
  }

  /** The sender waits with its message, which is the handler's memory. */
  @Test
  void whatASenderWaitsWithCounts() throws Exception {
    expectWarning();
    server.limitMemory(3 << 20, 3 << 20);
    server.options(o -> o.limits(l -> l.sendQueue(64 * 1024, 1024)));
    TestFrames client = server.hold().stopTaking();
    var sending = Background.start(() -> server.socket().sendBinary(new byte[5_000_000]));
    client.expectReset();
    assertThatThrownBy(sending::join).hasMessage("cannot send: the socket has ended");
    assertThat(server.ending().by()).isEqualTo(Ending.By.SERVER);
    assertThat(server.ending().why()).isEqualTo(WHY);
  }

  /** Opens a socket whose server's end goes to {@link #sockets}; {@link #another} opens more. */
  private TestFrames collected(Form form) {
    return switch (form) {
      case BLOCKING ->
          server.open(socket -> {
            sockets.add(socket);
            server.awaitRelease();
          });
      case LISTENER ->
          server.listen(
              new WebSocketListener() {
                @Override
                public void onOpen(WebSocket socket) {
                  sockets.add(socket);
                }
              });
    };
  }

  @ParameterizedTest
  @EnumSource
  void aPreparedMessageCountsOnceWhileAnySocketHasItWaiting(Form form) throws Exception {
    server.limitMemory(10 << 20, 10 << 20);
    List<TestFrames> clients = List.of(collected(form), another(), another());
    clients.forEach(TestFrames::stopTaking);
    server.host().awaitIdle();
    PreparedMessage first = PreparedMessage.binary(new byte[400_000]);
    PreparedMessage second = PreparedMessage.binary(new byte[300_000]);
    for (WebSocket socket : sockets) {
      socket.send(first);
      socket.send(second);
    }
    server.host().awaitIdle();
    assertThat(budget().used()).isBetween(700_000L, 750_000L);
    clients.getFirst().takeAll();
    server.host().awaitIdle();
    assertThat(budget().used()).isBetween(700_000L, 750_000L);
    clients.forEach(client -> {
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(400_000);
      assertThat(client.receiveBinary()).hasSize(300_000);
    });
    server.host().awaitIdle();
    assertThat(budget().used()).isLessThan(50_000);
    clients.forEach(TestFrames::reset);
    server.host().allowLeftOvers();
  }

  @ParameterizedTest
  @EnumSource
  void preparedMessagesThatNobodyReadsEndTheirSockets(Form form) throws Exception {
    expectWarning();
    server.limitMemory(1 << 20, 10 << 20);
    List<TestFrames> clients = List.of(collected(form), another(), another());
    clients.forEach(TestFrames::stopTaking);
    server.host().awaitIdle();
    for (WebSocket socket : sockets) { // to each another one
      socket.send(PreparedMessage.binary(new byte[400_000]));
    }
    server.host().awaitIdle();
    assertThat(budget().used()).isLessThan(1 << 20);
    assertThat(clients.stream().filter(this::isReset).toList()).hasSizeBetween(1, 2);
    clients.forEach(TestFrames::reset);
    server.host().allowLeftOvers();
  }

  /** A message takes memory even if it has no payload. */
  @ParameterizedTest
  @EnumSource
  void emptyMessagesThatNobodyReadsEndTheirSocket(Form form) throws Exception {
    expectWarning();
    server.limitMemory(1 << 20, 10 << 20);
    TestFrames client = collected(form).stopTaking();
    server.host().awaitIdle();
    sockets.getFirst().sendBinary(new byte[200_000]); // what comes next waits in the queue
    try {
      for (int i = 0; i < 10_000; i++) {
        sockets.getFirst().sendBinary(new byte[0]);
      }
    } catch (WebSocketClosedException e) {
      assertThat(e).hasMessage("cannot send: the socket has ended");
    }
    client.expectReset();
    server.host().awaitIdle();
    assertThat(server.events()).contains("limit memory");
    assertThat(budget().used()).isZero();
  }

  private boolean isReset(TestFrames client) {
    return !client.wire().ask(MemoryDuplex::isOpen);
  }

  @Test
  void whatNobodyReceivesCounts() {
    expectWarning();
    server.limitMemory(100_000, 1 << 20);
    TestFrames first = server.hold();
    TestFrames second = another();
    first.sendBinary(new byte[60_000]);
    second.sendBinary(new byte[50_000]);
    TestFrames ended = first.received().isEmpty() ? second : first; // who moved last stays
    assertThat(ended.receive()).isEqualTo(Frame.close(1013, WHY));
    server.host().awaitIdle();
    first.reset();
    second.reset();
    server.host().allowLeftOvers();
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsLeftOfItWhenAllHaveEnded(Form form) {
    TestFrames client = limited(form);
    for (int i = 0; i < 10; i++) {
      client.send(Opcode.BINARY, false, bytes(20_000)).send(Opcode.CONTINUATION, true, bytes(500));
      assertThat(client.receiveBinary()).hasSize(20_500);
    }
    TestFrames dropped = another().send(Opcode.BINARY, false, bytes(100_000));
    server.host().awaitIdle();
    assertThat(budget().used()).isBetween(100_000L, 400_000L);
    client.close();
    dropped.reset();
    server.host().awaitIdle();
    assertThat(budget().used()).isZero();
    assertThat(budget().directUsed()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void manyThatHoldNothingAreNotCounted(Form form) {
    TestFrames first = limited(form);
    for (int i = 0; i < 100; i++) {
      first.sendText("x".repeat(2000));
      assertThat(first.receiveText()).hasSize(2000);
    }
    assertThat(budget().used()).isLessThanOrEqualTo(8192);
    first.close();
  }
}
