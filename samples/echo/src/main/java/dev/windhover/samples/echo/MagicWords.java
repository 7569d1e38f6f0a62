package dev.windhover.samples.echo;

import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.protocol.CloseCode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Two texts that are not echoed: {@code ServerClose} makes the server close the socket, and {@code
 * ServerAbort} makes it drop the connection. After either, the loop's next receive returns the end
 * of the socket.
 */
final class MagicWords {
  private final WebSocket socket;
  private boolean insideMessage;

  MagicWords(WebSocket socket) {
    this.socket = socket;
  }

  /** Obeys {@code message} if it is one of the words, and returns whether it was. */
  boolean obey(Message message) throws InterruptedException {
    return message instanceof Message.Text(String text) && obey(text);
  }

  /**
   * Like {@link #obey(Message)}, for a message that was received into a buffer; a word comes in one
   * piece.
   */
  boolean obey(ReceiveResult received, ByteBuffer piece) throws InterruptedException {
    boolean whole = !insideMessage && received.endOfMessage();
    insideMessage = !received.endOfMessage();
    return whole
        && received.type() == MessageType.TEXT
        && obey(StandardCharsets.UTF_8.decode(piece.duplicate()).toString());
  }

  private boolean obey(String text) throws InterruptedException {
    switch (text) {
      case "ServerClose" -> socket.close(CloseCode.NORMAL_CLOSURE, "Closing from Server");
      case "ServerAbort" -> socket.abort();
      default -> {
        return false;
      }
    }
    return true;
  }
}
