package dev.windhover.http.websocket;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/**
 * A stream that sends each write as a piece of a message or as a whole message, depending on its
 * target.
 */
final class SocketOutputStream extends OutputStream {
  /** Where the bytes go. */
  interface Target {
    /** Sends the bytes of one write. */
    void write(ByteBuffer bytes) throws IOException, InterruptedException;

    /** Ends the output: nothing more comes. */
    void finish() throws IOException, InterruptedException;
  }

  private final Target target;
  private boolean closed;

  SocketOutputStream(Target target) {
    this.target = target;
  }

  /** Makes each write a whole message. */
  static OutputStream ofMessages(WebSocket socket, MessageType type) {
    if (type == MessageType.CLOSE) {
      throw new IllegalArgumentException("a message cannot be of type CLOSE; use closeOutput");
    }
    return new SocketOutputStream(
        new Target() {
          @Override
          public void write(ByteBuffer bytes) throws IOException, InterruptedException {
            socket.send(bytes, type, true);
          }

          @Override
          public void finish() {}
        });
  }

  /** Makes each write a piece of one message. */
  static OutputStream ofPieces(MessageWriter message) {
    return new SocketOutputStream(
        new Target() {
          @Override
          public void write(ByteBuffer bytes) throws IOException, InterruptedException {
            message.write(bytes);
          }

          @Override
          public void finish() throws IOException, InterruptedException {
            message.finish();
          }
        });
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (closed) {
      throw new IOException("the stream is closed");
    }
    ByteBuffer piece = ByteBuffer.wrap(bytes, offset, length);
    try {
      target.write(piece);
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      target.finish();
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private static IOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while waiting for a slow peer");
  }
}
