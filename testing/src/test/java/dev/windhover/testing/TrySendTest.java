package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Sending only what can be queued now, in both forms. */
class TrySendTest {
  private static final String OFFER = "permessage-deflate";

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private TestFrames open(Form form) {
    return switch (form) {
      case BLOCKING -> server.hold();
      case LISTENER -> server.listen(new WebSocketListener() {});
    };
  }

  private void finish(Form form, TestFrames client) {
    switch (form) {
      case BLOCKING -> {
        server.release();
        client.answerClose();
      }
      case LISTENER -> client.close();
    }
  }

  private void smallQueue() {
    server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
  }

  /** A sender may fail because its memory is gone, or because there is none left for a copy. */
  @ParameterizedTest
  @EnumSource
  void aPayloadThatCannotBeReadHoldsNobodyUp(Form form) throws Exception {
    smallQueue();
    TestFrames client = open(form).stopTaking();
    WebSocket socket = server.socket();
    socket.sendBinary(new byte[300]);
    socket.sendBinary(new byte[1]); // waits for the transport
    server.host().awaitIdle();
    long before = socket.bufferedAmount();
    List<ThrowingCallable> attempts =
        List.of(
            () -> socket.sendBinary(freed()),
            () -> socket.trySendBinary(freed()),
            () -> socket.send(freed(), MessageType.BINARY, false));
    for (ThrowingCallable each : attempts) {
      assertThatThrownBy(each).hasMessage("Already closed");
    }
    assertThat(socket.bufferedAmount()).isEqualTo(before);
    socket.sendText("next");
    client.takeAll();
    assertThat(client.receiveBinary()).hasSize(300);
    assertThat(client.receiveBinary()).hasSize(1);
    assertThat(client.receiveText()).isEqualTo("next");
    finish(form, client); // nothing keeps the Close back
  }

  private static ByteBuffer freed() {
    try (Arena arena = Arena.ofShared()) {
      return arena.allocate(100).asByteBuffer();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyKindOfMessageIsSent(Form form) throws Exception {
    TestFrames client = open(form);
    WebSocket socket = server.socket();
    assertThat(socket.trySendText("text")).isTrue();
    assertThat(socket.trySendBinary(new byte[] {1})).isTrue();
    assertThat(socket.trySendBinary(ByteBuffer.wrap(new byte[] {2}))).isTrue();
    assertThat(socket.trySend(new Message.Text("message"))).isTrue();
    assertThat(socket.trySend(PreparedMessage.text("prepared"))).isTrue();
    assertThat(socket.trySend(Frame.utf8("plain"), MessageType.TEXT, SendFlag.DISABLE_COMPRESSION))
        .isTrue();
    assertThat(client.receiveText()).isEqualTo("text");
    assertThat(client.receiveBinary()).containsExactly(1);
    assertThat(client.receiveBinary()).containsExactly(2);
    assertThat(client.receiveText()).isEqualTo("message");
    assertThat(client.receiveText()).isEqualTo("prepared");
    assertThat(client.receiveText()).isEqualTo("plain");
    finish(form, client);
  }

  @ParameterizedTest
  @EnumSource
  void compressedMessagesToo(Form form) throws Exception {
    server.settings(settings -> settings.dangerousEnableCompression(true));
    TestFrames client =
        switch (form) {
          case BLOCKING -> server.hold(OFFER);
          case LISTENER -> server.listen(new WebSocketListener() {}, OFFER);
        };
    String text = "again and again and ".repeat(20);
    assertThat(server.socket().trySendText(text)).isTrue();
    assertThat(server.socket().trySend(PreparedMessage.text(text))).isTrue();
    server.onLoop(() -> assertThat(server.socket().trySendText(text)).isTrue());
    for (int i = 0; i < 3; i++) {
      assertThat(client.receive()).isEqualTo(Frame.text(text).asCompressed());
    }
    finish(form, client);
  }

  /** From the loop and from another thread; no more is queued than the high mark allows. */
  @ParameterizedTest
  @CsvSource({"BLOCKING, false", "BLOCKING, true", "LISTENER, false", "LISTENER, true"})
  void withoutRoomNothingIsSent(Form form, boolean onLoop) throws Exception {
    smallQueue();
    TestFrames client = open(form).stopTaking();
    ByteBuffer payload = ByteBuffer.allocate(96);
    List<Boolean> sent = new ArrayList<>();
    SocketFixture.Work send = () -> sent.add(server.socket().trySendBinary(payload.rewind()));
    do {
      if (onLoop) {
        server.onLoop(send);
      } else {
        send.run();
      }
      assertThat(server.socket().bufferedAmount()).isLessThanOrEqualTo(1024);
    } while (sent.getLast());
    assertThat(payload.position()).isZero();
    assertThat(sent).hasSize(1024 / 100 + 1);
    assertThat(server.socket().trySend(PreparedMessage.binary(new byte[96]))).isFalse();
    server.host().awaitIdle();
    assertThat(server.events()).containsOnlyOnce("limit send queue");
    client.takeAll();
    for (int i = 1; i < sent.size(); i++) {
      assertThat(client.receiveBinary()).hasSize(96);
    }
    server.host().awaitIdle();
    assertThat(server.socket().trySendText("room again")).isTrue();
    assertThat(client.receiveText()).isEqualTo("room again");
    finish(form, client);
  }

  @ParameterizedTest
  @EnumSource
  void aMessageLargerThanTheQueueHasRoomWhileNothingIsQueued(Form form) throws Exception {
    smallQueue();
    TestFrames client = open(form).stopTaking();
    assertThat(server.socket().trySendBinary(new byte[5000])).isTrue();
    assertThat(server.socket().trySendBinary(new byte[5000])).isFalse();
    assertThat(server.socket().trySendText("")).isFalse();
    client.takeAll();
    assertThat(client.receiveBinary()).hasSize(5000);
    finish(form, client);
  }

  @ParameterizedTest
  @EnumSource
  void whileAnotherMessageIsUnderWayNothingIsSent(Form form) throws Exception {
    TestFrames client = open(form);
    MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
    writer.write("written, ");
    assertThat(server.socket().trySendText("not this")).isFalse();
    server.onLoop(() -> assertThat(server.socket().trySendText("nor this")).isFalse());
    writer.finish();
    assertThat(client.receiveText()).isEqualTo("written, ");
    server.socket().send(Frame.utf8("in pieces, "), MessageType.TEXT, false);
    assertThat(server.socket().trySendText("nor the same thread's")).isFalse();
    server.socket().send(Frame.utf8("ended"), MessageType.TEXT, true);
    assertThat(client.receiveText()).isEqualTo("in pieces, ended");
    assertThat(server.socket().trySendText("then")).isTrue();
    assertThat(client.receiveText()).isEqualTo("then");
    finish(form, client);
  }

  /** Nobody's message goes ahead of one that has waited longer. */
  @Test
  void whoWaitsForRoomComesFirst() throws Exception {
    smallQueue();
    TestFrames client = server.hold().stopTaking();
    int sent = 1; // the one that waits
    while (server.socket().trySendBinary(new byte[96])) {
      server.host().awaitIdle();
      sent++;
    }
    var waiting = Background.start(() -> server.socket().sendBinary(new byte[96])).awaitBlocked();
    client.take(100);
    assertThat(server.socket().trySendText("")).isFalse();
    client.takeAll();
    waiting.join();
    for (int i = 0; i < sent; i++) {
      assertThat(client.receiveBinary()).hasSize(96);
    }
    finish(Form.BLOCKING, client);
  }

  @Nested
  class Ended {
    @ParameterizedTest
    @EnumSource
    void byOurClose(Form form) throws Exception {
      TestFrames client = open(form);
      server.socket().closeOutput(1000, "");
      assertThatThrownBy(() -> server.socket().trySendText("late"))
          .isInstanceOf(WebSocketClosedException.class)
          .hasMessage("cannot send: the socket is closing");
      assertThatThrownBy(() -> server.socket().trySend(PreparedMessage.text("late")))
          .isInstanceOf(WebSocketClosedException.class);
      client.answerClose();
      server.ending();
      assertThatThrownBy(() -> server.socket().trySendText("late"))
          .isInstanceOf(WebSocketClosedException.class)
          .hasMessage("cannot send: the socket has ended");
    }

    @Test
    void byItsHandler() {
      TestFrames client = server.open(_ -> {});
      client.receiveClose();
      assertThatThrownBy(() -> server.socket().trySendText("late"))
          .isInstanceOf(WebSocketClosedException.class)
          .hasMessage("cannot send: the socket is closing");
      client.sendClose(1000, "");
      client.expectEnd();
    }

    @ParameterizedTest
    @EnumSource
    void byTheConnection(Form form) {
      TestFrames client = open(form);
      client.reset();
      server.ending();
      assertThatThrownBy(() -> server.socket().trySendText("late"))
          .isInstanceOf(WebSocketClosedException.class);
    }
  }

  /** Whoever was refused in the listener form hears when to try again. */
  @Nested
  class OnWritable {
    private final List<String> calls = new ArrayList<>();

    private final WebSocketListener retrying =
        new WebSocketListener() {
          @Override
          public void onWritable(WebSocket socket) throws Exception {
            calls.add("writable");
            if (!socket.trySendBinary(new byte[900])) {
              calls.add("refused again");
            }
          }
        };

    private List<String> calls() {
      server.host().awaitIdle();
      return List.copyOf(calls);
    }

    @Test
    void followsARefusalForRoom() throws Exception {
      smallQueue();
      TestFrames client = server.listen(retrying).stopTaking();
      assertThat(server.socket().trySendBinary(new byte[300])).isTrue();
      server.host().awaitIdle(); // else it is called when the queue has given that to the transport
      assertThat(server.socket().trySendBinary(new byte[900])).isFalse();
      assertThat(calls()).isEmpty();
      client.takeAll();
      assertThat(client.receiveBinary()).hasSize(300);
      assertThat(client.receiveBinary()).hasSize(900);
      assertThat(calls()).containsExactly("writable");
      client.close();
    }

    @Test
    void followsARefusalBecauseOfAnotherMessage() throws Exception {
      TestFrames client = server.listen(retrying);
      MessageWriter writer = server.socket().startMessage(MessageType.TEXT);
      writer.write("a");
      assertThat(server.socket().trySendText("no")).isFalse();
      writer.write("b");
      assertThat(calls()).isEmpty();
      writer.finish();
      assertThat(client.receiveText()).isEqualTo("ab");
      assertThat(client.receiveBinary()).hasSize(900);
      assertThat(calls()).containsExactly("writable");
      client.close();
    }
  }

  /** Broadcasts by hand; a group makes them simpler. */
  @Nested
  class Broadcasts {
    private final Set<WebSocket> watching = ConcurrentHashMap.newKeySet();

    @SuppressWarnings("ModifyCollectionInEnhancedForLoop") // the set is a concurrent one
    private void broadcast(PreparedMessage message) throws Exception {
      for (WebSocket each : watching) {
        try {
          each.trySend(message);
        } catch (WebSocketClosedException ended) {
          watching.remove(each);
        }
      }
    }

    private TestHost start(Form form) {
      var application =
          new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
      switch (form) {
        case BLOCKING ->
            application.mapWebSocket(
                "/",
                socket -> {
                  watching.add(socket);
                  try {
                    for (Message message : socket) {
                      broadcast(PreparedMessage.of(message));
                    }
                  } finally {
                    watching.remove(socket);
                  }
                });
        case LISTENER ->
            application.map(
                "/",
                context ->
                    context
                        .webSockets()
                        .accept(
                            new WebSocketAcceptContext(),
                            new WebSocketListener() {
                              @Override
                              public void onOpen(WebSocket socket) throws Exception {
                                watching.add(socket);
                                WebSocketListener.super.onOpen(socket);
                              }

                              @Override
                              public void onMessage(
                                  WebSocket socket, MessageType type, ByteBuffer payload)
                                  throws Exception {
                                broadcast(PreparedMessage.of(payload, type));
                              }

                              @Override
                              public void onEnded(
                                  WebSocket socket, dev.windhover.http.websocket.Ending ending) {
                                watching.remove(socket);
                              }
                            }));
      }
      return server.start(application);
    }

    private TestWebSocket connect(TestHost host) {
      int before = watching.size();
      TestWebSocket client = host.webSocket("/").connect();
      while (watching.size() == before) {
        Thread.onSpinWait();
      }
      return client;
    }

    /** 100 messages of 64 KiB are six times what the paused client's queue holds. */
    @ParameterizedTest
    @EnumSource
    void aPausedClientDoesNotStallTheOthers(Form form) throws Exception {
      TestHost host = start(form);
      TestWebSocket paused = connect(host).stopTaking();
      TestWebSocket sender = connect(host);
      TestWebSocket other = connect(host);
      for (int i = 0; i < 100; i++) {
        byte[] message = new byte[64 * 1024];
        message[0] = (byte) i;
        sender.sendBinary(message);
        sender.expectBinary(message);
        other.expectBinary(message);
      }
      paused.reset();
      sender.close();
      other.close();
    }

    /** The paused client's socket is closed and its handler gone, but it is still in the set. */
    @Test
    void aClientThatLeavesDoesNotHurtTheSender() throws Exception {
      TestHost host = start(Form.BLOCKING);
      TestWebSocket gone = connect(host);
      Set<WebSocket> before = Set.copyOf(watching);
      TestWebSocket sender = connect(host);
      gone.close();
      watching.addAll(before);
      sender.sendText("anybody?");
      sender.expectText("anybody?");
      host.awaitIdle(); // the echo may come before the one that is gone is found
      assertThat(watching.size()).isEqualTo(1); // not hasSize, which would print a socket: it reads
      sender.close();
    }
  }
}
