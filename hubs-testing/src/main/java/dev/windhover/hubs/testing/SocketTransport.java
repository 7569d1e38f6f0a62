package dev.windhover.hubs.testing;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.WebSocketState;
import dev.windhover.testing.TestWebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A WebSocket. */
final class SocketTransport implements Transport {
  private final TestWebSocket socket;
  private final MessageType type;

  SocketTransport(TestWebSocket socket, MessageType type) {
    this.socket = socket;
    this.type = type;
  }

  TestWebSocket socket() {
    return socket;
  }

  @Override
  public void send(ByteBuffer records) {
    socket.send(records, type, true);
  }

  @Override
  public @Nullable ByteBuffer receive() {
    return payload(socket.receiveMessage());
  }

  @Override
  public @Nullable ByteBuffer poll() {
    try {
      return payload(socket.receiveMessage(Duration.ZERO));
    } catch (TimeoutException e) {
      return null;
    }
  }

  private static @Nullable ByteBuffer payload(@Nullable Message message) {
    return switch (message) {
      case Message.Text(var text) -> ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      case Message.Binary(var payload) -> payload;
      case null -> null;
    };
  }

  @Override
  public boolean isOpen() {
    return socket.state() == WebSocketState.OPEN;
  }

  @Override
  public void expectEnd() {
    socket.expectClose(1000, "");
  }

  @Override
  public void lose() {
    socket.reset();
  }

  @Override
  public void close() {
    socket.close();
  }
}
