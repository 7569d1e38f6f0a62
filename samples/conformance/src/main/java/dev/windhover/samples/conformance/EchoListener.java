package dev.windhover.samples.conformance;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import java.nio.ByteBuffer;

/**
 * The listener form of the echo: it demands the next message when there is room to send its echo.
 */
final class EchoListener implements WebSocketListener {
  private final Settings settings;

  EchoListener(Settings settings) {
    this.settings = settings;
  }

  @Override
  public void onOpen(WebSocket socket) throws Exception {
    Integer close = settings.close();
    if (close != null) {
      socket.close(close, "");
    } else if (!settings.noRead()) {
      socket.demand(1);
    }
  }

  @Override
  public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
    if (socket.send(payload, type, true)) {
      socket.demand(1);
    }
  }

  @Override
  public void onWritable(WebSocket socket) {
    socket.demand(1);
  }
}
