package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Handler;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** The listener form. */
class ListenerTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  /** What a test does inside of a call. */
  @FunctionalInterface
  private interface Call {
    void run(WebSocket socket, String call) throws Exception;

    /** Demands all messages at the first call, then does {@code rest}. */
    static Call demandingAll(Call rest) {
      return (socket, call) -> {
        if (call.equals("open")) {
          socket.demand(Long.MAX_VALUE);
        }
        rest.run(socket, call);
      };
    }
  }

  /** Records its calls on the loop; tests read them while the loop is idle. */
  private class Recorded implements WebSocketListener {
    private final List<String> calls = new ArrayList<>();
    private final Call during;
    private boolean inside;

    Recorded() {
      this((socket, call) -> {});
    }

    /** Creates a listener that does {@code during} inside of each call, given the call's name. */
    Recorded(Call during) {
      this.during = during;
    }

    private void enter(WebSocket socket, String call) throws Exception {
      assertThat(inside).as("never two calls at once").isFalse();
      assertThat(Thread.currentThread().getName()).isEqualTo("test-loop");
      inside = true;
      try {
        calls.add(call);
        during.run(socket, call);
      } finally {
        inside = false;
      }
    }

    List<String> calls() {
      server.host().awaitIdle();
      return List.copyOf(calls);
    }

    @Override
    public void onOpen(WebSocket socket) throws Exception {
      enter(socket, "open");
    }

    @Override
    public void onText(WebSocket socket, String text) throws Exception {
      enter(socket, text);
    }

    @Override
    public void onBinary(WebSocket socket, ByteBuffer payload) throws Exception {
      enter(socket, "binary " + payload.remaining());
    }

    @Override
    public void onWritable(WebSocket socket) throws Exception {
      enter(socket, "writable");
    }

    @Override
    public void onClose(WebSocket socket) throws Exception {
      enter(socket, "close " + socket.closeStatus());
    }

    @Override
    public void onEnded(WebSocket socket, Ending ending) throws Exception {
      enter(socket, "ended " + ending.reason());
    }
  }

  @Test
  void acceptReturnsAtOnceAndTheRequestEndsWithTheSocket() {
    CompletableFuture<String> accepted = new CompletableFuture<>();
    CompletableFuture<String> completed = new CompletableFuture<>();
    TestFrames client =
        server
            .start(context -> {
              context.response().onCompleted(() -> completed.complete("over"));
              context.webSockets().accept(new WebSocketListener() {});
              accepted.complete("returned");
            })
            .webSocket("/")
            .connect()
            .frames();
    assertThat(accepted).succeedsWithin(Duration.ofSeconds(10));
    client.sendText("ignored").expectNothing();
    assertThat(completed).isNotDone();
    client.close();
    assertThat(completed).succeedsWithin(Duration.ofSeconds(10)).isEqualTo("over");
  }

  @Test
  void callsComeInTheOrderOfTheWire() {
    Recorded listener = new Recorded(Call.demandingAll((socket, call) -> {}));
    TestFrames client = server.listen(listener);
    client.send(
        client.frame(Opcode.TEXT, true, Frame.utf8("Käse")),
        client.frame(Opcode.BINARY, false, ByteBuffer.allocate(3)),
        client.frame(Opcode.CONTINUATION, true, ByteBuffer.allocate(4)),
        client.frame(Opcode.CLOSE, true, new CloseReason(4000, "").toPayload()));
    assertThat(client.receiveClose()).isEqualTo(CloseReason.of(4000));
    client.expectEnd();
    client.end();
    assertThat(listener.calls())
        .containsExactly("open", "Käse", "binary 7", "close 4000", "ended 4000");
  }

  @Test
  void receivingMethodsAreRefused() {
    TestFrames client = server.echo(Form.LISTENER);
    WebSocket socket = server.socket();
    assertThatThrownBy(socket::receiveMessage).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(socket::iterator).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> socket.receive(ByteBuffer.allocate(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this socket's messages go to its listener");
    client.close();
  }

  @Test
  void aNonBlockingHandlerAcceptsOnlyWithAListener() {
    server.expectError("failed");
    var handler = Handler.nonBlocking(context -> context.webSockets().accept());
    assertThat(server.start(handler).webSocket("/").send().status()).isEqualTo(500);
    assertThat(CapturedLog.lines(Level.ERROR))
        .singleElement()
        .satisfies(line ->
            assertThat(line.thrown())
                .hasMessage("a non-blocking handler can accept a socket only with a listener"));
  }

  @Test
  void aBlockingSocketHasNoDemand() {
    TestFrames client = server.hold();
    assertThatThrownBy(() -> server.socket().demand(1)).isInstanceOf(IllegalStateException.class);
    server.release();
    client.answerClose();
  }

  @Nested
  class Demand {
    @Test
    void messagesComeAsTheyAreDemanded() {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      client.sendText("a").sendText("b").sendText("c");
      assertThat(listener.calls()).containsExactly("open");
      server.socket().demand(2);
      assertThat(listener.calls()).containsExactly("open", "a", "b");
      server.socket().demand(1);
      assertThat(listener.calls()).containsExactly("open", "a", "b", "c");
      assertThatThrownBy(() -> server.socket().demand(0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("demand of 0 messages is not positive");
      client.reset();
    }

    @Test
    void aCallMayDemandTheNextOne() {
      Recorded listener =
          new Recorded((socket, call) -> {
            if (!call.equals("open")) {
              socket.demand(1);
            }
          });
      TestFrames client = server.listen(listener);
      client.sendText("a").sendText("b").sendText("c");
      server.socket().demand(1);
      client.sendText("d");
      assertThat(listener.calls()).containsExactly("open", "a", "b", "c", "d");
      client.reset();
    }

    /** The pattern of back-pressure: demand more when the output has drained. */
    @Test
    void onWritableMayDemandWhatWaits() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onOpen(WebSocket socket) {
                  socket.demand(1);
                }

                @Override
                public void onBinary(WebSocket socket, ByteBuffer payload) throws Exception {
                  if (socket.send(payload, MessageType.BINARY, true)) {
                    socket.demand(1);
                  }
                }

                @Override
                public void onWritable(WebSocket socket) {
                  socket.demand(1);
                }
              });
      client.stopTaking();
      for (int i = 0; i < 10; i++) {
        client.sendBinary(new byte[700]);
      }
      assertThat(client.pending()).isLessThan(2 * 1024);
      client.takeAll();
      for (int i = 0; i < 10; i++) {
        assertThat(client.receiveBinary()).hasSize(700);
      }
      client.close();
      assertThat(client.uncredited()).isZero();
    }

    @Test
    void whatIsNotDemandedWaitsWithinTheBoundThenThePeerIsNotRead() {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      int sent = 0;
      while (client.isServerReading() && sent < 2000) {
        client.sendBinary(new byte[1000]);
        sent++;
      }
      assertThat(sent).isBetween(50, 66);
      client.sendText("behind");
      server.socket().demand(sent);
      assertThat(listener.calls()).hasSize(1 + sent);
      assertThat(client.isServerReading()).isFalse();
      server.socket().demand(1);
      server.host().awaitIdle();
      assertThat(listener.calls()).last().isEqualTo("behind");
      assertThat(client.isServerReading()).isTrue();
      assertThat(client.uncredited()).isZero();
      client.reset();
    }

    @Test
    void aCloseWaitsForTheDemandAsMessagesDo() {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      client.sendText("a").sendClose(1000, "").expectNothing();
      server.socket().demand(1);
      assertThat(listener.calls()).containsExactly("open", "a");
      client.expectNothing();
      server.socket().demand(1);
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.expectEnd();
      client.end();
      assertThat(listener.calls()).containsExactly("open", "a", "close 1000", "ended 1000");
    }

    @Test
    void behindOurCloseWhatIsKeptStillComesBeforeThePeers() throws Exception {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      client.sendText("kept").expectNothing();
      server.socket().closeOutput(1000, "");
      client.receiveClose();
      client.sendClose(1000, "").expectNothing();
      assertThat(listener.calls()).containsExactly("open");
      server.socket().demand(1);
      client.expectEnd();
      client.end();
      assertThat(listener.calls()).containsExactly("open", "kept", "close 1000", "ended 1000");
    }

    /** The peer has done its part in time; our part has five seconds of its own. */
    @Test
    void whatIsKeptHasItsTimeBehindThePeersClose() throws Exception {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      client.sendText("kept").expectNothing();
      server.socket().closeOutput(1000, "");
      client.receiveClose();
      server.advance(Duration.ofSeconds(4));
      client.sendClose(1000, "").expectNothing();
      server.advance(Duration.ofSeconds(4));
      server.socket().demand(1);
      client.expectEnd();
      client.end();
      assertThat(listener.calls()).containsExactly("open", "kept", "close 1000", "ended 1000");
    }

    /**
     * A Close is answered five seconds after it was read, but the listener still sees it in order.
     */
    @Test
    void whatIsKeptComesBeforeTheCloseThoughThatWasAnsweredInTime() {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      client.sendText("kept").sendText("too").sendClose(4000, "");
      server.advance(Duration.ofSeconds(5));
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(4000));
      client.expectEnd();
      assertThat(listener.calls()).containsExactly("open");
      server.socket().demand(1);
      assertThat(listener.calls()).containsExactly("open", "kept");
      server.socket().demand(1);
      assertThat(listener.calls()).containsExactly("open", "kept", "too", "close 4000");
      client.end();
      assertThat(listener.calls()).last().isEqualTo("ended 4000");
    }

    @Test
    void theEndIsTheLastCallWhateverIsKept() throws Exception {
      Recorded listener = new Recorded();
      TestFrames client = server.listen(listener);
      client.sendText("kept").sendClose(1000, "").reset();
      assertThat(listener.calls()).containsExactly("open", "ended 1000");
      server.socket().demand(10);
      server.socket().close(1000, "");
      server.socket().abort();
      assertThat(listener.calls()).containsExactly("open", "ended 1000");
    }

    @Test
    void bytesThatComeBeforeTheFirstCallWait() {
      Recorded listener = new Recorded((socket, call) -> socket.demand(1));
      TestFrames client =
          server
              .start(context -> context.webSockets().accept(listener))
              .webSocket("/")
              .followedBy("81 85 37fa213d 7f9f4d5158")
              .connect()
              .frames();
      assertThat(listener.calls()).containsExactly("open", "Hello");
      client.reset();
    }
  }

  /** "Lent for the duration of the call." */
  @Nested
  class LentBytes {
    @Test
    void howTheListenerLeavesThemDoesNotMatter() {
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onBinary(WebSocket socket, ByteBuffer payload) throws Exception {
                  payload.order(ByteOrder.LITTLE_ENDIAN);
                  socket.sendText(Integer.toHexString(payload.getInt()));
                  payload.position(0).limit(payload.capacity());
                }
              });
      ByteBuffer four = ByteBuffer.wrap(new byte[] {1, 2, 3, 4});
      ByteBuffer large = ByteBuffer.allocate(300).put(0, (byte) 7);
      client.send(
          client.frame(Opcode.BINARY, true, four),
          client.frame(Opcode.BINARY, true, large), // a length of 16 bits, big-endian
          client.frame(Opcode.BINARY, true, four));
      assertThat(client.receiveText()).isEqualTo("4030201");
      assertThat(client.receiveText()).isEqualTo("7");
      assertThat(client.receiveText()).isEqualTo("4030201");
      client.close();
    }

    @Test
    void aMessageThatIsNotReadIsPassedOver() {
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload)
                    throws Exception {
                  if (type == MessageType.TEXT) {
                    socket.sendText(StandardCharsets.UTF_8.decode(payload).toString());
                  }
                }
              });
      client.send(
          client.frame(Opcode.BINARY, true, ByteBuffer.allocate(100)),
          client.frame(Opcode.TEXT, true, Frame.utf8("seen")));
      assertThat(client.receiveText()).isEqualTo("seen");
      client.close();
      assertThat(client.uncredited()).isZero();
    }
  }

  @Nested
  class Sending {
    /** Both sockets share one loop: what one listener sends to the other must not wait there. */
    @Test
    void toAnotherSocketOfTheSameLoopGoesOutAtOnce() {
      List<WebSocket> all = new ArrayList<>();
      TestHost host =
          server.start(context ->
              context
                  .webSockets()
                  .accept(
                      new WebSocketListener() {
                        @Override
                        public void onOpen(WebSocket socket) {
                          all.add(socket);
                          socket.demand(Long.MAX_VALUE);
                        }

                        @Override
                        public void onText(WebSocket from, String text) throws Exception {
                          for (WebSocket socket : all) {
                            socket.sendText(text);
                          }
                        }
                      }));
      TestFrames one = host.webSocket("/").connect().frames();
      TestFrames two = host.webSocket("/").connect().frames();
      one.sendText("to all");
      assertThat(one.receiveText()).isEqualTo("to all");
      assertThat(two.receiveText()).isEqualTo("to all");
      one.close();
      two.close();
    }

    @Test
    void fromACallThatAnotherThreadsDemandBroughtGoesOutAtOnce() {
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onOpen(WebSocket socket) {}

                @Override
                public void onText(WebSocket socket, String text) throws Exception {
                  socket.sendText(text);
                }
              });
      client.sendText("kept").expectNothing();
      server.socket().demand(1);
      assertThat(client.receiveText()).isEqualTo("kept");
      client.reset();
    }

    @Test
    void fromAnyThreadGoesOut() throws Exception {
      TestFrames client = server.echo(Form.LISTENER);
      assertThat(server.socket().sendText("from a thread")).isTrue();
      assertThat(client.receiveText()).isEqualTo("from a thread");
      client.close();
    }

    @Test
    void neverBlocksBehindAMessageUnderWayButGoesBehindIt() throws Exception {
      TestFrames client = server.echo(Form.LISTENER);
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      writer.write("one");
      assertThat(client.receive().text()).isEqualTo("one");
      server.socket().sendText("two");
      client.expectNothing();
      assertThatThrownBy(() -> server.socket().send(Frame.utf8("three"), MessageType.TEXT, false))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("a message of another sender is under way");
      writer.write(", still one");
      writer.finish();
      assertThat(client.receive().text()).isEqualTo(", still one");
      assertThat(client.receive().fin()).isTrue();
      assertThat(client.receive()).isEqualTo(Frame.text("two"));
      client.close();
    }

    @Test
    void neverWaitsOnTheLoopForAnotherThreadsPiece() throws Exception {
      TestFrames client = server.echo(Form.LISTENER);
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch released = new CountDownLatch(1);
      var other =
          Background.start(() -> {
            writer.write(new SlowText("one", begun, released));
            return null;
          });
      begun.await();
      assertThatThrownBy(() -> server.onLoop(() -> writer.write("two")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("another thread is sending a piece of this message");
      var third =
          Background.start(
                  () -> {
                    writer.write(", three");
                    return null;
                  })
              .awaitBlockedIn("$Writer");
      released.countDown();
      other.join();
      third.join();
      server.onLoop(writer::finish);
      assertThat(client.receiveText()).isEqualTo("one, three");
      client.close();
    }

    /** A text that is known only when it is released. */
    private record SlowText(String text, CountDownLatch begun, CountDownLatch released)
        implements CharSequence {
      @Override
      public int length() {
        return text.length();
      }

      @Override
      public char charAt(int index) {
        return text.charAt(index);
      }

      @Override
      public CharSequence subSequence(int start, int end) {
        return text.subSequence(start, end);
      }

      @Override
      public String toString() {
        begun.countDown();
        try {
          released.await();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
        return text;
      }
    }

    /** Otherwise the message could not end, nothing would leave, and nobody would learn of room. */
    @Test
    void ofWhatEndsAMessageIsNotRefusedForWhatWaitsBehindIt() throws Exception {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      List<String> calls = new ArrayList<>();
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onWritable(WebSocket socket) {
                  calls.add("writable at " + socket.bufferedAmount());
                }
              });
      WebSocket socket = server.socket();
      MessageWriter writer = socket.startMessage(MessageType.TEXT);
      writer.write("one");
      socket.sendBinary(new byte[600]);
      assertThat(socket.sendBinary(new byte[600])).isFalse();
      assertThatThrownBy(() -> socket.sendBinary(new byte[600]))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("over its high mark");
      server.host().awaitIdle();
      writer.write(", still one");
      writer.finish();
      assertThat(client.receiveText()).isEqualTo("one, still one");
      assertThat(client.receiveBinary()).hasSize(600);
      assertThat(client.receiveBinary()).hasSize(600);
      server.host().awaitIdle();
      assertThat(calls).last().isEqualTo("writable at 0");
      client.close();
    }

    @Test
    void ofAnAbandonedMessageFailsTheSocket() throws Exception {
      TestFrames client = server.echo(Form.LISTENER);
      try (MessageWriter writer = server.socket().startMessage(MessageType.TEXT)) {
        writer.write("half");
      }
      client.receive();
      assertThat(client.receiveClose())
          .isEqualTo(new CloseReason(1011, "a message was not finished"));
      client.expectEnd();
      client.end();
    }
  }

  /** "Never two at once": calls that a call brings about follow when it has returned. */
  @Nested
  class OneCallAtATime {
    @Test
    void theEndComesBehindTheCallWhoseSendFoundIt() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      List<String> returned = new ArrayList<>();
      Recorded listener =
          new Recorded(
              Call.demandingAll((socket, call) -> {
                if (call.equals("a")) { // beyond the high mark a send looks, and so flushes
                  socket.send(ByteBuffer.allocate(1200), MessageType.BINARY, false);
                  assertThat(socket.state()).isEqualTo(WebSocketState.ABORTED);
                  returned.add(call);
                }
              }));
      TestFrames client = server.listen(listener);
      client.failWriteAfter(0).sendText("a");
      assertThat(listener.calls()).containsExactly("open", "a", "ended 1006");
      assertThat(returned).containsExactly("a");
    }

    /** The loop drains what another thread sends between the calls, and in their own sends. */
    @Test
    void whileAnotherThreadSends() throws Exception {
      Recorded listener =
          new Recorded(Call.demandingAll((socket, call) -> socket.sendText("answer")));
      TestFrames client = server.listen(listener);
      var sending =
          Background.start(() -> {
            for (int i = 0; i < 200; i++) {
              server.socket().sendText("of a thread");
            }
            return null;
          });
      for (int i = 0; i < 200; i++) {
        client.send(Opcode.BINARY, true, ByteBuffer.allocate(i % 3));
      }
      sending.join();
      assertThat(listener.calls()).filteredOn(call -> call.startsWith("binary")).hasSize(200);
      server.host().allowLeftOvers();
    }

    @Test
    void onWritableComesBehindTheCallWhoseSendDrainedTheQueue() throws Exception {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      Recorded listener =
          new Recorded(
              Call.demandingAll((socket, call) -> {
                if (call.equals("fill")) {
                  socket.sendBinary(new byte[1200]);
                } else if (call.equals("drain")) {
                  socket.send(Frame.utf8("half"), MessageType.TEXT, false); // looks and flushes
                }
              }));
      TestFrames client = server.listen(listener).stopTaking();
      client.sendText("fill").take(904); // below the low mark, above that of the transport
      assertThat(listener.calls()).containsExactly("open", "fill");
      client.sendText("drain");
      assertThat(listener.calls()).containsExactly("open", "fill", "drain", "writable");
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(1200);
      assertThat(client.receive().text()).isEqualTo("half");
      client.reset();
    }
  }

  @Nested
  class Ends {
    @Test
    void anExceptionFailsTheSocketWith1011AndLogsOneError() {
      server.expectError("failed");
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onText(WebSocket socket, String text) {
                  throw new IllegalStateException("boom");
                }
              });
      client.send(
          client.frame(Opcode.TEXT, true, Frame.utf8("a")),
          client.frame(Opcode.TEXT, true, Frame.utf8("never delivered")));
      assertThat(client.answerClose()).isEqualTo(CloseReason.of(1011));
      assertOneErrorOfTheListener();
      assertThat(client.uncredited()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"open", "binary 3", "close 4000", "writable"})
    void anExceptionOfAnyCallDoes(String failing) {
      server.expectError("failed");
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.listen(failingIn(failing)).stopTaking();
      client.sendBinary(new byte[3]).takeAll().sendClose(4000, "");
      if (!failing.equals("open")) {
        assertThat(client.receiveBinary()).hasSize(2000);
      }
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1011));
      client.expectEnd();
      client.end();
      assertOneErrorOfTheListener();
    }

    @Test
    void anExceptionOfTheLastCallIsLoggedAndNoMore() {
      server.expectError("failed");
      CompletableFuture<String> completed = new CompletableFuture<>();
      TestFrames client =
          server
              .start(context -> {
                context.response().onCompleted(() -> completed.complete("over"));
                context.webSockets().accept(failingIn("ended 1006"));
              })
              .webSocket("/")
              .connect()
              .frames();
      client.reset();
      assertThat(completed).succeedsWithin(Duration.ofSeconds(10));
      assertThat(server.ending().by()).isEqualTo(Ending.By.CONNECTION);
      assertOneErrorOfTheListener();
    }

    /** Fills the queue with its answer to a binary message, and fails in one of its calls. */
    private Recorded failingIn(String failing) {
      return new Recorded(
          Call.demandingAll((socket, call) -> {
            if (call.startsWith("binary")) {
              socket.sendBinary(new byte[2000]);
            }
            if (call.equals(failing)) {
              throw new IllegalStateException("boom");
            }
          }));
    }

    private void assertOneErrorOfTheListener() {
      assertThat(CapturedLog.lines(Level.ERROR))
          .singleElement()
          .satisfies(line -> {
            assertThat(line.text())
                .matches("listener of request \\S+ failed: GET / \\(route /\\) from client.test");
            assertThat(line.thrown()).hasMessage("boom");
          });
    }

    @Test
    void aHandlerThatFailsAfterItAcceptedFailsTheSocket() {
      server.expectError("failed");
      TestFrames client =
          server
              .start(context -> {
                context.webSockets().accept(new WebSocketListener() {});
                throw new IllegalStateException("boom");
              })
              .webSocket("/")
              .connect()
              .frames();
      assertThat(client.answerClose()).isEqualTo(CloseReason.of(1011));
    }

    @Test
    void aListenerMayAnswerTheCloseItself() {
      TestFrames client =
          server.listen(
              new WebSocketListener() {
                @Override
                public void onClose(WebSocket socket) throws Exception {
                  socket.sendText("one thing more");
                  socket.closeOutput(4444, "mine");
                }
              });
      client.sendClose(1000, "");
      assertThat(client.receiveText()).isEqualTo("one thing more");
      assertThat(client.receiveClose()).isEqualTo(new CloseReason(4444, "mine"));
      client.expectEnd();
    }

    @Test
    void closeDoesNotWaitAndDropsWhatComes() {
      Recorded listener =
          new Recorded(
              Call.demandingAll((socket, call) -> {
                if (call.equals("a")) {
                  socket.close(4000, "enough");
                  assertThat(socket.state()).isEqualTo(WebSocketState.CLOSE_SENT);
                }
              }));
      TestFrames client = server.listen(listener);
      client.send(
          client.frame(Opcode.TEXT, false, Frame.utf8("")),
          client.frame(Opcode.CONTINUATION, true, Frame.utf8("a")),
          client.frame(Opcode.TEXT, true, Frame.utf8("dropped")));
      assertThat(client.answerClose()).isEqualTo(new CloseReason(4000, "enough"));
      assertThat(listener.calls()).containsExactly("open", "a", "close 4000", "ended 4000");
      assertThat(client.uncredited()).isZero();
    }

    /** The host in memory reports a fault if anything is written then. */
    @Test
    void aPongThatWaitsGoesNowhereWhenTheConnectionIsGone() {
      server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
      TestFrames client = server.echo(Form.LISTENER).stopTaking();
      client.sendBinary(new byte[600]).sendPing("waits").reset();
      assertThat(server.ending().by()).isEqualTo(Ending.By.CONNECTION);
    }

    @Test
    void afterAbortNothingComes() {
      Recorded listener =
          new Recorded(
              Call.demandingAll((socket, call) -> {
                if (call.equals("a")) {
                  socket.abort();
                }
              }));
      TestFrames client = server.listen(listener);
      client.send(
          client.frame(Opcode.TEXT, true, Frame.utf8("a")),
          client.frame(Opcode.TEXT, true, Frame.utf8("dropped")));
      client.expectReset();
      assertThat(listener.calls()).containsExactly("open", "a", "ended 1006");
    }

    @Test
    void aClientThatIsGoneBeforeTheAnswerIsToldAsOpenAndEnded() {
      Recorded listener = new Recorded();
      CompletableFuture<Void> gone = new CompletableFuture<>();
      server.start(context -> {
        gone.get();
        context.webSockets().accept(listener);
      });
      server.host().webSocket("/").sendAndLeave();
      gone.complete(null);
      server.ending();
      assertThat(listener.calls()).isEqualTo(Arrays.asList("open", "ended 1006"));
    }
  }
}
