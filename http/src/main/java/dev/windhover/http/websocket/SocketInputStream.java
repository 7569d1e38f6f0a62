package dev.windhover.http.websocket;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/** The payload of a socket's messages as a stream: of one message, or of all messages. */
final class SocketInputStream extends InputStream {
  private final WebSocket socket;
  private final boolean oneMessage;
  private boolean insideMessage;
  private boolean ended;
  private boolean closed;

  SocketInputStream(WebSocket socket, boolean oneMessage) {
    this.socket = socket;
    this.oneMessage = oneMessage;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (closed) {
      throw new IOException("the stream is closed");
    }
    if (length == 0) {
      return 0;
    }
    int count = 0;
    while (count == 0 && !ended) { // skips empty fragments and messages
      count = receive(ByteBuffer.wrap(bytes, offset, length));
    }
    return count > 0 ? count : -1;
  }

  private int receive(ByteBuffer buffer) throws IOException {
    ReceiveResult received;
    try {
      received = socket.receive(buffer);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for a message");
    }
    if (received.isClose()) {
      ended = true;
      if (insideMessage) {
        throw new EOFException("the socket ended inside a message");
      }
      return 0;
    }
    insideMessage = !received.endOfMessage();
    ended = oneMessage && received.endOfMessage();
    return received.count();
  }

  @Override
  public void close() {
    if (!closed && !ended && oneMessage) {
      socket.abort(); // the rest of the message could not be told apart from the next one
    }
    closed = true;
  }
}
