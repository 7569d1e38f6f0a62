package dev.windhover.testing;

import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** Sending in the blocking form. */
class SendTest {
  /** How much the transport is given ahead of time with a queue of 1024 bytes. */
  private static final int SHARE = 256;

  /**
   * How much then waits in the queue: room is kept for a chunk beyond that share, and for a header.
   */
  private static final int CAPACITY = 1024 - SHARE - 256 - 14;

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static ByteBuffer bytes(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * 7);
    }
    return ByteBuffer.wrap(bytes);
  }

  private void finish(TestFrames client) {
    server.release();
    assertThat(client.answerClose()).isEqualTo(CloseReason.of(1000));
  }

  @Test
  void everyFormOfAMessageGoesOutAsItIs() throws Exception {
    TestFrames client = server.hold();
    WebSocket socket = server.socket();
    socket.sendText("Käse");
    socket.sendBinary(new byte[] {1, 2});
    socket.sendBinary(ByteBuffer.wrap(new byte[] {0, 3, 4, 0}, 1, 2));
    socket.send(new Message.Text("a"));
    socket.send(ByteBuffer.allocate(0), MessageType.TEXT, true, SendFlag.DISABLE_COMPRESSION);
    assertThat(client.receive()).isEqualTo(Frame.text("Käse"));
    assertThat(client.receive()).isEqualTo(Frame.binary((byte) 1, (byte) 2));
    assertThat(client.receive()).isEqualTo(Frame.binary((byte) 3, (byte) 4));
    assertThat(client.receive()).isEqualTo(Frame.text("a"));
    assertThat(client.receive()).isEqualTo(Frame.text(""));
    finish(client);
  }

  @Test
  void aMessageThatIsSentKeepsItsPayload() throws Exception {
    TestFrames client = server.hold();
    Message.Binary message = new Message.Binary(ByteBuffer.wrap(new byte[] {1, 2}));
    server.socket().send(message);
    server.socket().send(message);
    assertThat(client.receiveBinary()).containsExactly(1, 2);
    assertThat(client.receiveBinary()).containsExactly(1, 2);
    finish(client);
  }

  @Test
  void piecesGoOutAsFramesOfOneMessage() throws Exception {
    TestFrames client = server.hold();
    server.socket().send(Frame.utf8("Hel"), MessageType.TEXT, false);
    server.socket().send(Frame.utf8(""), MessageType.TEXT, false);
    server.socket().send(Frame.utf8("lo"), MessageType.TEXT, true);
    assertThat(client.receive()).isEqualTo(new Frame(Opcode.TEXT, false, Frame.utf8("Hel")));
    assertThat(client.receive()).isEqualTo(new Frame(Opcode.CONTINUATION, false, Frame.utf8("")));
    assertThat(client.receive()).isEqualTo(new Frame(Opcode.CONTINUATION, true, Frame.utf8("lo")));
    finish(client);
  }

  @Test
  void theBufferIsTheCallersAgain() throws Exception {
    TestFrames client = server.hold();
    client.stopTaking();
    byte[] memory = new byte[100_000];
    bytes(100_000).get(memory);
    ByteBuffer payload = ByteBuffer.wrap(memory);
    server.socket().sendBinary(payload);
    assertThat(payload.hasRemaining()).isFalse();
    Arrays.fill(memory, (byte) 0);
    client.takeAll();
    assertThat(client.receive().payload()).isEqualTo(bytes(100_000));
    finish(client);
  }

  @Test
  void whatWaitsForTheLoopIsFlushedOnce() throws Exception {
    TestFrames client = server.hold();
    CountDownLatch busy = new CountDownLatch(1);
    server.host().loop().execute(() -> awaitQuietly(busy));
    for (int i = 0; i < 100; i++) {
      server.socket().sendText("hello");
    }
    busy.countDown();
    for (int i = 0; i < 100; i++) {
      assertThat(client.receiveText()).isEqualTo("hello");
    }
    assertThat(client.flushes()).isOne();
    finish(client);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aMessageIsNeverOfTypeClose() throws Exception {
    TestFrames client = server.hold();
    assertThatThrownBy(() -> server.socket().send(bytes(1), MessageType.CLOSE, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a message cannot be of type CLOSE; use closeOutput");
    assertThatThrownBy(() -> server.socket().startMessage(MessageType.CLOSE))
        .isInstanceOf(IllegalArgumentException.class);
    finish(client);
  }

  @Test
  void allPiecesOfAMessageAreOfOneType() throws Exception {
    TestFrames client = server.hold();
    server.socket().send(Frame.utf8("a"), MessageType.TEXT, false);
    assertThatThrownBy(() -> server.socket().send(bytes(1), MessageType.BINARY, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("piece of type BINARY in a message of type TEXT");
    server.socket().send(Frame.utf8("b"), MessageType.TEXT, true);
    assertThat(client.receiveText()).isEqualTo("ab");
    finish(client);
  }

  @Test
  void afterOurCloseNothingCanBeSent() throws Exception {
    TestFrames client = server.hold();
    server.socket().closeOutput(1000, "");
    assertThatThrownBy(() -> server.socket().sendText("late"))
        .isInstanceOf(WebSocketClosedException.class)
        .hasMessage("cannot send: the socket is closing");
    client.answerClose();
    server.ending();
    assertThatThrownBy(() -> server.socket().sendText("late"))
        .isInstanceOf(WebSocketClosedException.class)
        .hasMessage("cannot send: the socket has ended");
  }

  @Nested
  class FromSeveralThreads {
    @Test
    void messagesOfOneThreadKeepTheirOrderAndNeverMixWithOthers() throws Exception {
      int threads = 8;
      int messages = 50;
      TestFrames client = server.hold();
      List<Background<Void>> senders = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int thread = t;
        senders.add(
            Background.start(() -> {
              for (int m = 0; m < messages; m++) {
                String text = thread + " " + m + " ";
                if (m % 3 == 0) {
                  server.socket().send(Frame.utf8(text), MessageType.TEXT, false);
                  server.socket().send(Frame.utf8("end"), MessageType.TEXT, true);
                } else {
                  server.socket().sendText(text + "end");
                }
              }
              return null;
            }));
      }
      for (Background<Void> sender : senders) {
        sender.join();
      }
      List<String> received = new ArrayList<>();
      for (int i = 0; i < threads * messages; i++) {
        received.add(client.receiveText());
      }
      assertThat(received).allMatch(text -> text.matches("\\d+ \\d+ end"));
      received.stream()
          .collect(groupingBy(text -> text.substring(0, text.indexOf(' '))))
          .values()
          .forEach(ofOne ->
              assertThat(ofOne)
                  .extracting(text -> Integer.parseInt(text.replaceAll("^\\d+ | end$", "")))
                  .isSorted());
      finish(client);
    }

    @Test
    void othersWaitUntilAMessageHasEnded() throws Exception {
      TestFrames client = server.hold();
      server.socket().send(Frame.utf8("one, "), MessageType.TEXT, false);
      var second = Background.start(() -> server.socket().sendText("two")).awaitBlocked();
      var third = Background.start(() -> server.socket().sendText("three")).awaitBlocked();
      assertThat(client.receive().text()).isEqualTo("one, ");
      client.expectNothing();
      server.socket().send(Frame.utf8("still one"), MessageType.TEXT, true);
      second.join();
      third.join();
      assertThat(client.receive().text()).isEqualTo("still one");
      assertThat(client.receive()).isEqualTo(Frame.text("two"));
      assertThat(client.receive()).isEqualTo(Frame.text("three"));
      finish(client);
    }

    @Test
    void whoWaitsForItsTurnIsWokenByTheEnd() throws Exception {
      TestFrames client = server.hold();
      server.socket().send(Frame.utf8("one, "), MessageType.TEXT, false);
      var second = Background.start(() -> server.socket().sendText("two")).awaitBlocked();
      client.receive();
      client.reset();
      assertThatThrownBy(second::join).isInstanceOf(WebSocketClosedException.class);
    }

    @Test
    void interruptedBeforeItsFirstByteNothingWasSent() throws Exception {
      TestFrames client = server.hold();
      server.socket().send(Frame.utf8("one, "), MessageType.TEXT, false);
      var second = Background.start(() -> server.socket().sendText("two")).awaitBlocked();
      second.interrupt();
      assertThatThrownBy(second::join).isInstanceOf(InterruptedException.class);
      var third = Background.start(() -> server.socket().sendText("three")).awaitBlocked();
      server.socket().send(Frame.utf8("still one"), MessageType.TEXT, true);
      third.join();
      assertThat(client.receiveText()).isEqualTo("one, still one");
      assertThat(client.receive()).isEqualTo(Frame.text("three"));
      finish(client);
    }
  }

  /** A message of unknown length. */
  @Nested
  class Streaming {
    @Test
    void aWriterIsNotTiedToAThread() throws Exception {
      TestFrames client = server.hold();
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      writer.write("from one, ");
      Background.start(
              () -> {
                writer.write("from another");
                return null;
              })
          .join();
      writer.finish();
      writer.close();
      assertThat(client.receiveText()).isEqualTo("from one, from another");
      finish(client);
    }

    @Test
    void eachPieceIsAFrameAndTheEndAnEmptyOne() throws Exception {
      TestFrames client = server.hold();
      try (MessageWriter writer = server.socket().startMessage(MessageType.BINARY)) {
        writer.write(ByteBuffer.wrap(new byte[] {1}));
        writer.finish();
      }
      assertThat(client.receive())
          .isEqualTo(new Frame(Opcode.BINARY, false, ByteBuffer.wrap(new byte[] {1})));
      assertThat(client.receive())
          .isEqualTo(new Frame(Opcode.CONTINUATION, true, ByteBuffer.allocate(0)));
      finish(client);
    }

    @Test
    void aCharacterMayBeCutBetweenPieces() throws Exception {
      TestFrames client = server.hold();
      try (MessageWriter writer = server.socket().startMessage(MessageType.TEXT)) {
        String clef = "𝄞"; // two chars in UTF-16
        writer.write("a" + clef.charAt(0));
        writer.write(clef.charAt(1) + "b");
        writer.finish();
      }
      assertThat(client.receiveText()).isEqualTo("a𝄞b");
      finish(client);
    }

    @Test
    void otherMessagesWaitFromItsStartOn() throws Exception {
      TestFrames client = server.hold();
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      var other = Background.start(() -> server.socket().sendText("other")).awaitBlocked();
      writer.write("mine");
      writer.finish();
      other.join();
      assertThat(client.receiveText()).isEqualTo("mine");
      assertThat(client.receiveText()).isEqualTo("other");
      finish(client);
    }

    @Test
    void abandonedInTheMiddleItFailsTheSocket() throws Exception {
      TestFrames client = server.hold();
      try (MessageWriter writer = server.socket().startMessage(MessageType.TEXT)) {
        writer.write("half");
      }
      assertThat(client.receive().text()).isEqualTo("half");
      assertThat(client.receiveClose())
          .isEqualTo(new CloseReason(1011, "a message was not finished"));
      client.expectEnd();
      client.sendPing("too late for a Pong");
      client.end();
      assertThat(server.ending().reason().code()).isEqualTo(1011);
    }

    @Test
    void abandonedBeforeItsFirstPieceItFailsTheSocketToo() throws Exception {
      TestFrames client = server.hold();
      server.socket().startMessage(MessageType.TEXT).close();
      assertThat(client.answerClose())
          .isEqualTo(new CloseReason(1011, "a message was not finished"));
    }

    @Test
    void afterItsEndItTakesNothing() throws Exception {
      TestFrames client = server.hold();
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      writer.finish();
      assertThatThrownBy(() -> writer.write("late"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the message is finished");
      assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
      assertThat(client.receiveText()).isEmpty();
      finish(client);
    }

    /**
     * Each piece is sent whole, although the first one waits for room in the middle of its frame.
     */
    @Test
    void piecesOfSeveralThreadsDoNotMix() throws Exception {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.hold();
      client.stopTaking();
      MessageWriter writer = server.socket().startMessage(MessageType.BINARY);
      ByteBuffer large = bytes(10_000);
      var first =
          Background.start(
                  () -> {
                    writer.write(large.duplicate());
                    return null;
                  })
              .awaitBlocked();
      var second =
          Background.start(
                  () -> {
                    writer.write(bytes(3));
                    return null;
                  })
              .awaitBlockedIn("$Writer");
      client.takeAll();
      first.join();
      second.join();
      writer.finish();
      assertThat(client.receive()).isEqualTo(new Frame(Opcode.BINARY, false, large));
      assertThat(client.receive()).isEqualTo(new Frame(Opcode.CONTINUATION, false, bytes(3)));
      assertThat(client.receive().fin()).isTrue();
      finish(client);
    }

    @Test
    void aHandlerThatLeavesAMessageOpenFailsTheSocket() {
      TestFrames client =
          server.open(socket -> socket.send(Frame.utf8("half"), MessageType.TEXT, false));
      assertThat(client.receive().text()).isEqualTo("half");
      assertNotFinished(client);
    }

    @Test
    void aHandlerThatLeavesAWriterWithoutAPieceFailsTheSocket() {
      assertNotFinished(server.open(socket -> socket.startMessage(MessageType.TEXT)));
    }

    @Test
    void aHandlerThatLeavesAMessagesStreamOpenFailsTheSocket() {
      assertNotFinished(server.open(socket -> socket.messageOutputStream(MessageType.TEXT)));
    }

    private void assertNotFinished(TestFrames client) {
      assertThat(client.receiveClose())
          .isEqualTo(new CloseReason(1011, "a message was not finished"));
      client.expectEnd();
      client.end();
      assertThat(server.ending().reason().code()).isEqualTo(1011);
    }

    /** The message has begun, so other messages keep waiting until it ends. */
    @Test
    void interruptedBeforeItsFirstByteAWriterKeepsItsTurn() throws Exception {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.hold().stopTaking();
      server.socket().sendBinary(bytes(SHARE - 4));
      server.host().awaitIdle();
      server.socket().sendBinary(bytes(CAPACITY - 4));
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      var blocked =
          Background.start(
                  () -> {
                    writer.write("never");
                    return null;
                  })
              .awaitBlocked();
      blocked.interrupt();
      assertThatThrownBy(blocked::join).isInstanceOf(InterruptedException.class);
      var other = Background.start(() -> server.socket().sendText("other")).awaitBlocked();
      client.takeAll();
      writer.write("mine");
      writer.finish();
      other.join();
      client.receiveBinary();
      client.receiveBinary();
      assertThat(client.receiveText()).isEqualTo("mine");
      assertThat(client.receiveText()).isEqualTo("other");
      finish(client);
    }
  }

  /** A message that its sender has begun and does not end. */
  @Nested
  class Unfinished {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration LOOK = Duration.ofSeconds(1);

    /** Sends the beginning of a message, on a thread that has ended when this returns. */
    private void beginOnAThreadThatEnds() throws Exception {
      Thread thread =
          Thread.ofPlatform()
              .name("gone")
              .start(() -> {
                try {
                  server.socket().send(Frame.utf8("half"), MessageType.TEXT, false);
                } catch (IOException | InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
      thread.join();
    }

    private TestFrames open(Form form) {
      return switch (form) {
        case BLOCKING -> server.hold();
        case LISTENER -> server.listen(new WebSocketListener() {});
      };
    }

    /** Sends on a thread of its own; waits until the message waits. */
    private Background<Boolean> sendBehind(Form form) throws Exception {
      var sending = Background.start(() -> server.socket().sendText("behind"));
      switch (form) {
        case BLOCKING -> sending.awaitBlocked();
        case LISTENER -> sending.join(); // the message is kept back
      }
      server.host().awaitIdle();
      return sending;
    }

    private void expectFailed(TestFrames client, String why) {
      assertThat(client.receive().text()).isEqualTo("half");
      assertThat(client.receiveClose())
          .isEqualTo(new CloseReason(1011, "a message was not finished"));
      client.expectEnd();
      client.end();
      assertThat(server.ending())
          .isEqualTo(
              new Ending(
                  Ending.By.APPLICATION,
                  new CloseReason(1011, "a message was not finished"),
                  why + "; the peer did not answer our close"));
      assertThat(server.events()).containsOnlyOnce("limit unfinished send");
      assertThat(SocketFixture.log(Level.ERROR))
          .singleElement(as(InstanceOfAssertFactories.STRING))
          .endsWith(" failed: " + why);
    }

    @ParameterizedTest
    @EnumSource
    void keepsOthersWaitingFor30Seconds(Form form) throws Exception {
      server.expectError("was not finished within PT30S");
      TestFrames client = open(form);
      CountDownLatch begun = new CountDownLatch(1);
      var first =
          Background.start(() -> {
            Thread.currentThread().setName("first");
            server.socket().send(Frame.utf8("half"), MessageType.TEXT, false);
            begun.countDown();
            new CountDownLatch(1).await();
            return null;
          });
      begun.await();
      server.advance(LIMIT.multipliedBy(2)); // nobody waits
      var second = sendBehind(form);
      server.advance(LIMIT.minusNanos(1));
      server.host().awaitIdle();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.OPEN);
      server.advance(Duration.ofNanos(1));
      String why = "message of thread \"first\" was not finished within PT30S";
      if (form == Form.BLOCKING) {
        assertThatThrownBy(second::join)
            .isInstanceOf(WebSocketClosedException.class)
            .hasMessage("cannot send: " + why);
      }
      expectFailed(client, why);
      first.interrupt();
    }

    @ParameterizedTest
    @EnumSource
    void mayTakeLongerWhilePiecesCome(Form form) throws Exception {
      server.options(o -> o.limits(l -> l.unfinishedSendTimeout(Duration.ofSeconds(10))));
      TestFrames client = open(form);
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      writer.write("a");
      var other = sendBehind(form);
      for (int i = 0; i < 5; i++) {
        server.advance(Duration.ofSeconds(9));
        writer.write("a");
        server.host().awaitIdle();
      }
      writer.finish();
      other.join();
      assertThat(client.receiveText()).isEqualTo("aaaaaa");
      assertThat(client.receiveText()).isEqualTo("behind");
      server.release();
      client.close();
    }

    /** That is the peer's fault, and the limit on a peer that takes nothing applies. */
    @Test
    void isNotBlamedForASlowPeer() throws Exception {
      server.options(o ->
          o.keepAliveInterval(Duration.ZERO)
              .limits(l -> l.sendQueue(1024, 512).writeStallTimeout(Duration.ofHours(1))));
      TestFrames client = server.hold().stopTaking();
      MessageWriter writer = server.socket().startMessage(MessageType.BINARY);
      var first =
          Background.start(
                  () -> {
                    writer.write(bytes(5000));
                    writer.finish();
                    return null;
                  })
              .awaitBlocked();
      var second = Background.start(() -> server.socket().sendText("behind")).awaitBlocked();
      server.advance(LIMIT.multipliedBy(10));
      client.takeAll();
      first.join();
      second.join();
      assertThat(client.receiveBinary()).hasSize(5000);
      assertThat(client.receiveText()).isEqualTo("behind");
      finish(client);
    }

    @ParameterizedTest
    @EnumSource
    void failsTheSocketAtOnceIfItsThreadHasEnded(Form form) throws Exception {
      server.expectError("the thread has ended");
      TestFrames client = open(form);
      beginOnAThreadThatEnds();
      server.host().awaitIdle();
      var other = Background.start(() -> server.socket().sendText("behind"));
      String why = "message of thread \"gone\" was not finished, and the thread has ended";
      if (form == Form.BLOCKING) {
        assertThatThrownBy(other::join)
            .isInstanceOf(WebSocketClosedException.class)
            .hasMessage("cannot send: " + why);
      }
      expectFailed(client, why);
    }

    @ParameterizedTest
    @EnumSource
    void failsTheSocketIfItsThreadEndsWhileOthersWait(Form form) throws Exception {
      server.expectError("the thread has ended");
      TestFrames client = open(form);
      CountDownLatch end = new CountDownLatch(1);
      CountDownLatch begun = new CountDownLatch(1);
      Thread first =
          Thread.ofPlatform()
              .name("gone")
              .start(() -> {
                try {
                  server.socket().send(Frame.utf8("half"), MessageType.TEXT, false);
                  begun.countDown();
                  end.await();
                } catch (IOException | InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
      begun.await();
      sendBehind(form);
      server.advance(LOOK);
      server.host().awaitIdle();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.OPEN);
      end.countDown();
      first.join();
      server.advance(LOOK);
      expectFailed(client, "message of thread \"gone\" was not finished, and the thread has ended");
    }

    @ParameterizedTest
    @EnumSource
    void isNoticedByTrySendIfItsThreadHasEnded(Form form) throws Exception {
      server.expectError("the thread has ended");
      TestFrames client = open(form);
      beginOnAThreadThatEnds();
      assertThat(server.socket().trySendText("behind")).isFalse();
      expectFailed(client, "message of thread \"gone\" was not finished, and the thread has ended");
    }

    @Test
    void isNotWaitedForByItsOwnThread() throws Exception {
      TestFrames client = server.hold();
      String own = "a message of this sender is under way";
      server.socket().send(Frame.utf8("one, "), MessageType.TEXT, false);
      assertThatThrownBy(() -> server.socket().startMessage(MessageType.TEXT))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(own);
      server.socket().send(Frame.utf8("still one"), MessageType.TEXT, true);
      assertThat(client.receiveText()).isEqualTo("one, still one");
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      List<ThrowingCallable> uses =
          List.of(
              () -> server.socket().sendText("two"),
              () -> server.socket().send(Frame.utf8("two"), MessageType.TEXT, false),
              () -> server.socket().send(PreparedMessage.text("two")),
              () -> server.socket().startMessage(MessageType.TEXT));
      assertThat(uses)
          .allSatisfy(use ->
              assertThatThrownBy(use).isInstanceOf(IllegalStateException.class).hasMessage(own));
      writer.write("two");
      assertThatThrownBy(() -> server.socket().sendText("three")).hasMessage(own);
      writer.finish();
      server.socket().sendText("three");
      assertThat(client.receiveText()).isEqualTo("two");
      assertThat(client.receiveText()).isEqualTo("three");
      finish(client);
    }

    @Test
    void isWaitedForByAThreadThatHasHandedItOver() throws Exception {
      TestFrames client = server.hold();
      CompletableFuture<MessageWriter> opened = new CompletableFuture<>();
      CountDownLatch handedOver = new CountDownLatch(1);
      var opener =
          Background.start(() -> {
            opened.complete(server.socket().startMessage(MessageType.TEXT));
            handedOver.await();
            return server.socket().sendText("behind");
          });
      opened.join().write("mine");
      handedOver.countDown();
      opener.awaitBlocked();
      opened.join().finish();
      opener.join();
      assertThat(client.receiveText()).isEqualTo("mine");
      assertThat(client.receiveText()).isEqualTo("behind");
      finish(client);
    }
  }

  /** The effect of a slow peer on its senders. */
  @Nested
  class ToASlowPeer {
    private TestFrames slow() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      return server.hold().stopTaking();
    }

    @Test
    void aFullQueueBlocksTheSender() throws Exception {
      TestFrames client = slow();
      int free = 0;
      while (server.socket().bufferedAmount() < 600) {
        server.socket().sendBinary(bytes(100));
        server.host().awaitIdle();
        free++;
      }
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(2000))).awaitBlocked();
      assertThat(server.socket().bufferedAmount()).isLessThanOrEqualTo(1024);
      server.host().awaitIdle();
      assertThat(server.events()).containsOnlyOnce("limit send queue");
      client.takeAll();
      blocked.join();
      for (int i = 0; i < free; i++) {
        assertThat(client.receiveBinary()).hasSize(100);
      }
      assertThat(client.receiveBinary()).isEqualTo(bytes(2000).array());
      finish(client);
    }

    /** 1 MiB and 256 KiB by default, plus at most a chunk that is on its way. */
    @Test
    void aSenderGoesOnAtTheLowMark() throws Exception {
      TestFrames client = server.hold().stopTaking();
      var sending =
          Background.start(
                  () -> {
                    for (int i = 0; i < 1200; i++) {
                      server.socket().sendBinary(bytes(1000));
                    }
                    return null;
                  })
              .awaitBlocked();
      server.host().awaitIdle();
      long full = server.socket().bufferedAmount();
      assertThat(full).isBetween(900L * 1024, 1024L * 1024);
      client.take(full - 280 * 1024);
      sending.awaitBlocked();
      client.take(30 * 1024);
      sending.join();
      assertThat(server.socket().bufferedAmount()).isGreaterThan(250 * 1024);
      client.takeAll();
      for (int i = 0; i < 1200; i++) {
        assertThat(client.receiveBinary()).hasSize(1000);
      }
      finish(client);
    }

    /** Not even what is on its way from the queue to the transport. */
    @Test
    void allThatWaitsIsCountedAndOnce() throws Exception {
      TestFrames client = server.hold().stopTaking();
      int count = 5000; // of 12 bytes each, less than the transport takes
      var begun = new AtomicLong();
      var sending =
          Background.start(() -> {
            for (int i = 0; i < count; i++) {
              begun.addAndGet(12);
              server.socket().sendBinary(bytes(10));
            }
            return null;
          });
      long waits = 0;
      while (waits < 12L * count) {
        long now = server.socket().bufferedAmount();
        assertThat(now).isBetween(waits, begun.get());
        waits = now;
      }
      sending.join();
      client.takeAll();
      for (int i = 0; i < count; i++) {
        assertThat(client.receiveBinary()).hasSize(10);
      }
      finish(client);
    }

    @Test
    void aPayloadLargerThanTheQueueGoesOutAsOneFrameWithinTheBound() throws Exception {
      TestFrames client = slow();
      var sending = Background.start(() -> server.socket().sendBinary(bytes(100_000)));
      sending.awaitBlocked();
      while (!sending.isDone()) {
        server.host().awaitIdle();
        assertThat(server.socket().bufferedAmount()).isLessThanOrEqualTo(1024);
        client.take(700);
      }
      client.takeAll();
      Frame frame = client.receive();
      assertThat(frame.opcode()).isEqualTo(Opcode.BINARY);
      assertThat(frame.fin()).isTrue();
      assertThat(frame.payload()).isEqualTo(bytes(100_000));
      finish(client);
    }

    /** Headers may go some bytes beyond the bound, then nothing of the payload fits. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
    void aHeaderThatFillsTheQueueIsFollowedByItsPayload(int free) throws Exception {
      TestFrames client = slow();
      int queued = CAPACITY - free;
      server.socket().sendBinary(bytes(SHARE - 4)); // the transport's
      server.host().awaitIdle();
      server.socket().sendBinary(bytes(queued - 4));
      var sending = Background.start(() -> server.socket().sendBinary(bytes(300)));
      sending.awaitBlocked();
      client.takeAll();
      sending.join();
      assertThat(client.receiveBinary()).isEqualTo(bytes(SHARE - 4).array());
      assertThat(client.receiveBinary()).isEqualTo(bytes(queued - 4).array());
      assertThat(client.receiveBinary()).isEqualTo(bytes(300).array());
      finish(client);
    }

    @Test
    void interruptedBeforeItsFirstByteNothingWasSent() throws Exception {
      TestFrames client = slow();
      server.socket().sendBinary(bytes(SHARE - 4));
      server.host().awaitIdle();
      server.socket().sendBinary(bytes(CAPACITY - 4));
      var blocked = Background.start(() -> server.socket().sendText("never")).awaitBlocked();
      blocked.interrupt();
      assertThatThrownBy(blocked::join).isInstanceOf(InterruptedException.class);
      client.takeAll();
      server.socket().sendText("then");
      client.receiveBinary();
      client.receiveBinary();
      assertThat(client.receiveText()).isEqualTo("then");
      finish(client);
    }

    @Test
    void interruptedAfterItsFirstByteTheSocketIsAborted() throws Exception {
      TestFrames client = slow();
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(5000))).awaitBlocked();
      server.host().awaitIdle(); // the loop has begun the frame
      blocked.interrupt();
      assertThatThrownBy(blocked::join).isInstanceOf(InterruptedException.class);
      client.expectReset();
      assertThat(server.ending().why())
          .isEqualTo("a sender was interrupted in the middle of a frame");
      assertThat(server.socket().state()).isEqualTo(WebSocketState.ABORTED);
    }

    @Test
    void pingsAreAnsweredWhileASenderIsBlocked() throws Exception {
      TestFrames client = slow();
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(5000))).awaitBlocked();
      client.sendPing("one").sendPing("two");
      server.host().awaitIdle();
      client.takeAll();
      blocked.join();
      assertThat(client.receiveBinary()).hasSize(5000);
      assertThat(client.receive())
          .as("coalesced while nothing is taken")
          .isEqualTo(Frame.pong("two"));
      finish(client);
    }

    @Test
    void controlFramesGoBetweenTheFramesOfAMessage() throws Exception {
      TestFrames client = server.hold();
      server.socket().send(Frame.utf8("a"), MessageType.TEXT, false);
      assertThat(client.receive().text()).isEqualTo("a");
      client.sendPing("x");
      assertThat(client.receive()).isEqualTo(Frame.pong("x"));
      server.socket().send(Frame.utf8("b"), MessageType.TEXT, true);
      assertThat(client.receive().text()).isEqualTo("b");
      finish(client);
    }

    @Test
    void aCloseWaitsForTheFrameUnderWay() throws Exception {
      TestFrames client = slow();
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(5000))).awaitBlocked();
      server.socket().closeOutput(4000, "enough");
      client.takeAll();
      blocked.join();
      assertThat(client.receiveBinary()).isEqualTo(bytes(5000).array());
      assertThat(client.answerClose()).isEqualTo(new CloseReason(4000, "enough"));
    }

    @Test
    void aSenderInTheMiddleOfAFrameIsWokenByTheEnd() throws Exception {
      TestFrames client = slow();
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(5000))).awaitBlocked();
      client.reset();
      assertThatThrownBy(blocked::join).isInstanceOf(WebSocketClosedException.class);
    }

    /** Both Closes are queued behind a frame that is never finished. */
    @Test
    void aSenderInTheMiddleOfAFrameIsWokenByTheEndOfAClosedSocket() throws Exception {
      TestFrames client = slow();
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(5000))).awaitBlocked();
      server.socket().closeOutput(1000, "");
      client.sendClose(1000, "");
      server.host().awaitIdle();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.CLOSED);
      client.reset();
      assertThatThrownBy(blocked::join).isInstanceOf(WebSocketClosedException.class);
      server.host().awaitIdle();
    }

    /** The peer is gone without a Close, but may still read: the half of a frame goes nowhere. */
    @Test
    void theEndOfThePeerEndsAFrameInItsMiddle() throws Exception {
      TestFrames client = slow();
      var blocked = Background.start(() -> server.socket().sendBinary(bytes(5000))).awaitBlocked();
      client.end();
      assertThat(server.socket().receiveMessage()).isNull();
      assertThatThrownBy(blocked::join).isInstanceOf(WebSocketClosedException.class);
      client.takeAll();
      client.expectEnd();
      assertThat(server.ending().reason().code()).isEqualTo(1006);
    }
  }
}
