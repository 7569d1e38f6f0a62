package dev.windhover.verification.fuzz;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** What the fuzzer gives: some bytes that choose, then those that are fed. */
public final class Input {
  private final byte[] bytes;
  private int at;

  /** Takes the bytes as they are. */
  public Input(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Returns the next choice, 0–255; 0 when there is none. */
  public int choice() {
    return at < bytes.length ? bytes[at++] & 0xFF : 0;
  }

  /** Returns the next choice within 0 to {@code bound - 1}. */
  public int choice(int bound) {
    return choice() % bound;
  }

  /** Returns all that no choice has taken. */
  public byte[] rest() {
    return Arrays.copyOfRange(bytes, at, bytes.length);
  }

  /** Returns {@code whole} byte by byte. */
  public static List<byte[]> bytewise(byte[] whole) {
    List<byte[]> pieces = new ArrayList<>(whole.length);
    for (byte each : whole) {
      pieces.add(new byte[] {each});
    }
    return pieces;
  }

  /** Returns {@code whole} in pieces of 1 to {@code longest} bytes, the same for the same seed. */
  public static List<byte[]> pieces(byte[] whole, int longest, long seed) {
    RandomGenerator random = new SplittableRandom(seed);
    List<byte[]> pieces = new ArrayList<>();
    for (int from = 0; from < whole.length; ) {
      int to = Math.min(whole.length, from + random.nextInt(1, longest + 1));
      pieces.add(Arrays.copyOfRange(whole, from, to));
      from = to;
    }
    return pieces;
  }

  /** Returns {@code whole} in {@code count} pieces about as long as each other, perhaps empty. */
  public static List<byte[]> parts(byte[] whole, int count) {
    List<byte[]> parts = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int from = (int) ((long) whole.length * i / count);
      parts.add(Arrays.copyOfRange(whole, from, (int) ((long) whole.length * (i + 1) / count)));
    }
    return parts;
  }

  /** Returns the bytes in a buffer that has others on both sides, on the heap or outside of it. */
  public static ByteBuffer buffer(byte[] bytes, boolean direct) {
    int margin = 3;
    int capacity = bytes.length + 2 * margin;
    ByteBuffer all = direct ? ByteBuffer.allocateDirect(capacity) : ByteBuffer.allocate(capacity);
    return all.position(margin).put(bytes).limit(margin + bytes.length).position(margin);
  }
}
