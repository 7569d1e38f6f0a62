package dev.windhover.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Masking (RFC 6455 5.3): eight bytes at a time through a little-endian view over the memory
 * itself, which stays fast whatever kinds of buffer come by.
 *
 * <p>A key is an {@code int} whose lowest byte masks the first byte of the payload.
 */
final class Masking {
  private static final VarHandle LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Masking() {}

  /**
   * Masks or unmasks {@code length} bytes from {@code source} at {@code from} to {@code target} at
   * {@code to}; both may be the same memory at the same place. Positions are left alone.
   *
   * @return all bytes written, or-ed together eight by eight: a reader of text sees in it whether
   *     any byte is beyond ASCII, in the same pass
   */
  static long apply(ByteBuffer source, int from, ByteBuffer target, int to, int length, int key) {
    long key64 = (key & 0xFFFF_FFFFL) | ((long) key << 32);
    long seen = 0;
    int i = 0;
    for (int end = length - 7; i < end; i += 8) {
      long word = (long) LONGS.get(source, from + i) ^ key64;
      LONGS.set(target, to + i, word);
      seen |= word;
    }
    for (int shift = 0; i < length; i++, shift += 8) {
      byte b = (byte) (source.get(from + i) ^ (key64 >>> shift));
      target.put(to + i, b);
      seen |= b;
    }
    return seen;
  }

  /** Returns {@code key} for the bytes that follow the first {@code length} of a payload. */
  static int advance(int key, int length) {
    return Integer.rotateRight(key, (length & 3) << 3);
  }
}
