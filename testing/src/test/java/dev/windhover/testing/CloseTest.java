package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** How sockets end: the handler's end, closing handshakes, time limits, lost connections. */
class CloseTest {
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration NANO = Duration.ofNanos(1);

  @RegisterExtension final SocketFixture server = new SocketFixture();

  /** "The handler's end is the socket's end." */
  @Nested
  class TheHandlersEnd {
    @Test
    void returningClosesWith1000() {
      TestFrames client = server.open(socket -> {});
      assertThat(client.answerClose()).isEqualTo(CloseReason.of(1000));
      assertThat(server.ending())
          .isEqualTo(new Ending(Ending.By.APPLICATION, CloseReason.of(1000), "the handler ended"));
    }

    @Test
    void returningAnswersACloseThatWaits() {
      TestFrames client = server.hold();
      client.sendClose(4001, "bye");
      server.host().awaitIdle();
      server.release();
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(4001));
      client.expectEnd();
      client.end();
      assertThat(server.ending())
          .isEqualTo(new Ending(Ending.By.PEER, new CloseReason(4001, "bye"), "the peer closed"));
    }

    @Test
    void throwingClosesWith1011AndLogsOneErrorWithTheRequestsId() {
      server.expectError("failed");
      CompletableFuture<String> id = new CompletableFuture<>();
      TestFrames client =
          server
              .start(context -> {
                id.complete(context.id());
                context.webSockets().accept();
                throw new IllegalArgumentException("boom");
              })
              .webSocket("/")
              .connect()
              .frames();
      assertThat(client.answerClose()).isEqualTo(CloseReason.of(1011));
      assertThat(server.ending())
          .isEqualTo(new Ending(Ending.By.APPLICATION, CloseReason.of(1011), "the handler failed"));
      assertThat(CapturedLog.lines(Level.ERROR))
          .singleElement()
          .satisfies(line -> {
            assertThat(line.text())
                .isEqualTo(
                    "handler of request "
                        + id.join()
                        + " failed: GET / (route /) from client.test");
            assertThat(line.thrown()).hasMessage("boom");
          });
    }

    @ParameterizedTest
    @EnumSource
    void inDevelopmentTheCloseSaysWhatWasThrown(Form form) {
      server.expectError("failed");
      TestFrames client = openFailing(form, "boom");
      client.sendText("go");
      assertThat(client.answerClose())
          .isEqualTo(new CloseReason(1011, "java.lang.IllegalStateException: boom"));
    }

    @ParameterizedTest
    @EnumSource
    void whatWasThrownIsCutToWhatFits(Form form) {
      server.expectError("failed");
      TestFrames client = openFailing(form, "é".repeat(100));
      client.sendText("go");
      String text = client.answerClose().text(); // 33 bytes before the message
      assertThat(text).isEqualTo("java.lang.IllegalStateException: " + "é".repeat(45));
    }

    /** Opens a socket, in development, that fails at its first message. */
    private TestFrames openFailing(Form form, String message) {
      server.environment("development");
      return switch (form) {
        case BLOCKING ->
            server.open(socket -> {
              socket.receiveMessage();
              throw new IllegalStateException(message);
            });
        case LISTENER ->
            server.listen(
                new WebSocketListener() {
                  @Override
                  public void onText(WebSocket socket, String text) {
                    throw new IllegalStateException(message);
                  }
                });
      };
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isFollowedByTheClosingTimeLimitThenAbort(boolean failing) {
      server.expectError("failed");
      TestFrames client =
          server.open(socket -> {
            if (failing) {
              throw new IllegalStateException("boom");
            }
          });
      assertThat(client.receiveClose().code()).isEqualTo(failing ? 1011 : 1000);
      server.advance(CLOSE_TIMEOUT.minus(NANO));
      client.expectNothing();
      server.advance(NANO);
      client.expectReset();
      assertThat(server.events()).contains("limit closing handshake");
      assertThat(server.ending().why())
          .isEqualTo(
              (failing ? "the handler failed" : "the handler ended")
                  + "; the peer did not answer our close");
    }

    @Test
    void makesTheSocketUnusableAndItSaysSo() {
      TestFrames client = server.open(socket -> {});
      client.answerClose();
      server.ending();
      String ended = "has ended";
      assertThatThrownBy(() -> server.socket().receiveMessage())
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(ended);
      assertThatThrownBy(() -> server.socket().sendText("late"))
          .isInstanceOf(WebSocketClosedException.class)
          .hasMessageContaining(ended);
    }

    @Test
    void wakesABackgroundServiceAndTellsItEvenBeforeThePeerAnswers() throws Exception {
      TestFrames client = server.hold();
      WebSocket socket = server.socket();
      var receiving = Background.start(socket::receiveMessage).awaitBlocked();
      server.release();
      assertThat(receiving.join()).isNull();
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      List<ThrowingCallable> reception =
          List.of(
              socket::receiveMessage,
              () -> socket.receive(ByteBuffer.allocate(1)),
              () -> socket.inputStream().read());
      assertThat(reception)
          .allSatisfy(use ->
              assertThatThrownBy(use)
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageMatching("the handler of request \\S+ has ended"));
      List<ThrowingCallable> sending =
          List.of(
              () -> socket.sendText("late"),
              () -> socket.send(PreparedMessage.text("late")),
              () -> socket.startMessage(MessageType.TEXT));
      assertThat(sending)
          .allSatisfy(use ->
              assertThatThrownBy(use)
                  .isInstanceOf(WebSocketClosedException.class)
                  .hasMessage("cannot send: the socket is closing"));
      client.sendClose(1000, "");
      client.expectEnd();
    }

    @Test
    void aTaskThatFailedFailsTheHandlerThatWaitsForIt() {
      server.expectError("failed");
      TestFrames client =
          server.open(
              socket -> CompletableFuture.failedFuture(new IllegalStateException("boom")).get());
      assertThat(client.answerClose()).isEqualTo(CloseReason.of(1011));
      assertThat(CapturedLog.lines(Level.ERROR))
          .singleElement()
          .satisfies(line -> assertThat(line.thrown()).hasRootCauseMessage("boom"));
    }

    /** The application asked for the interrupt, so it is not reported as an error. */
    @Test
    void anInterruptAfterTheSocketsEndIsNoError() throws Exception {
      CompletableFuture<Thread> handler = new CompletableFuture<>();
      TestFrames client =
          server
              .start(context -> {
                handler.complete(Thread.currentThread());
                context.interruptWhenAborted();
                context.webSockets().accept();
                new CountDownLatch(1).await();
              })
              .webSocket("/")
              .connect()
              .frames();
      client.reset();
      assertThat(handler.join().join(Duration.ofSeconds(10))).isTrue();
      assertThat(SocketFixture.log(Level.ERROR)).isEmpty();
      assertThat(SocketFixture.log(Level.DEBUG))
          .filteredOn(line ->
              line.matches("handler of request \\S+ was interrupted after its socket ended"))
          .hasSize(1);
    }

    @Test
    void aSocketHandedToABackgroundServiceLivesWhileItsHandlerWaits() throws Exception {
      TestFrames client = server.hold();
      client.sendText("for the service");
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("for the service"));
      server.socket().sendText("from the service");
      assertThat(client.receiveText()).isEqualTo("from the service");
      server.release();
      client.answerClose();
    }

    @Test
    void aSendToASocketThatHasEndedIsAQuietEnd() {
      TestFrames client =
          server.open(socket -> {
            assertThat(socket.receiveMessage()).isNull();
            socket.closeOutput(1000, "");
            socket.sendText("too late");
          });
      client.sendClose(1000, "");
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.expectEnd();
    }

    /** The exception reports the end of another socket, so this one has failed. */
    @ParameterizedTest
    @EnumSource
    void aSendToAnotherSocketThatHasEndedIsAFailure(Form form) {
      server.expectError("failed");
      TestFrames client =
          switch (form) {
            case BLOCKING ->
                server.open(socket -> {
                  socket.receiveMessage();
                  throw new WebSocketClosedException("another one");
                });
            case LISTENER ->
                server.listen(
                    new WebSocketListener() {
                      @Override
                      public void onText(WebSocket socket, String text) throws Exception {
                        throw new WebSocketClosedException("another one");
                      }
                    });
          };
      client.sendText("fan out");
      assertThat(client.answerClose().code()).isEqualTo(1011);
      assertThat(CapturedLog.lines(Level.ERROR)).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void whatWaitsForTheEndMayBlock(Form form) {
      CompletableFuture<Boolean> virtual = new CompletableFuture<>();
      TestFrames client =
          server
              .start(context -> {
                context
                    .response()
                    .onCompleted(() -> virtual.complete(Thread.currentThread().isVirtual()));
                if (form == Form.BLOCKING) {
                  context.webSockets().accept().receiveMessage();
                } else {
                  context.webSockets().accept(new WebSocketListener() {});
                }
              })
              .webSocket("/")
              .connect()
              .frames();
      client.close();
      assertThat(virtual.orTimeout(10, TimeUnit.SECONDS).join()).isTrue();
    }

    @Test
    void theRequestIsCompletedWhenTheSocketHasEnded() {
      CompletableFuture<WebSocketState> completed = new CompletableFuture<>();
      TestFrames client =
          server
              .start(context -> {
                WebSocket socket = context.webSockets().accept();
                context.response().onCompleted(() -> completed.complete(socket.state()));
              })
              .webSocket("/")
              .connect()
              .frames();
      client.receiveClose();
      assertThat(completed).isNotDone();
      client.sendClose(1000, "");
      client.expectEnd();
      client.end();
      assertThat(completed.orTimeout(10, TimeUnit.SECONDS).join()).isEqualTo(WebSocketState.CLOSED);
    }
  }

  /** "What the application sees is in wire order." */
  @Nested
  class OrderOfEvents {
    @ParameterizedTest
    @EnumSource
    void aGoodMessageInTheSameReadAsACloseIsEchoedBeforeIt(Form form) {
      TestFrames client = server.echo(form);
      client.send(
          client.frame(Opcode.TEXT, true, Frame.utf8("good")),
          client.frame(Opcode.CLOSE, true, new CloseReason(4000, "bye").toPayload()));
      assertThat(client.receive()).isEqualTo(Frame.text("good"));
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(4000));
      client.expectEnd();
    }

    @ParameterizedTest
    @EnumSource
    void nothingBehindACloseIsLookedAt(Form form) {
      TestFrames client = server.echo(form);
      client.send(
          client.frame(Opcode.CLOSE, true, CloseReason.of(1000).toPayload()),
          client.frame(Opcode.TEXT, true, Frame.utf8("behind")),
          ByteBuffer.wrap(new byte[] {(byte) 0x83, 0}));
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1000));
      client.expectEnd();
      assertThat(server.events()).doesNotContain("received TEXT 6");
    }

    @Test
    void aCloseTakesEffectWhenTheApplicationAsksAgain() throws Exception {
      TestFrames client = server.hold();
      client.sendText("before").sendClose(1000, "");
      server.host().awaitIdle();
      WebSocket socket = server.socket();
      assertThat(socket.state()).isEqualTo(WebSocketState.OPEN);
      socket.receiveMessage();
      assertThat(socket.state()).isEqualTo(WebSocketState.OPEN);
      assertThat(socket.receiveMessage()).isNull();
      assertThat(socket.state()).isEqualTo(WebSocketState.CLOSE_RECEIVED);
      server.release();
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.expectEnd();
    }

    /** A peer that reads slowly must have the time to read what is queued before our Close. */
    @ParameterizedTest
    @EnumSource
    void theClosingTimeLimitBeginsWhenOurCloseHasLeft(Form form) throws Exception {
      TestFrames client = form == Form.BLOCKING ? server.hold() : server.listen(new Mute());
      client.stopTaking();
      server.socket().sendBinary(new byte[1000]);
      server.socket().closeOutput(1000, "");
      for (int i = 0; i < 10; i++) {
        server.advance(Duration.ofSeconds(29)); // below the 30 s in which a peer must take a byte
        client.take(50).expectNothing();
      }
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(1000);
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1000));
      server.advance(CLOSE_TIMEOUT);
      client.expectNothing();
      server.advance(CLOSE_TIMEOUT.dividedBy(8)); // how often it looks whether the Close has left
      client.expectReset();
      assertThat(server.events()).contains("limit closing handshake");
      server.release();
    }

    @ParameterizedTest
    @EnumSource
    void aPeerThatDoesNotEvenTakeOurCloseIsDroppedAsOneThatTakesNothing(Form form)
        throws Exception {
      TestFrames client = form == Form.BLOCKING ? server.hold() : server.listen(new Mute());
      client.stopTaking();
      server.socket().closeOutput(1000, "");
      server.advance(Duration.ofSeconds(30).minus(NANO));
      client.expectNothing();
      server.advance(NANO);
      client.expectReset();
      assertThat(server.events()).contains("limit stalled write");
      server.release();
    }

    /** The peer's Close, or a violation of its, and how it is answered. */
    @ParameterizedTest
    @CsvSource({
      "BLOCKING, 88 82 00000000 0fa2, 4002", "BLOCKING, 83 80 00000000, 1002",
      "LISTENER, 88 82 00000000 0fa2, 4002", "LISTENER, 83 80 00000000, 1002"
    })
    void theEndTakesEffectAtTheLatestFiveSecondsAfterItWasRead(Form form, String hex, int code)
        throws Exception {
      TestFrames client = form == Form.BLOCKING ? server.hold() : server.listen(new Mute());
      client.sendText("before").sendHex(hex);
      server.advance(Duration.ofSeconds(5).minus(NANO));
      client.expectNothing();
      assertThat(server.events()).doesNotContain("limit unread end");
      server.advance(NANO);
      assertThat(client.receiveClose().code()).isEqualTo(code);
      client.expectEnd();
      assertThat(server.events()).containsOnlyOnce("limit unread end");
      if (form == Form.BLOCKING) {
        assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("before"));
        assertThat(server.socket().receiveMessage()).isNull();
      }
    }

    /**
     * Messages before it may be unread; a failing handler overrules a Close, but not a violation.
     */
    @ParameterizedTest
    @CsvSource({
      "false, 88 82 00000000 0fa1, 4001", "false, 83 80 00000000, 1002",
      "true, 88 82 00000000 0fa1, 1011", "true, 83 80 00000000, 1002"
    })
    void theEndTakesEffectWhenTheHandlerEnds(boolean failing, String hex, int code)
        throws Exception {
      server.expectError("failed");
      CompletableFuture<Void> gate = new CompletableFuture<>();
      CompletableFuture<Thread> handler = new CompletableFuture<>();
      TestFrames client =
          server
              .start(context -> {
                handler.complete(Thread.currentThread());
                context.webSockets().accept();
                gate.get();
                if (failing) {
                  throw new IllegalStateException("boom");
                }
              })
              .webSocket("/")
              .connect()
              .frames();
      client.sendText("unread").sendHex(hex).expectNothing();
      gate.complete(null);
      assertThat(client.receiveClose().code()).isEqualTo(code);
      client.expectEnd();
      client.end();
      assertThat(handler.join().join(Duration.ofSeconds(10))).isTrue();
      assertThat(CapturedLog.lines(Level.ERROR)).hasSize(failing ? 1 : 0);
    }

    @Test
    void aCloseThatTookEffectLeavesTheHandlerItsTime() throws Exception {
      TestFrames client = server.hold();
      client.sendClose(1000, "");
      assertThat(server.socket().receive(ByteBuffer.allocate(1)).isClose()).isTrue();
      server.advance(Duration.ofMinutes(10));
      server.socket().sendText("still here");
      assertThat(client.receiveText()).isEqualTo("still here");
      server.release();
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.expectEnd();
    }

    /** RFC 6455 5.5.2: it is not due any more; 7.1.1: the connection ends. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPongThatHadToWaitDoesNotFollowBothCloses(boolean weCloseFirst) throws Exception {
      TestFrames client = server.hold().stopTaking();
      server.socket().sendBinary(new byte[200_000]);
      if (weCloseFirst) {
        server.socket().closeOutput(1000, "");
      }
      client.sendPing("late").sendClose(1000, "");
      assertThat(server.socket().receiveMessage()).isNull(); // its Close has taken effect
      server.socket().closeOutput(1000, "");
      server.host().awaitIdle();
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(200_000);
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1000));
      client.expectEnd();
      client.end();
      server.release();
    }

    @Test
    void aPongThatHadToWaitGoesBeforeOurCloseThatWaitsToo() throws Exception {
      TestFrames client = server.hold().stopTaking();
      server.socket().sendBinary(new byte[200_000]);
      server.socket().closeOutput(1000, "");
      client.sendPing("early").sendPing("late");
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(200_000);
      assertThat(client.receive()).isEqualTo(Frame.pong("late"));
      assertThat(client.receiveClose()).isEqualTo(CloseReason.of(1000));
      client.sendClose(1000, "");
      client.expectEnd();
      client.end();
      server.release();
    }

    @ParameterizedTest
    @EnumSource
    void pingsAreAnsweredAtOnce(Form form) {
      TestFrames client = form == Form.BLOCKING ? server.hold() : server.listen(new Mute());
      client.sendText("unread").sendPing("now");
      assertThat(client.receive()).isEqualTo(Frame.pong("now"));
      client.reset();
    }
  }

  /** A listener that never asks for anything. */
  private static final class Mute implements WebSocketListener {
    @Override
    public void onOpen(WebSocket socket) {}
  }

  /** "Close codes." */
  @Nested
  class Codes {
    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1002, 1003, 1007, 1008, 1011, 1013, 1014, 3000, 4999})
    void theseMayBeSent(int code) throws Exception {
      TestFrames client = server.hold();
      server.socket().closeOutput(code, "why");
      assertThat(client.answerClose()).isEqualTo(new CloseReason(code, "why"));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536 + 1000})
    void theseMayNot(int code) throws Exception {
      TestFrames client = server.hold();
      assertThatThrownBy(() -> server.socket().closeOutput(code, ""))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("close status " + code + " may not be sent");
      assertThatThrownBy(() -> server.socket().close(code, ""))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(server.socket().state()).isEqualTo(WebSocketState.OPEN);
      server.release();
      client.answerClose();
    }

    @Test
    void aReasonHasAtMost123BytesOfUtf8() throws Exception {
      TestFrames client = server.hold();
      assertThatThrownBy(() -> server.socket().closeOutput(1000, "ä".repeat(62)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("close reason of 124 bytes exceeds limit of 123");
      server.socket().closeOutput(1000, "ä".repeat(61) + "a");
      assertThat(client.answerClose().text()).hasSize(62);
    }

    @ParameterizedTest
    @EnumSource
    void anEmptyCloseIsEchoedEmptyAndTheEndSays1005(Form form) {
      TestFrames client = server.echo(form);
      client.send(Opcode.CLOSE, true, ByteBuffer.allocate(0));
      assertThat(client.receive()).isEqualTo(new Frame(Opcode.CLOSE, true, ByteBuffer.allocate(0)));
      client.expectEnd();
      client.end();
      assertThat(server.ending())
          .isEqualTo(new Ending(Ending.By.PEER, CloseReason.NO_STATUS, "the peer closed"));
      assertThat(server.socket().closeStatus()).isEqualTo(1000);
      assertThat(server.socket().closeStatusDescription()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void aLostConnectionIs1006(Form form) {
      TestFrames client = server.echo(form);
      client.reset();
      assertThat(server.ending().reason()).isEqualTo(CloseReason.of(1006));
      assertThat(server.ending().by()).isEqualTo(Ending.By.CONNECTION);
      assertThat(server.socket().closeStatus()).isEqualTo(1006);
      assertThat(server.socket().state()).isEqualTo(WebSocketState.ABORTED);
      assertThat(server.socket().ending()).isEqualTo(server.ending());
    }

    @Test
    void beforeTheEndThereIsNoCodeAndNoEnding() {
      TestFrames client = server.hold();
      assertThat(server.socket().closeStatus()).isZero();
      assertThat(server.socket().ending()).isNull();
      server.release();
      client.answerClose();
    }
  }

  @Nested
  class ByTheApplication {
    @Test
    void closeWaitsForThePeerAndDiscardsWhatComesBefore() throws Exception {
      TestFrames client = server.hold();
      client.sendText("unread");
      var closing =
          Background.start(
                  () -> {
                    server.socket().close(4003, "done");
                    return server.socket().state();
                  })
              .awaitBlocked();
      assertThat(client.receiveClose()).isEqualTo(new CloseReason(4003, "done"));
      client.sendText("on its way");
      server.host().awaitIdle();
      assertThat(closing.isDone()).isFalse();
      client.sendClose(4003, "done");
      assertThat(closing.join()).isEqualTo(WebSocketState.CLOSED);
      client.expectEnd();
      client.end();
      assertThat(server.ending())
          .isEqualTo(
              new Ending(
                  Ending.By.APPLICATION, new CloseReason(4003, "done"), "the application closed"));
    }

    @Test
    void closeWaitsNoLongerThanTheClosingTimeLimit() throws Exception {
      TestFrames client = server.hold();
      var closing =
          Background.start(
                  () -> {
                    server.socket().close();
                    return server.socket().state();
                  })
              .awaitBlocked();
      client.receiveClose();
      server.advance(CLOSE_TIMEOUT);
      assertThat(closing.join()).isEqualTo(WebSocketState.ABORTED);
      client.expectReset();
    }

    @Test
    void closeWakesAReceiveOfAnotherThread() throws Exception {
      TestFrames client = server.hold();
      var receiving = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
      var closing =
          Background.start(() -> {
            server.socket().close();
            return null;
          });
      assertThat(receiving.join()).isNull();
      client.answerClose();
      closing.join();
    }

    @Test
    void afterCloseOutputMessagesMayStillCome() throws Exception {
      TestFrames client = server.hold();
      server.socket().closeOutput(1000, "");
      assertThat(server.socket().state()).isEqualTo(WebSocketState.CLOSE_SENT);
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.sendText("still mine").sendPing("and this").sendClose(1000, "");
      assertThat(client.receive()).isEqualTo(Frame.pong("and this"));
      client.expectEnd();
      assertThat(server.socket().receiveMessage()).isEqualTo(new Message.Text("still mine"));
      assertThat(server.socket().receiveMessage()).isNull();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.CLOSED);
    }

    @Test
    void whatWouldBlockTheLoopIsRefusedThereAndDoesNothing() throws Exception {
      TestFrames client = server.hold();
      assertThatThrownBy(() -> server.onLoop(() -> server.socket().close(1000, "")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("close would block the connection's loop");
      assertThatThrownBy(() -> server.onLoop(() -> server.socket().sendText("no")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("send would block the connection's loop");
      client.expectNothing();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.OPEN);
      server.release();
      client.answerClose();
    }

    @Test
    void closingTwiceDoesNothing() throws Exception {
      TestFrames client = server.hold();
      server.socket().closeOutput(1000, "first");
      server.socket().closeOutput(4000, "second");
      assertThat(client.answerClose().text()).isEqualTo("first");
      server.ending();
      server.socket().close(4000, "third");
      server.socket().close(1005, "on a socket that has ended nothing is judged");
    }

    /** There is no second Close: the connection ends immediately instead of at the time limit. */
    @Test
    void aViolationBehindOurCloseEndsTheConnection() throws Exception {
      TestFrames client = server.hold();
      server.socket().closeOutput(1000, "");
      client.receiveClose();
      client.sendHex("83 80 00000000");
      client.expectEnd();
      client.end();
      server.ending();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.ABORTED);
    }

    @Test
    void abortDropsTheConnectionWithoutAWord() throws Exception {
      TestFrames client = server.hold();
      server.socket().sendText("queued or not");
      server.host().awaitIdle();
      client.receiveText();
      server.socket().abort();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.ABORTED);
      client.expectReset();
      assertThat(server.ending())
          .isEqualTo(
              new Ending(Ending.By.APPLICATION, CloseReason.of(1006), "the application aborted"));
      server.socket().abort();
    }

    @Test
    void aPeerThatNeverEndsItsSideIsDropped() throws Exception {
      TestFrames client = server.hold();
      client.sendClose(1000, "");
      server.host().awaitIdle();
      server.release();
      assertThat(client.receiveClose().code()).isEqualTo(1000);
      client.expectEnd();
      assertThat(server.socket().state()).isEqualTo(WebSocketState.CLOSED);
      server.advance(CLOSE_TIMEOUT);
      assertThat(server.ending())
          .isEqualTo(new Ending(Ending.By.PEER, CloseReason.of(1000), "the peer closed"));
      assertThat(server.socket().state()).isEqualTo(WebSocketState.CLOSED);
      server.host().allowLeftOvers();
    }
  }
}
