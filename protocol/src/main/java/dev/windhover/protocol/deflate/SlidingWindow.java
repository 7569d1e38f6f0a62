package dev.windhover.protocol.deflate;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The last bytes of a stream, at most {@code size}; its memory grows with the bytes that have come.
 */
final class SlidingWindow {
  private static final int SMALLEST = 512;

  private final int size;
  private byte[] ring;

  /** Where the next byte goes, and how many bytes there are. */
  private int end;

  private int length;

  SlidingWindow(int size) {
    this.size = size;
    this.ring = new byte[Math.min(size, SMALLEST)];
  }

  /** Returns how many bytes it holds. */
  int length() {
    return length;
  }

  void clear() {
    end = 0;
    length = 0;
  }

  /** Appends the part of {@code bytes} between the two indexes. */
  void append(ByteBuffer bytes, int from, int to) {
    int start = Math.max(from, to - size);
    int n = to - start;
    if (length + n > ring.length && ring.length < size) {
      grow(n);
    }
    int first = Math.min(n, ring.length - end);
    bytes.get(start, ring, end, first);
    bytes.get(start + first, ring, 0, n - first);
    end = (end + n) % ring.length;
    length = Math.min(length + n, ring.length);
  }

  /** Until it has its full size, it is not yet a ring: it begins at 0. */
  private void grow(int n) {
    int room = Math.min(size, Math.max(2 * ring.length, length + n));
    ring = Arrays.copyOf(ring, room);
    end = length;
  }

  byte[] toArray() {
    byte[] bytes = new byte[length];
    int first = Math.min(length, end);
    System.arraycopy(ring, end - first, bytes, length - first, first);
    System.arraycopy(ring, ring.length - (length - first), bytes, 0, length - first);
    return bytes;
  }
}
