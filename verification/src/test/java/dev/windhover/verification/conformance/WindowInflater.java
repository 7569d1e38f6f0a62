package dev.windhover.verification.conformance;

import java.util.Arrays;

/**
 * Decodes messages of permessage-deflate straight from RFC 1951, and refuses data that refers
 * beyond a window, which the JDK's zlib cannot check.
 */
final class WindowInflater {
  private static final int[] LENGTH_BASE = {
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258
  };
  private static final int[] LENGTH_BITS = {
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0
  };
  private static final int[] CODE_ORDER = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
  };

  /** Codes by their length: how many there are of each, and the symbols in order (3.2.2). */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares codes
  private record Huffman(int[] count, int[] symbols) {
    static Huffman of(int[] lengths, int from, int to) {
      int[] count = new int[16];
      for (int i = from; i < to; i++) {
        count[lengths[i]]++;
      }
      int[] next = new int[16];
      for (int bits = 1; bits < 15; bits++) {
        next[bits + 1] = next[bits] + count[bits];
      }
      int[] symbols = new int[to - from];
      for (int i = from; i < to; i++) {
        if (lengths[i] != 0) {
          symbols[next[lengths[i]]++] = i - from;
        }
      }
      return new Huffman(count, symbols);
    }
  }

  private final int window;
  private final boolean takeover;
  private byte[] history = {};

  // The message under way.
  private byte[] in = {};
  private int position;
  private int bits;
  private int bitCount;
  private byte[] out = {};
  private int size;

  WindowInflater(int windowBits, boolean takeover) {
    this.window = 1 << windowBits;
    this.takeover = takeover;
  }

  /** Decodes the payload of a message, as it stands on the wire. */
  byte[] message(byte[] payload) {
    in = Arrays.copyOf(payload, payload.length + 4); // and 00 00 ff ff behind it
    in[payload.length + 2] = (byte) 0xFF;
    in[payload.length + 3] = (byte) 0xFF;
    position = 0;
    bits = 0;
    bitCount = 0;
    out = Arrays.copyOf(history, history.length + 4 * payload.length + 64);
    size = history.length;
    while (position < in.length || bitCount >= 3) {
      block();
    }
    byte[] message = Arrays.copyOfRange(out, history.length, size);
    history = takeover ? Arrays.copyOfRange(out, Math.max(0, size - window), size) : history;
    return message;
  }

  private void block() {
    boolean last = take(1) == 1;
    switch (take(2)) {
      case 0 -> stored();
      case 1 -> codes(fixedLengths(), 288);
      case 2 -> dynamic();
      default -> throw new AssertionError("a block of type 3");
    }
    if (last) {
      throw new AssertionError("a server's message has a block with BFINAL");
    }
  }

  private void stored() {
    bits = 0; // at most seven: to the byte's boundary
    bitCount = 0;
    int length = take(16);
    if ((take(16) ^ 0xFFFF) != length) {
      throw new AssertionError("a stored block's length is not confirmed");
    }
    for (int i = 0; i < length; i++) {
      put((byte) take(8));
    }
  }

  private static int[] fixedLengths() {
    int[] lengths = new int[288 + 30];
    Arrays.fill(lengths, 0, 144, 8);
    Arrays.fill(lengths, 144, 256, 9);
    Arrays.fill(lengths, 256, 280, 7);
    Arrays.fill(lengths, 280, 288, 8);
    Arrays.fill(lengths, 288, 318, 5);
    return lengths;
  }

  private void dynamic() {
    int literals = take(5) + 257;
    int distances = take(5) + 1;
    int[] codes = new int[19];
    int n = take(4) + 4;
    for (int i = 0; i < n; i++) {
      codes[CODE_ORDER[i]] = take(3);
    }
    Huffman code = Huffman.of(codes, 0, codes.length);
    int[] lengths = new int[literals + distances];
    for (int i = 0; i < lengths.length; ) {
      int symbol = symbol(code);
      int value = symbol == 16 ? lengths[i - 1] : symbol > 16 ? 0 : symbol;
      int times =
          switch (symbol) {
            case 16 -> 3 + take(2);
            case 17 -> 3 + take(3);
            case 18 -> 11 + take(7);
            default -> 1;
          };
      Arrays.fill(lengths, i, i + times, value);
      i += times;
    }
    codes(lengths, literals);
  }

  private void codes(int[] lengths, int literals) {
    Huffman literal = Huffman.of(lengths, 0, literals);
    Huffman distance = Huffman.of(lengths, literals, lengths.length);
    for (int symbol = symbol(literal); symbol != 256; symbol = symbol(literal)) {
      if (symbol < 256) {
        put((byte) symbol);
      } else {
        int length = LENGTH_BASE[symbol - 257] + take(LENGTH_BITS[symbol - 257]);
        int code = symbol(distance);
        int extra = Math.max(0, code / 2 - 1);
        copy(length, (code < 4 ? code : (2 + (code & 1)) << extra) + 1 + take(extra));
      }
    }
  }

  private void copy(int length, int distance) {
    if (distance > window || distance > size) {
      throw new AssertionError(
          "a distance of %d with a window of %d and %d bytes".formatted(distance, window, size));
    }
    for (int i = 0; i < length; i++) {
      put(out[size - distance]);
    }
  }

  private void put(byte b) {
    if (size == out.length) {
      out = Arrays.copyOf(out, 2 * size);
    }
    out[size++] = b;
  }

  private int symbol(Huffman huffman) {
    int code = 0;
    int first = 0;
    int index = 0;
    for (int length = 1; length < 16; length++) {
      code |= take(1);
      int count = huffman.count[length];
      if (code - count < first) {
        return huffman.symbols[index + code - first];
      }
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new AssertionError("no such code");
  }

  /** Takes n bits, the lowest first. */
  private int take(int n) {
    while (bitCount < n) {
      if (position == in.length) {
        throw new AssertionError("a server's message ends inside a block");
      }
      bits |= (in[position++] & 0xFF) << bitCount;
      bitCount += 8;
    }
    int value = bits & ((1 << n) - 1);
    bits >>>= n;
    bitCount -= n;
    return value;
  }
}
