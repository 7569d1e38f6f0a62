package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sending the same to many sockets, and what happens to those that read too slowly. */
class GroupTest {
  private static final String OFFER = "permessage-deflate";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private final Group group = new Group();
  private final BlockingQueue<WebSocket> accepted = new LinkedBlockingQueue<>();
  private final WebSocketAcceptContext settings = new WebSocketAcceptContext();
  private int high = 1 << 20;

  /** A socket, both of its ends. */
  private record Pair(WebSocket socket, TestWebSocket client) {}

  private TestHost start(Form form) {
    var options = new WebSocketOptions().allowedOrigins("*");
    options.limits(limits -> limits.sendQueue(high, high / 2));
    var application = new Application().use(new WebSockets(options)).events(server.recorder());
    switch (form) {
      case BLOCKING ->
          application.mapWebSocket(
              "/",
              settings,
              socket -> {
                accepted.add(socket);
                socket.receiveMessage();
              });
      case LISTENER ->
          application.map(
              "/",
              context ->
                  accepted.add(context.webSockets().accept(settings, new WebSocketListener() {})));
    }
    return server.start(application);
  }

  private Pair connect(TestHost host, String... extensions) throws InterruptedException {
    TestRequest request = host.webSocket("/");
    for (String each : extensions) {
      request.header("Sec-WebSocket-Extensions", each);
    }
    TestWebSocket client = request.connect();
    WebSocket socket = accepted.poll(10, TimeUnit.SECONDS);
    assertThat(socket).isNotNull();
    return new Pair(socket, client);
  }

  private Pair join(TestHost host) throws InterruptedException {
    return join(host, WhenFull.DISCONNECT);
  }

  private Pair join(TestHost host, WhenFull whenFull) throws InterruptedException {
    Pair pair = connect(host);
    assertThat(group.join(pair.socket, whenFull)).isTrue();
    return pair;
  }

  private static byte[] bytes(int size, int content) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) content);
    return bytes;
  }

  /** A message of 100 bytes on the wire that says {@code number}. */
  private static PreparedMessage numbered(int number) {
    return PreparedMessage.binary(bytes(98, number));
  }

  private static int number(Pair pair) {
    byte[] payload = new byte[98];
    if (!(pair.client.receiveMessage() instanceof Message.Binary(ByteBuffer received))) {
      throw new AssertionError("no binary message");
    }
    received.get(payload);
    return payload[0];
  }

  private void smallQueue() {
    high = 1024;
  }

  // ---- Members

  @ParameterizedTest
  @EnumSource
  void everyMemberGetsWhatIsSent(Form form) throws Exception {
    TestHost host = start(form);
    List<Pair> pairs = List.of(join(host), join(host), join(host));
    Pair stranger = connect(host);
    assertThat(group.size()).isEqualTo(3);
    group.sendText("hello");
    group.send(PreparedMessage.binary(new byte[] {1, 2}));
    for (Pair pair : pairs) {
      pair.client.expectText("hello").expectBinary((byte) 1, (byte) 2);
    }
    stranger.socket.trySendText("only this");
    stranger.client.expectText("only this");
  }

  @Test
  void oneMayBeLeftOut() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Pair sender = join(host);
    Pair other = join(host);
    group.sendExcept(sender.socket, PreparedMessage.text("from another"));
    group.sendText("for all");
    other.client.expectText("from another").expectText("for all");
    sender.client.expectText("for all");
  }

  @Test
  void joiningTwiceChangesNothing() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Pair pair = join(host);
    assertThat(group.join(pair.socket)).isFalse();
    assertThat(group.size()).isEqualTo(1);
    group.sendText("once");
    group.sendText("then");
    pair.client.expectText("once").expectText("then");
  }

  @Test
  void whoHasLeftGetsWhatWasSentBefore() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Pair leaving = join(host);
    Pair staying = join(host);
    group.sendText("before");
    assertThat(group.leave(leaving.socket)).isTrue();
    assertThat(group.leave(leaving.socket)).isFalse();
    group.sendText("after");
    assertThat(group.size()).isEqualTo(1);
    assertThat(group.join(leaving.socket)).isTrue();
    group.sendText("again");
    leaving.client.expectText("before").expectText("again");
    staying.client.expectText("before").expectText("after").expectText("again");
  }

  @Test
  void aSocketMayBeInSeveralGroups() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Group news = new Group();
    Group sport = new Group();
    Pair both = join(host);
    Pair one = join(host);
    news.join(both.socket);
    sport.join(both.socket);
    sport.join(one.socket);
    for (int i = 0; i < 3; i++) {
      news.sendText("news " + i);
      sport.sendText("sport " + i);
      group.sendText("all " + i);
    }
    assertThat(sport.leave(both.socket)).isTrue();
    for (int i = 0; i < 3; i++) {
      both.client.expectText("news " + i).expectText("sport " + i).expectText("all " + i);
      one.client.expectText("sport " + i).expectText("all " + i);
    }
    both.client.close();
    awaitSize(0, news);
    awaitSize(1, sport);
    awaitSize(1, group);
  }

  private static void awaitSize(int size, Group group) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (group.size() != size && System.nanoTime() - end < 0) {
      Thread.onSpinWait();
    }
    assertThat(group.size()).isEqualTo(size);
  }

  @Test
  void onlySocketsOfHandlersMayJoin() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Pair pair = connect(host);
    assertThatThrownBy(() -> group.join(pair.client))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "a group takes sockets that a handler has accepted, not a"
                + " dev.windhover.testing.TestWebSocket");
    assertThatThrownBy(() -> group.join(pair.socket, WhenFull.WAIT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "WAIT is for a message to one socket: a group would wait for its slowest member");
    assertThatThrownBy(() -> group.send(PreparedMessage.text(""), WhenFull.WAIT))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(group.size()).isZero();
  }

  // ---- Members that end

  @Nested
  class Ended {
    @ParameterizedTest
    @EnumSource
    void byTheirPeer(Form form) throws Exception {
      TestHost host = start(form);
      Pair ending = join(host);
      Pair staying = join(host);
      if (form == Form.BLOCKING) {
        ending.client.reset();
      } else {
        ending.client.close();
      }
      awaitSize(1, group);
      assertThat(group.join(ending.socket)).isFalse();
      assertThat(group.leave(ending.socket)).isFalse();
      group.sendText("still here");
      staying.client.expectText("still here");
    }

    @Test
    void byTheirHandler() throws Exception {
      TestHost host = start(Form.BLOCKING);
      Pair ending = join(host);
      ending.client.sendText("this ends the handler");
      ending.client.expectClose(1000, "");
      assertThat(group.size()).isZero();
    }

    /** A Close follows what the same thread has sent to the group before. */
    @ParameterizedTest
    @EnumSource
    void byOurCloseAfterAGoodbye(Form form) throws Exception {
      TestHost host = start(form);
      Pair ending = join(host);
      for (int i = 0; i < 100; i++) {
        group.sendText("goodbye " + i);
      }
      ending.socket.closeOutput(1000, "done");
      assertThat(group.size()).isZero();
      group.sendText("too late");
      for (int i = 0; i < 100; i++) {
        ending.client.expectText("goodbye " + i);
      }
      ending.client.expectClose(1000, "done");
    }

    @Test
    void byAnAbort() throws Exception {
      TestHost host = start(Form.BLOCKING);
      Pair ending = join(host);
      ending.socket.abort();
      assertThat(group.size()).isZero();
      group.sendText("never");
      ending.client.expectReset();
    }

    @Test
    void byTheStopOfTheServer() throws Exception {
      TestHost host = start(Form.LISTENER);
      Pair one = join(host);
      Pair two = join(host);
      group.sendText("last words");
      CompletableFuture<Void> stopped = host.application().beginStop();
      one.client.expectText("last words").expectClose(1001, "the server is stopping");
      two.client.expectText("last words").expectClose(1001, "the server is stopping");
      assertThat(stopped).succeedsWithin(Duration.ofSeconds(10));
      assertThat(group.size()).isZero();
    }
  }

  // ---- Order

  /** Groups have a way of their own to a socket, and what one thread sends keeps its order. */
  @Nested
  class Order {
    @ParameterizedTest
    @EnumSource
    void isThatOfTheSendingThread(Form form) throws Exception {
      TestHost host = start(form);
      Group second = new Group();
      Pair pair = join(host);
      second.join(pair.socket);
      for (int i = 0; i < 500; i++) {
        group.sendText("group " + i);
        pair.socket.trySendText("direct " + i);
        second.sendText("second " + i);
        pair.socket.send(ByteBuffer.wrap(new byte[] {(byte) i}), MessageType.BINARY, true);
      }
      for (int i = 0; i < 500; i++) {
        pair.client.expectText("group " + i).expectText("direct " + i).expectText("second " + i);
        pair.client.expectBinary((byte) i);
      }
    }

    @Test
    void isThatOfAListenerOnTheLoop() throws Exception {
      var listener =
          new WebSocketListener() {
            @Override
            public void onText(WebSocket socket, String text) throws Exception {
              for (int i = 0; i < 10; i++) {
                group.sendText(text + " group " + i);
                socket.sendText(text + " direct " + i);
                socket.trySendText(text + " tried " + i);
              }
            }
          };
      TestFrames client = server.listen(listener);
      group.join(server.socket());
      client.sendText("a").sendText("b");
      for (String text : List.of("a", "b")) {
        for (int i = 0; i < 10; i++) {
          assertThat(client.receiveText()).isEqualTo(text + " group " + i);
          assertThat(client.receiveText()).isEqualTo(text + " direct " + i);
          assertThat(client.receiveText()).isEqualTo(text + " tried " + i);
        }
      }
      client.close();
    }

    /** With both kinds of mail waiting on a busy loop. */
    @Test
    void holdsWhileTheLoopIsBusy() throws Exception {
      TestHost host = start(Form.BLOCKING);
      Pair pair = join(host);
      var busy = new CountDownLatch(1);
      host.loop()
          .execute(() -> {
            try {
              busy.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });
      pair.socket.sendText("1, direct");
      group.sendText("2, group");
      pair.socket.sendText("3, direct");
      group.sendText("4, group");
      pair.socket.sendText("5, direct");
      pair.socket.closeOutput(1000, "6, close");
      busy.countDown();
      pair.client.expectText("1, direct").expectText("2, group").expectText("3, direct");
      pair.client.expectText("4, group").expectText("5, direct").expectClose(1000, "6, close");
    }

    @ParameterizedTest
    @EnumSource
    void aMessageInPiecesIsNotInterrupted(Form form) throws Exception {
      TestHost host = start(form);
      Pair pair = join(host, WhenFull.DROP_OLDEST);
      MessageWriter writer = pair.socket.startMessage(MessageType.TEXT);
      writer.write("in ");
      group.sendText("meanwhile");
      group.sendLatest("tick", PreparedMessage.text("tick 1"));
      writer.write("pieces");
      group.sendLatest("tick", PreparedMessage.text("tick 2"));
      writer.finish();
      group.sendText("after");
      pair.client.expectText("in pieces").expectText("meanwhile").expectText("tick 2");
      pair.client.expectText("after");
      assertThat(pair.socket.droppedMessages()).isEqualTo(1);
    }

    /** As for other senders, the end of such a message is awaited within a limit. */
    @Test
    void aMessageThatIsNeverFinishedFailsTheSocket() throws Exception {
      server.expectError("was not finished within PT30S");
      TestHost host = start(Form.BLOCKING);
      Pair pair = join(host);
      MessageWriter writer = pair.socket.startMessage(MessageType.TEXT);
      writer.write("never ");
      group.sendText("waits");
      for (int i = 0; i < 31; i++) {
        host.awaitIdle();
        host.clock().advance(Duration.ofSeconds(1));
      }
      awaitSize(0, group);
      pair.client.reset();
      host.allowLeftOvers(); // the piece, and a Close with 1011
    }

    @Test
    void manyMessagesToManyMembersTakeSeveralTurns() throws Exception {
      TestHost host = start(Form.BLOCKING);
      List<Pair> pairs = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        pairs.add(join(host));
      }
      for (int i = 0; i < 200; i++) {
        group.sendText("message " + i);
        pairs.getFirst().socket.trySendText("direct " + i);
      }
      for (int i = 0; i < 200; i++) {
        pairs.getFirst().client.expectText("message " + i).expectText("direct " + i);
        for (Pair pair : pairs.subList(1, 20)) {
          pair.client.expectText("message " + i);
        }
      }
    }
  }

  /** A burst is flushed once for each member, and not once for each message. */
  @Test
  void aBurstLeavesTogether() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Pair one = join(host);
    Pair two = join(host);
    host.awaitIdle();
    var busy = new CountDownLatch(1);
    host.loop()
        .execute(() -> {
          try {
            busy.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        });
    for (int i = 0; i < 100; i++) {
      group.sendText("burst " + i);
    }
    busy.countDown();
    for (int i = 0; i < 100; i++) {
      one.client.expectText("burst " + i);
      two.client.expectText("burst " + i);
    }
    assertThat(one.client.flushes()).isEqualTo(1);
    assertThat(two.client.flushes()).isEqualTo(1);
  }

  // ---- Members that read too slowly

  @Nested
  class Slow {
    @ParameterizedTest
    @EnumSource
    void areDisconnectedByDefault(Form form) throws Exception {
      smallQueue();
      TestHost host = start(form);
      Pair slow = join(host);
      Pair other = join(host);
      slow.client.stopTaking();
      for (int i = 0; i < 20; i++) {
        group.send(numbered(i));
        assertThat(number(other)).isEqualTo(i);
        assertThat(slow.socket.bufferedAmount()).isLessThanOrEqualTo(1024);
      }
      assertThat(group.size()).isEqualTo(1);
      Ending ending = slow.socket.ending();
      assertThat(ending).isNotNull();
      assertThat(ending.by()).isEqualTo(Ending.By.SERVER);
      assertThat(ending.reason().code()).isEqualTo(1013);
      assertThat(server.events()).containsOnlyOnce("limit send queue");
      slow.client.takeAll();
      assertThat(slow.socket.droppedMessages()).isEqualTo(8); // seven that waited, and the last
      for (int i = 0; i < 3; i++) { // what the transport had
        assertThat(number(slow)).isEqualTo(i);
      }
      slow.client.expectClose(1013, "send queue of 1024 bytes is full");
    }

    /** The handler of a blocking socket hears of it as of any other end. */
    @Test
    void haveHandlersThatAreWoken() throws Exception {
      smallQueue();
      var over = new CountDownLatch(1);
      var options = new WebSocketOptions().allowedOrigins("*");
      options.limits(limits -> limits.sendQueue(1024, 512));
      TestHost host =
          server.start(
              new Application()
                  .use(new WebSockets(options))
                  .mapWebSocket(
                      "/",
                      socket -> {
                        accepted.add(socket);
                        for (Message message : socket) {
                          throw new AssertionError(message);
                        }
                        over.countDown();
                      }));
      Pair slow = join(host);
      slow.client.stopTaking();
      for (int i = 0; i < 20; i++) {
        group.send(numbered(i));
      }
      assertThat(over.await(10, TimeUnit.SECONDS)).isTrue();
      slow.client.reset();
    }

    @ParameterizedTest
    @EnumSource
    void loseTheOldest(Form form) throws Exception {
      smallQueue();
      TestHost host = start(form);
      Pair slow = join(host, WhenFull.DROP_OLDEST);
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        group.send(numbered(i));
      }
      host.awaitIdle();
      assertThat(slow.socket.bufferedAmount()).isBetween(900L, 1024L);
      assertThat(slow.socket.droppedMessages()).isEqualTo(40);
      slow.client.takeAll();
      for (int i : new int[] {0, 1, 2, 43, 44, 45, 46, 47, 48, 49}) {
        assertThat(number(slow)).isEqualTo(i);
      }
      assertThat(server.events()).containsOnlyOnce("limit send queue");
      group.send(numbered(50));
      assertThat(number(slow)).isEqualTo(50);
    }

    @ParameterizedTest
    @EnumSource
    void loseTheNewest(Form form) throws Exception {
      smallQueue();
      TestHost host = start(form);
      Pair slow = join(host, WhenFull.DROP_NEWEST);
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        group.send(numbered(i));
      }
      host.awaitIdle();
      assertThat(slow.socket.droppedMessages()).isEqualTo(40);
      slow.client.takeAll();
      for (int i = 0; i < 10; i++) {
        assertThat(number(slow)).isEqualTo(i);
      }
      group.send(numbered(50));
      assertThat(number(slow)).isEqualTo(50);
    }

    @ParameterizedTest
    @EnumSource
    void skipWhatIsOutdated(Form form) throws Exception {
      smallQueue();
      TestHost host = start(form);
      Pair slow = join(host, WhenFull.KEEP_LATEST);
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        group.send(numbered(i));
      }
      group.sendText("replaces too");
      host.awaitIdle();
      assertThat(slow.socket.droppedMessages()).isEqualTo(50 - 3);
      slow.client.takeAll();
      for (int i = 0; i < 3; i++) { // they had begun
        assertThat(number(slow)).isEqualTo(i);
      }
      slow.client.expectText("replaces too");
    }

    @Test
    void keepTheLatestOfEachKeyInItsPlace() throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair slow = join(host);
      slow.client.stopTaking();
      group.send(PreparedMessage.binary(bytes(255, 0))); // fills the transport
      Group other = new Group();
      other.join(slow.socket);
      for (int i = 0; i < 50; i++) {
        group.sendLatest("EUR", PreparedMessage.text("EUR " + i));
        group.sendText(i == 25 ? "between" : "");
        group.sendLatest("USD", PreparedMessage.text("USD " + i));
        other.sendLatest("EUR", PreparedMessage.text("other EUR " + i));
        slow.socket.sendLatest("EUR", PreparedMessage.text("own EUR " + i));
      }
      host.awaitIdle();
      assertThat(slow.socket.droppedMessages()).isEqualTo(4 * 49);
      slow.client.takeAll();
      slow.client.expectBinary(bytes(255, 0));
      slow.client.expectText("EUR 49").expectText("").expectText("USD 49");
      slow.client.expectText("other EUR 49").expectText("own EUR 49");
      for (int i = 1; i < 50; i++) {
        slow.client.expectText(i == 25 ? "between" : "");
      }
    }

    /** Too many keys are no way around the bound. */
    @Test
    void loseTheOldestOfTooManyKeys() throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair slow = join(host);
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        group.sendLatest(i, numbered(i));
      }
      host.awaitIdle();
      assertThat(slow.socket.bufferedAmount()).isLessThanOrEqualTo(1024);
      assertThat(slow.socket.droppedMessages()).isEqualTo(40);
      slow.client.takeAll();
      for (int i : new int[] {0, 1, 2, 43, 44, 45, 46, 47, 48, 49}) {
        assertThat(number(slow)).isEqualTo(i);
      }
    }

    /** Frame by frame: what has begun is finished, whatever the policy. */
    @ParameterizedTest
    @EnumSource(names = "WAIT", mode = EnumSource.Mode.EXCLUDE)
    void neverLosePartOfAMessage(WhenFull whenFull) throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair slow = join(host, whenFull);
      slow.client.stopTaking();
      group.send(PreparedMessage.binary(bytes(5000, 1)));
      host.awaitIdle();
      slow.client.take(100);
      for (int i = 0; i < 50; i++) {
        group.send(PreparedMessage.binary(bytes(500, 2)));
      }
      host.awaitIdle();
      slow.client.takeAll();
      slow.client.expectBinary(bytes(5000, 1));
      switch (whenFull) {
        case DISCONNECT -> slow.client.expectClose(1013, "send queue of 1024 bytes is full");
        case KEEP_LATEST, DROP_OLDEST, DROP_NEWEST -> slow.client.expectBinary(bytes(500, 2));
        case WAIT -> throw new AssertionError();
      }
    }

    @ParameterizedTest
    @EnumSource(names = "WAIT", mode = EnumSource.Mode.EXCLUDE)
    void loseNothingWhileTheyKeepUp(WhenFull whenFull) throws Exception {
      TestHost host = start(Form.BLOCKING);
      Pair pair = join(host, whenFull);
      for (int i = 0; i < 100; i++) {
        group.send(PreparedMessage.binary(bytes(64 * 1024, i)));
        pair.client.expectBinary(bytes(64 * 1024, i));
      }
      assertThat(pair.socket.droppedMessages()).isZero();
    }

    /** 1.6 MB in one burst are more than the queue, but not for somebody who reads. */
    @Test
    void areNotThoseWhoseBurstIsLargerThanTheQueue() throws Exception {
      TestHost host = start(Form.BLOCKING);
      Pair pair = join(host);
      host.awaitIdle();
      var busy = new CountDownLatch(1);
      host.loop()
          .execute(() -> {
            try {
              busy.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });
      for (int i = 0; i < 100; i++) {
        group.send(PreparedMessage.binary(bytes(16 * 1024, i)));
      }
      busy.countDown();
      for (int i = 0; i < 100; i++) {
        pair.client.expectBinary(bytes(16 * 1024, i));
      }
    }

    /** What a handler sends for itself, and waits for, does not make its socket slow. */
    @Test
    void areNotThoseWhoseHandlerSendsALongAnswer() throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair pair = join(host);
      pair.client.stopTaking();
      byte[] answer = bytes(1000, 7);
      Background<Boolean> answering =
          Background.start(
                  () -> {
                    for (int i = 0; i < 10; i++) {
                      pair.socket.sendBinary(answer);
                    }
                    return true;
                  })
              .awaitBlocked();
      for (int i = 0; i < 5; i++) {
        group.send(numbered(i));
      }
      host.awaitIdle();
      assertThat(pair.socket.droppedMessages()).isZero();
      pair.client.takeAll();
      answering.join();
      int numbers = 0;
      int answers = 0;
      while (numbers + answers < 15) {
        if (!(pair.client.receiveMessage() instanceof Message.Binary(ByteBuffer payload))) {
          throw new AssertionError();
        }
        if (payload.remaining() == 1000) {
          answers++;
        } else {
          assertThat(payload.get()).isEqualTo((byte) numbers++);
        }
      }
      assertThat(answers).isEqualTo(10);
    }

    /**
     * And the other way around: a group that never pauses does not keep a handler from its turn.
     */
    @Test
    void haveHandlersThatStillSend() throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair pair = join(host, WhenFull.DROP_NEWEST);
      pair.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        group.send(numbered(i));
      }
      host.awaitIdle();
      pair.socket.sendText("my turn");
      pair.client.takeAll();
      for (int i = 0; i < 10; i++) {
        assertThat(number(pair)).isEqualTo(i);
      }
      pair.client.expectText("my turn");
    }

    /** The policy of the message goes before that of the member. */
    @Test
    void areTreatedAsTheMessageSays() throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair slow = join(host, WhenFull.DISCONNECT);
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        group.send(numbered(i), WhenFull.DROP_NEWEST);
      }
      host.awaitIdle();
      assertThat(group.size()).isEqualTo(1);
      group.send(numbered(50));
      host.awaitIdle();
      assertThat(group.size()).isZero();
      slow.client.reset();
    }
  }

  /** A message to one socket with a policy. */
  @Nested
  class ToOne {
    @ParameterizedTest
    @EnumSource
    void followsThePolicy(Form form) throws Exception {
      smallQueue();
      TestHost host = start(form);
      Pair slow = connect(host);
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        slow.socket.send(numbered(i), WhenFull.DROP_OLDEST);
      }
      host.awaitIdle();
      assertThat(slow.socket.droppedMessages()).isEqualTo(40);
      slow.client.takeAll();
      for (int i : new int[] {0, 1, 2, 43, 44, 45, 46, 47, 48, 49}) {
        assertThat(number(slow)).isEqualTo(i);
      }
      slow.client.stopTaking();
      for (int i = 0; i < 50; i++) {
        slow.socket.send(numbered(i), WhenFull.DISCONNECT);
        host.awaitIdle();
        if (!slow.socket.state().canSend()) {
          break;
        }
      }
      assertThatThrownBy(() -> slow.socket.send(numbered(0), WhenFull.DROP_NEWEST))
          .isInstanceOf(WebSocketClosedException.class);
      slow.client.reset();
    }

    @Test
    void mayWait() throws Exception {
      smallQueue();
      TestHost host = start(Form.BLOCKING);
      Pair slow = connect(host);
      slow.client.stopTaking();
      var sending =
          Background.start(
                  () -> {
                    for (int i = 0; i < 50; i++) {
                      slow.socket.send(numbered(i), WhenFull.WAIT);
                    }
                    return true;
                  })
              .awaitBlocked();
      slow.client.takeAll();
      sending.join();
      for (int i = 0; i < 50; i++) {
        assertThat(number(slow)).isEqualTo(i);
      }
      assertThat(slow.socket.droppedMessages()).isZero();
    }
  }

  // ---- Compression

  @Nested
  class Compressed {
    private final String text = "again and again and ".repeat(20);

    @ParameterizedTest
    @ValueSource(
        strings = {
          OFFER,
          OFFER + "; server_no_context_takeover",
          OFFER + "; client_max_window_bits"
        })
    void isDoneOnceForAll(String offer) throws Exception {
      settings.dangerousEnableCompression(true);
      TestHost host = start(Form.BLOCKING);
      Pair one = connect(host, offer);
      Pair two = connect(host, offer);
      Pair plain = connect(host);
      for (Pair each : List.of(one, two, plain)) {
        group.join(each.socket);
      }
      for (int i = 0; i < 3; i++) {
        group.sendText(text + i);
        one.socket.sendText(text + "own");
        group.sendText("short");
      }
      host.loop().execute(() -> group.sendText(text));
      for (int i = 0; i < 3; i++) {
        one.client.expectText(text + i).expectText(text + "own").expectText("short");
        two.client.expectText(text + i).expectText("short");
        plain.client.expectText(text + i).expectText("short");
      }
      for (Pair each : List.of(one, two, plain)) {
        each.client.expectText(text);
      }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void longMessagesAreReplacedWhole(boolean onLoop) throws Exception {
      settings.dangerousEnableCompression(true);
      TestHost host = start(Form.BLOCKING);
      Pair slow = connect(host, OFFER);
      group.join(slow.socket, WhenFull.KEEP_LATEST);
      slow.client.stopTaking();
      String line = "0123456789 and so on; ";
      for (int i = 0; i < 20; i++) {
        String tick = (line + i).repeat(5000);
        if (onLoop) {
          host.loop().execute(() -> group.sendText(tick));
        } else {
          group.sendText(tick);
        }
      }
      host.awaitIdle();
      slow.client.takeAll();
      List<String> received = new ArrayList<>();
      String last = (line + 19).repeat(5000);
      do {
        if (!(slow.client.receiveMessage() instanceof Message.Text(String tick))) {
          throw new AssertionError();
        }
        received.add(tick);
      } while (!received.getLast().equals(last));
      assertThat(received).hasSize(20 - (int) slow.socket.droppedMessages());
    }
  }

  /** A sender that is faster than the loop has to wait for the loop, and for nobody else. */
  @Test
  void aSenderCannotFillTheMemory() throws Exception {
    TestHost host = start(Form.BLOCKING);
    Pair pair = join(host, WhenFull.DROP_OLDEST);
    host.awaitIdle();
    var busy = new CountDownLatch(1);
    host.loop()
        .execute(() -> {
          try {
            busy.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        });
    PreparedMessage message = PreparedMessage.binary(bytes(100_000, 1));
    var sending =
        Background.start(
                () -> {
                  for (int i = 0; i < 100; i++) {
                    group.send(message);
                  }
                  return true;
                })
            .awaitBlockedIn("FanOut");
    busy.countDown();
    sending.join();
    for (int i = 0; i < 100; i++) {
      pair.client.expectBinary(bytes(100_000, 1));
    }
  }
}
