package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.event.Level;

/** What events and the log report. */
class EventsTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  @ParameterizedTest
  @EnumSource
  void openedMessagesAndEndedAreToldWithTheirBytes(Form form) {
    TestFrames client = server.echo(form);
    client.sendText("Käse");
    assertThat(client.receiveText()).isEqualTo("Käse");
    client.send(Opcode.BINARY, false, ByteBuffer.allocate(300));
    client.send(Opcode.CONTINUATION, true, ByteBuffer.allocate(400));
    assertThat(client.receiveBinary()).hasSize(700);
    client.sendPing("not a message");
    client.receive();
    client.close();
    server.ending();
    assertThat(server.events())
        .startsWith("opened")
        .endsWith("ended")
        .containsExactlyInAnyOrder(
            "opened",
            "received TEXT 5",
            "sent TEXT 5",
            "received BINARY 700",
            "sent BINARY 700",
            "ended");
  }

  @ParameterizedTest
  @EnumSource
  void aFailureIsTold(Form form) {
    server.expectError("failed");
    TestFrames client =
        switch (form) {
          case BLOCKING ->
              server.open(socket -> {
                throw new IllegalStateException("no luck");
              });
          case LISTENER ->
              server.listen(
                  new WebSocketListener() {
                    @Override
                    public void onOpen(WebSocket socket) {
                      throw new IllegalStateException("no luck");
                    }

                    @Override
                    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) {}
                  });
        };
    assertThat(client.answerClose().code()).isEqualTo(1011);
    server.ending();
    assertThat(server.events())
        .containsExactlyInAnyOrder("opened", "failed no luck", "ended")
        .endsWith("ended");
  }

  @ParameterizedTest
  @EnumSource
  void aSocketThatIsGoneReachesNoLimit(Form form) {
    TestFrames client = server.echo(form);
    client.reset();
    server.ending();
    server.advance(Duration.ofMinutes(10));
    server.host().awaitIdle();
    assertThat(server.events()).containsExactly("opened", "ended");
  }

  @ParameterizedTest
  @EnumSource
  void theLogHasOneLineForTheBeginningAndOneForTheEnd(Form form) {
    TestFrames client = server.echo(form);
    client.close();
    server.ending();
    server.host().awaitIdle();
    assertThat(SocketFixture.log(Level.DEBUG))
        .hasSize(2)
        .anyMatch(line -> line.matches("socket \\S+ opened"))
        .anyMatch(line -> line.matches("socket \\S+ ended by peer, 1000: the peer closed"));
  }
}
