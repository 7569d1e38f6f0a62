package dev.windhover.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;

/** A WebSocket that expects an answer to each of its messages. */
abstract class WebSocketLoad extends LoadConnection {
  private final MessageRing ring;
  private int nextMessage; // of the ring
  private int expectedMessage;
  private int length; // of the payload of the reply's frame
  private int missing; // bytes of it still to come, 0 between frames
  private int maskingKey;

  WebSocketLoad(
      String name, int port, Opening opening, MessageRing ring, int inFlight, Selector selector)
      throws IOException {
    super(name, port, opening, ring.view(), inFlight, selector);
    this.ring = ring;
  }

  /** Checks the header of a frame: its first byte and the length of its payload. */
  abstract void frame(byte first, long length) throws IOException;

  /**
   * Checks the next {@code length} bytes of the buffer, which are at {@code offset} in the frame's
   * payload. It may move the buffer's position.
   *
   * @param message the message of the ring to which this is the reply
   * @param maskingKey 0 if the frame is not masked
   */
  abstract void payload(int message, int offset, ByteBuffer buffer, int length, int maskingKey)
      throws IOException;

  /** Checks a frame at its end, and returns whether it ends the reply. */
  abstract boolean end(int message) throws IOException;

  @Override
  final int next(ByteBuffer unsent, int count) {
    ring.window(unsent, nextMessage, count);
    nextMessage = ring.next(nextMessage, count);
    return count;
  }

  @Override
  final void take(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (missing == 0 && !takeHeader(buffer)) {
        return;
      }
      int start = buffer.position();
      int part = Math.min(missing, buffer.remaining());
      payload(expectedMessage, length - missing, buffer, part, maskingKey);
      buffer.position(start + part);
      missing -= part;
      if (missing == 0 && end(expectedMessage)) {
        expectedMessage = ring.next(expectedMessage, 1);
        answered();
      }
    }
  }

  /** Takes the header of a frame, or nothing if it has not arrived completely. */
  private boolean takeHeader(ByteBuffer buffer) throws IOException {
    int start = buffer.position();
    if (buffer.remaining() < 2) {
      return false;
    }
    byte second = buffer.get(start + 1);
    int length7 = second & 0x7f;
    boolean masked = (second & 0x80) != 0;
    int end = start + 2 + (length7 < 126 ? 0 : length7 == 126 ? 2 : 8) + (masked ? 4 : 0);
    if (end > buffer.limit()) {
      return false;
    }
    long whole =
        switch (length7) {
          case 126 -> buffer.getChar(start + 2);
          case 127 -> buffer.getLong(start + 2);
          default -> length7;
        };
    frame(buffer.get(start), whole);
    maskingKey = masked ? buffer.getInt(end - 4) : 0;
    length = (int) whole;
    missing = length;
    buffer.position(end);
    return true;
  }

  @Override
  final ByteBuffer farewell() {
    return emptyClose();
  }

  /** An empty Close frame. */
  static ByteBuffer emptyClose() {
    return ByteBuffer.wrap(new byte[] {(byte) 0x88, (byte) 0x80, 0, 0, 0, 0});
  }
}
