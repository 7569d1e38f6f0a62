package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Frames;
import dev.windhover.protocol.Hex;
import java.util.Arrays;

/**
 * A peer's side of permessage-deflate, slow and obvious, straight from RFC 1951: it has exactly the
 * negotiated window, and refuses data that refers beyond it.
 */
final class ReferenceInflater {
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
  private static final class Huffman {
    final int[] count;
    final int[] symbols;

    Huffman(int[] count, int[] symbols) {
      this.count = count;
      this.symbols = symbols;
    }

    static Huffman of(int[] lengths) {
      int[] count = new int[16];
      for (int length : lengths) {
        count[length]++;
      }
      int[] next = new int[16];
      for (int bits = 1; bits < 15; bits++) {
        next[bits + 1] = next[bits] + count[bits];
      }
      int[] symbols = new int[lengths.length];
      for (int symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] != 0) {
          symbols[next[lengths[symbol]]++] = symbol;
        }
      }
      return new Huffman(count, symbols);
    }
  }

  private final int window;
  private final boolean takeover;
  private byte[] history = {};
  private int longestDistance;

  // The current message.
  private byte[] in = {};
  private int bit;
  private byte[] out = {};
  private int size;

  ReferenceInflater(int windowBits, boolean takeover) {
    this.window = 1 << windowBits;
    this.takeover = takeover;
  }

  /** Returns how far back a message has referred. */
  int longestDistance() {
    return longestDistance;
  }

  /** Decodes the payload of a message, as it is on the wire. */
  byte[] message(byte... payload) {
    in = Frames.join(payload, Hex.bytes("00 00 ff ff"));
    bit = 0;
    out = Arrays.copyOf(history, history.length + 64);
    size = history.length;
    while (bit < 8 * in.length) {
      block();
    }
    byte[] message = Arrays.copyOfRange(out, history.length, size);
    if (takeover) {
      history = Arrays.copyOfRange(out, Math.max(0, size - window), size);
    }
    return message;
  }

  private void block() {
    boolean last = bits(1) == 1;
    switch (bits(2)) {
      case 0 -> stored();
      case 1 -> codes(fixedLengths(), 288);
      case 2 -> dynamic();
      default -> throw new IllegalStateException("block of type 3");
    }
    if (last) {
      align(); // RFC 7692 7.2.3.4: it does not end the message
    }
  }

  private void stored() {
    align();
    int length = bits(16);
    if ((bits(16) ^ 0xFFFF) != length) {
      throw new IllegalStateException("stored block's length is not confirmed");
    }
    for (int i = 0; i < length; i++) {
      put((byte) bits(8));
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
    int literals = bits(5) + 257;
    int distances = bits(5) + 1;
    int[] codes = new int[19];
    int n = bits(4) + 4;
    for (int i = 0; i < n; i++) {
      codes[CODE_ORDER[i]] = bits(3);
    }
    Huffman code = Huffman.of(codes);
    int[] lengths = new int[literals + distances];
    for (int i = 0; i < lengths.length; ) {
      int symbol = symbol(code);
      int value = 0;
      int times = 1;
      switch (symbol) {
        case 16 -> {
          value = lengths[i - 1];
          times = 3 + bits(2);
        }
        case 17 -> times = 3 + bits(3);
        case 18 -> times = 11 + bits(7);
        default -> value = symbol;
      }
      Arrays.fill(lengths, i, i + times, value);
      i += times;
    }
    codes(lengths, literals);
  }

  private void codes(int[] lengths, int literals) {
    Huffman literal = Huffman.of(Arrays.copyOf(lengths, literals));
    Huffman distance = Huffman.of(Arrays.copyOfRange(lengths, literals, lengths.length));
    for (int symbol; (symbol = symbol(literal)) != 256; ) {
      if (symbol < 256) {
        put((byte) symbol);
      } else {
        int length = LENGTH_BASE[symbol - 257] + bits(LENGTH_BITS[symbol - 257]);
        int code = symbol(distance);
        int extra = Math.max(0, code / 2 - 1);
        copy(length, (code < 4 ? code : (2 + (code & 1)) << extra) + 1 + bits(extra));
      }
    }
  }

  private void copy(int length, int distance) {
    if (distance > window || distance > size) {
      throw new IllegalStateException(
          "distance " + distance + " with a window of " + window + " and " + size + " bytes");
    }
    longestDistance = Math.max(longestDistance, distance);
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
      code |= bits(1);
      int count = huffman.count[length];
      if (code - count < first) {
        return huffman.symbols[index + code - first];
      }
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new IllegalStateException("no such code");
  }

  private int bits(int n) {
    int value = 0;
    for (int i = 0; i < n; i++, bit++) {
      if (bit >= 8 * in.length) {
        throw new IllegalStateException("message ends inside a block");
      }
      value |= (in[bit >> 3] >> (bit & 7) & 1) << i;
    }
    return value;
  }

  private void align() {
    bit = (bit + 7) & ~7;
  }
}
