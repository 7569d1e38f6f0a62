package dev.windhover.benchmarks;

import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.StreamSource;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/**
 * The frames that every connection sends, in a ring: distinct messages, compressed if requested,
 * masked once, and laid out one after the other, so that any run of up to {@code inFlight} of them
 * is one write of one buffer.
 */
final class MessageRing {
  private static final int DISTINCT = 8;

  /**
   * The size of a lap of compressed messages: larger than any window, so that no reply refers to
   * itself.
   */
  private static final int LAP = 256 * 1024;

  private final byte firstByte;
  private final byte[][] payloads;
  private final ByteBuffer frames;
  private final int[] starts; // of the frames, and where the last one ends

  private MessageRing(int firstByte, byte[][] payloads, byte[][] wire, int inFlight) {
    this.firstByte = (byte) firstByte;
    this.payloads = payloads;
    starts = new int[payloads.length + inFlight + 1];
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + frameLength(wire[next(i - 1, 0)].length);
    }
    frames = ByteBuffer.allocateDirect(starts[starts.length - 1]);
    var random = new Random(6455);
    for (int i = 0; i < starts.length - 1; i++) {
      putFrame(wire[next(i, 0)], random.nextInt());
    }
  }

  /** Messages of random printable text, as they are. */
  static MessageRing plain(boolean binary, int size, int inFlight) {
    var random = new Random(6455);
    var payloads = new byte[DISTINCT][size];
    for (byte[] payload : payloads) {
      for (int i = 0; i < size; i++) {
        payload[i] = (byte) random.nextInt(' ', '~' + 1);
      }
    }
    return new MessageRing(binary ? 0x82 : 0x81, payloads, payloads, inFlight); // FIN and opcode
  }

  /** Text messages of one size, as they are. */
  static MessageRing of(byte[][] payloads, int inFlight) {
    return new MessageRing(0x81, payloads, payloads, inFlight); // FIN and opcode
  }

  /**
   * Compressed JSON. With context takeover, messages refer to earlier ones, except for the first
   * message of a lap, so that a lap can follow any other.
   */
  static MessageRing compressed(boolean binary, int size, int inFlight, Compression compression) {
    var messages = new JsonMessages(7692, size);
    var payloads = new byte[Math.clamp(LAP / size, 16, 1024)][];
    Arrays.setAll(payloads, _ -> messages.next());
    var deflater =
        new MessageDeflater(
            StreamSource.deflating(
                DeflateCodecs.jdk(), compression.windowBits(), Compression.LEVEL),
            compression.takeover());
    ByteBuffer out = ByteBuffer.allocate(2 * size + 100);
    var wire = new byte[payloads.length][];
    for (int i = 0; i < wire.length; i++) {
      if (!deflater.apply(ByteBuffer.wrap(payloads[i]), out.clear(), true)) {
        throw new IllegalStateException("a message of " + size + " bytes more than doubles");
      }
      wire[i] = Arrays.copyOf(out.array(), out.position());
    }
    deflater.close();
    return new MessageRing(binary ? 0xC2 : 0xC1, payloads, wire, inFlight); // RSV1 as well
  }

  private static int frameLength(int payload) {
    return 6 + (payload < 126 ? 0 : payload < 65536 ? 2 : 8) + payload;
  }

  /** The size of every reply that is one frame, if messages are not compressed. */
  int replySize(boolean masked) {
    return frameLength(size()) - (masked ? 0 : 4);
  }

  /**
   * Whether the next {@code length} bytes of the buffer are that part of the reply to a message,
   * including its header, if messages are not compressed. A masked reply equals what was sent, byte
   * for byte.
   */
  boolean isReply(int message, boolean masked, int offset, ByteBuffer bytes, int length) {
    for (int i = 0; i < length; i++) {
      if (bytes.get(bytes.position() + i) != replyByte(message, masked, offset + i)) {
        return false;
      }
    }
    return true;
  }

  private byte replyByte(int message, boolean masked, int index) {
    int sent = starts[message];
    if (masked) {
      return frames.get(sent + index);
    }
    int header = replySize(false) - size();
    if (index >= header) {
      return payloads[message][index - header];
    }
    return (byte) (index == 1 ? frames.get(sent + 1) & 0x7f : frames.get(sent + index));
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

  /** The size of every message before it is compressed. */
  int size() {
    return payloads[0].length;
  }

  /** The number of distinct messages. */
  int distinct() {
    return payloads.length;
  }

  /** A message before it is compressed. */
  byte[] payload(int message) {
    return payloads[message];
  }

  /** A view of all frames, to be moved with {@link #window}. */
  ByteBuffer view() {
    return frames.duplicate().clear().limit(0);
  }

  /** Returns the frame of a message. */
  ByteBuffer frame(int message) {
    ByteBuffer frame = view();
    window(frame, message, 1);
    return frame;
  }

  /** Moves a view onto {@code count} messages. */
  void window(ByteBuffer view, int message, int count) {
    view.limit(starts[message + count]).position(starts[message]);
  }

  /** The message that comes {@code count} after the given one. */
  int next(int message, int count) {
    return (message + count) % payloads.length;
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
