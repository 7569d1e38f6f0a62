package dev.windhover.benchmarks;

import java.nio.ByteBuffer;
import java.util.Random;

/**
 * The frames that every connection sends, round and round: a few distinct messages, masked once,
 * laid out behind each other so that any run of up to {@code inFlight} of them is one write of one
 * buffer.
 */
final class MessageRing {
  private static final int DISTINCT = 8;

  private final byte firstByte;
  private final byte[][] payloads = new byte[DISTINCT][];
  private final ByteBuffer frames;
  private final int frameLength;

  MessageRing(boolean binary, int size, int inFlight) {
    var random = new Random(6455);
    firstByte = (byte) (binary ? 0x82 : 0x81); // FIN and the opcode
    int headerLength = 6 + (size < 126 ? 0 : size < 65536 ? 2 : 8);
    frameLength = headerLength + size;
    frames = ByteBuffer.allocateDirect(Math.multiplyExact(DISTINCT + inFlight, frameLength));
    for (int i = 0; i < DISTINCT; i++) {
      payloads[i] = new byte[size];
      for (int j = 0; j < size; j++) {
        payloads[i][j] = (byte) random.nextInt(' ', '~' + 1);
      }
    }
    for (int i = 0; i < DISTINCT + inFlight; i++) {
      putFrame(payloads[next(i, 0)], random.nextInt());
    }
  }

  private void putFrame(byte[] payload, int maskingKey) {
    frames.put(firstByte);
    if (payload.length < 126) {
      frames.put((byte) (0x80 | payload.length));
    } else if (payload.length < 65536) {
      frames.put((byte) (0x80 | 126)).putShort((short) payload.length);
    } else {
      frames.put((byte) (0x80 | 127)).putLong(payload.length);
    }
    frames.putInt(maskingKey);
    for (int i = 0; i < payload.length; i++) {
      frames.put((byte) (payload[i] ^ keyByte(maskingKey, i)));
    }
  }

  /** FIN, RSV and opcode of every message. */
  byte firstByte() {
    return firstByte;
  }

  int size() {
    return payloads[0].length;
  }

  /** A view of all frames, to be moved with {@link #window}. */
  ByteBuffer view() {
    return frames.duplicate().clear().limit(0);
  }

  /** Moves a view onto {@code count} messages. */
  void window(ByteBuffer view, int message, int count) {
    view.limit((message + count) * frameLength).position(message * frameLength);
  }

  /** The message that comes {@code count} after the given one. */
  static int next(int message, int count) {
    return (message + count) % DISTINCT;
  }

  /**
   * Whether the next {@code length} bytes of the buffer, once unmasked, are that part of the
   * message.
   */
  boolean matches(int message, int offset, ByteBuffer bytes, int length, int maskingKey) {
    byte[] payload = payloads[message];
    for (int i = 0; i < length; i++) {
      int unmasked = bytes.get(bytes.position() + i) ^ keyByte(maskingKey, offset + i);
      if ((byte) unmasked != payload[offset + i]) {
        return false;
      }
    }
    return true;
  }

  private static int keyByte(int maskingKey, int index) {
    return maskingKey >>> (24 - 8 * (index & 3));
  }
}
