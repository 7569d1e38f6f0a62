package dev.windhover.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Masking (RFC 6455 5.3), eight bytes at a time through a little-endian view over the memory
 * itself.
 *
 * <p>A key is an {@code int} whose lowest byte masks the first byte of the payload.
 *
 * <p>Each loop works in place, on one kind of memory, with one index: so much the compiler needs to
 * see to turn it into vector instructions. One loop for both kinds of memory, or from one buffer
 * into another, is 5 to 15 times slower at 16 KiB; copying in bulk first and unmasking then is not.
 */
final class Masking {
  private static final VarHandle BUFFER_LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle ARRAY_LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Masking() {}

  /**
   * Masks or unmasks {@code length} bytes at {@code at}, where they lie. The position is left
   * alone.
   *
   * @return all bytes written, or-ed together eight by eight: a reader of text sees in it whether
   *     any byte is beyond ASCII, in the same pass
   */
  static long inPlace(ByteBuffer bytes, int at, int length, int key) {
    long key64 = (key & 0xFFFF_FFFFL) | ((long) key << 32);
    return bytes.hasArray()
        ? inArray(bytes.array(), bytes.arrayOffset() + at, length, key64)
        : inDirect(bytes, at, length, key64);
  }

  /**
   * Moves {@code length} bytes and masks or unmasks them at their new place; as {@link #inPlace}.
   */
  static long into(ByteBuffer source, int from, ByteBuffer target, int to, int length, int key) {
    target.put(to, source, from, length);
    return inPlace(target, to, length, key);
  }

  private static long inDirect(ByteBuffer bytes, int at, int length, long key64) {
    long seen = 0;
    int i = at;
    for (int end = at + length - 7; i < end; i += 8) {
      long word = (long) BUFFER_LONGS.get(bytes, i) ^ key64;
      BUFFER_LONGS.set(bytes, i, word);
      seen |= word;
    }
    long keys = key64;
    for (int end = at + length; i < end; i++, keys >>>= 8) {
      byte b = (byte) (bytes.get(i) ^ keys);
      bytes.put(i, b);
      seen |= b;
    }
    return seen;
  }

  private static long inArray(byte[] bytes, int at, int length, long key64) {
    long seen = 0;
    int i = at;
    for (int end = at + length - 7; i < end; i += 8) {
      long word = (long) ARRAY_LONGS.get(bytes, i) ^ key64;
      ARRAY_LONGS.set(bytes, i, word);
      seen |= word;
    }
    long keys = key64;
    for (int end = at + length; i < end; i++, keys >>>= 8) {
      bytes[i] ^= (byte) keys;
      seen |= bytes[i];
    }
    return seen;
  }

  /** Returns {@code key} for the bytes that follow the first {@code length} of a payload. */
  static int advance(int key, int length) {
    return Integer.rotateRight(key, (length & 3) << 3);
  }
}
