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
 * <p>Each loop works in place, on one kind of memory, with one index, and does one thing: so much
 * the compiler needs to see to turn it into vector instructions. One loop for both kinds of memory,
 * or from one buffer into another, is 5 to 15 times slower at 16 KiB; copying in bulk first and
 * unmasking then is not. The loop that combines takes twice the time at 1 KiB, which is still less
 * than a pass of its own.
 */
final class Masking {
  private static final VarHandle BUFFER_LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle ARRAY_LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Masking() {}

  /** Masks or unmasks {@code length} bytes at {@code at}. The position is left alone. */
  static void apply(ByteBuffer bytes, int at, int length, int key) {
    long key64 = twice(key);
    int words = length & -Long.BYTES;
    if (bytes.hasArray()) {
      applyToArray(bytes.array(), bytes.arrayOffset() + at, words, key64);
    } else {
      applyToMemory(bytes, at, words, key64);
    }
    if (words < length) {
      applyToRest(bytes, at + words, length - words, key);
    }
  }

  /**
   * As {@link #apply}, and in the same pass or-s all bytes together, eight by eight: a reader of
   * text sees in the result whether any of them is beyond ASCII.
   */
  static long applyCombining(ByteBuffer bytes, int at, int length, int key) {
    long key64 = twice(key);
    int words = length & -Long.BYTES;
    long seen =
        bytes.hasArray()
            ? combineInArray(bytes.array(), bytes.arrayOffset() + at, words, key64)
            : combineInMemory(bytes, at, words, key64);
    return words < length ? seen | applyToRest(bytes, at + words, length - words, key) : seen;
  }

  private static long twice(int key) {
    return (key & 0xFFFF_FFFFL) | ((long) key << 32);
  }

  private static void applyToMemory(ByteBuffer bytes, int at, int length, long key64) {
    for (int i = at, end = at + length; i < end; i += Long.BYTES) {
      BUFFER_LONGS.set(bytes, i, (long) BUFFER_LONGS.get(bytes, i) ^ key64);
    }
  }

  private static void applyToArray(byte[] bytes, int at, int length, long key64) {
    for (int i = at, end = at + length; i < end; i += Long.BYTES) {
      ARRAY_LONGS.set(bytes, i, (long) ARRAY_LONGS.get(bytes, i) ^ key64);
    }
  }

  private static long combineInMemory(ByteBuffer bytes, int at, int length, long key64) {
    long seen = 0;
    for (int i = at, end = at + length; i < end; i += Long.BYTES) {
      long word = (long) BUFFER_LONGS.get(bytes, i) ^ key64;
      BUFFER_LONGS.set(bytes, i, word);
      seen |= word;
    }
    return seen;
  }

  private static long combineInArray(byte[] bytes, int at, int length, long key64) {
    long seen = 0;
    for (int i = at, end = at + length; i < end; i += Long.BYTES) {
      long word = (long) ARRAY_LONGS.get(bytes, i) ^ key64;
      ARRAY_LONGS.set(bytes, i, word);
      seen |= word;
    }
    return seen;
  }

  /** Masks or unmasks the bytes behind the last whole word; they begin with the key's first. */
  private static long applyToRest(ByteBuffer bytes, int at, int length, int key) {
    long seen = 0;
    for (int i = 0; i < length; i++) {
      byte b = (byte) (bytes.get(at + i) ^ key >>> ((i & 3) << 3));
      bytes.put(at + i, b);
      seen |= b;
    }
    return seen;
  }

  /** Returns {@code key} for the bytes that follow the first {@code length} of a payload. */
  static int advance(int key, int length) {
    return Integer.rotateRight(key, (length & 3) << 3);
  }
}
