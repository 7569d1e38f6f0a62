package dev.windhover.protocol;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;

/**
 * Writes frames (RFC 6455 5.2) into buffers, with each length in its shortest form. A client's
 * frames are masked with a fresh key from the given generator, which must be unpredictable (5.3). A
 * server's frames are never masked. Only one thread may use a client's writer at a time.
 */
public final class FrameWriter {
  /** The longest header: 2 bytes, 8 of length, 4 of masking key. */
  public static final int MAX_HEADER_BYTES = 14;

  private static final int FIN = 0x80;
  private static final int MASK = 0x80;

  private static final FrameWriter SERVER = new FrameWriter(Role.SERVER, () -> 0);

  private final RandomGenerator keys;
  private final boolean masks;
  private int key;

  /**
   * Returns the writer for a server's end. It has no state, so any number of threads may use it.
   */
  public static FrameWriter server() {
    return SERVER;
  }

  /**
   * Creates a writer for a client's end. Outside of tests, {@code keys} must be a {@code
   * SecureRandom}.
   */
  public static FrameWriter client(RandomGenerator keys) {
    return new FrameWriter(Role.CLIENT, keys);
  }

  private FrameWriter(Role role, RandomGenerator keys) {
    this.masks = role.masks();
    this.keys = keys;
  }

  /** Returns whether frames are masked, as a client's are. */
  boolean masks() {
    return masks;
  }

  /** Returns the size of the header of a frame with {@code length} bytes of payload. */
  public int headerSize(long length) {
    int size = length < 126 ? 2 : length <= 0xFFFF ? 4 : 10;
    return masks ? size + 4 : size;
  }

  /**
   * Writes the header of a frame of {@code length} payload bytes, which then follow through {@link
   * #payload}, in any number of pieces.
   *
   * @param reservedBits an {@link Extension}'s bits, or 0
   */
  public void header(ByteBuffer out, Opcode opcode, boolean fin, int reservedBits, long length) {
    int first = (fin ? FIN : 0) | reservedBits | opcode.code();
    int mask = masks ? MASK : 0;
    if (length < 126) {
      out.putShort((short) (first << 8 | mask | (int) length));
    } else if (length <= 0xFFFF) {
      out.putShort((short) (first << 8 | mask | 126)).putShort((short) length);
    } else {
      out.putShort((short) (first << 8 | mask | 127)).putLong(length);
    }
    if (masks) {
      int random = keys.nextInt();
      out.putInt(random);
      key = Integer.reverseBytes(random);
    }
  }

  /** Moves payload of the frame whose header was written last, as much as fits into {@code out}. */
  public void payload(ByteBuffer payload, ByteBuffer out) {
    int n = Math.min(payload.remaining(), out.remaining());
    out.put(out.position(), payload, payload.position(), n);
    if (masks) {
      Masking.apply(out, out.position(), n, key);
      key = Masking.advance(key, n);
    }
    payload.position(payload.position() + n);
    out.position(out.position() + n);
  }

  /**
   * Writes a whole frame.
   *
   * @throws BufferOverflowException if {@code out} has no room for the whole frame; then nothing is
   *     written
   */
  public void frame(ByteBuffer out, Opcode opcode, boolean fin, ByteBuffer payload) {
    int length = payload.remaining();
    if (out.remaining() - length < headerSize(length)) {
      throw new BufferOverflowException();
    }
    header(out, opcode, fin, 0, length);
    payload(payload, out);
  }
}
