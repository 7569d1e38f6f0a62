package dev.windhover.hubs.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import tools.jackson.core.exc.StreamReadException;

/**
 * Reads MessagePack, value by value, from memory. What is malformed is a {@link
 * StreamReadException}: a length beyond the end is, before any memory is taken.
 *
 * <p>Not of msgpack-core, which reaches for {@code sun.misc.Unsafe}: today's JVMs warn of that at
 * the first message.
 */
final class MessagePackReader {
  /** The deepest nesting of arrays and maps, as in JSON. */
  static final int LEVELS = 64;

  /** The type of the extension that a point in time is. */
  static final byte TIMESTAMP = -1;

  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  /** What the next value is. */
  enum Kind {
    NIL,
    BOOLEAN,
    INTEGER,
    FLOAT,
    STRING,
    BINARY,
    ARRAY,
    MAP,
    EXTENSION
  }

  private final byte[] bytes;
  private final int end;
  private int at;

  MessagePackReader(ByteBuffer record) {
    if (record.hasArray()) {
      bytes = record.array();
      at = record.arrayOffset() + record.position();
    } else {
      bytes = new byte[record.remaining()];
      record.get(record.position(), bytes);
    }
    end = at + record.remaining();
  }

  boolean atEnd() {
    return at == end;
  }

  Kind next() {
    int head = peek();
    return switch (head >> 4) {
      case 0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0xE, 0xF -> Kind.INTEGER;
      case 0x8 -> Kind.MAP;
      case 0x9 -> Kind.ARRAY;
      case 0xA, 0xB -> Kind.STRING;
      default ->
          switch (head) {
            case 0xC0 -> Kind.NIL;
            case 0xC2, 0xC3 -> Kind.BOOLEAN;
            case 0xC4, 0xC5, 0xC6 -> Kind.BINARY;
            case 0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8 -> Kind.EXTENSION;
            case 0xCA, 0xCB -> Kind.FLOAT;
            case 0xD9, 0xDA, 0xDB -> Kind.STRING;
            case 0xDC, 0xDD -> Kind.ARRAY;
            case 0xDE, 0xDF -> Kind.MAP;
            case 0xC1 -> throw malformed("byte C1 is never used");
            default -> Kind.INTEGER;
          };
    };
  }

  /** Takes a nil if the next value is one. */
  boolean tryNil() {
    if (peek() != 0xC0) {
      return false;
    }
    at++;
    return true;
  }

  boolean readBoolean() {
    return switch (head()) {
      case 0xC2 -> false;
      case 0xC3 -> true;
      default -> throw wrong(Kind.BOOLEAN);
    };
  }

  /** Reads an integer. */
  long readLong() {
    if (nextIsBeyondLong()) {
      throw malformed("integer exceeds " + Long.MAX_VALUE);
    }
    return integer();
  }

  /** Returns whether the next value is an integer above the largest long. */
  boolean nextIsBeyondLong() {
    return peek() == 0xCF && available() > Long.BYTES && bytes[at + 1] < 0;
  }

  /** Reads an integer of any size. */
  BigInteger readBigInteger() {
    boolean beyond = nextIsBeyondLong();
    long value = integer();
    return beyond ? new BigInteger(Long.toUnsignedString(value)) : BigInteger.valueOf(value);
  }

  private long integer() {
    int head = head();
    if (head < 0x80 || head >= 0xE0) {
      return (byte) head;
    }
    return switch (head) {
      case 0xCC -> uint8();
      case 0xCD -> uint16();
      case 0xCE -> int32() & 0xFFFFFFFFL;
      case 0xCF, 0xD3 -> int64();
      case 0xD0 -> (byte) uint8();
      case 0xD1 -> (short) uint16();
      case 0xD2 -> int32();
      default -> throw wrong(Kind.INTEGER);
    };
  }

  /** Returns whether the next number has 32 bits. */
  boolean nextIsFloat32() {
    return peek() == 0xCA;
  }

  double readDouble() {
    return switch (head()) {
      case 0xCA -> Float.intBitsToFloat(int32());
      case 0xCB -> Double.longBitsToDouble(int64());
      default -> throw wrong(Kind.FLOAT);
    };
  }

  String readString() {
    int length = stringLength();
    at += length;
    return new String(bytes, at - length, length, StandardCharsets.UTF_8);
  }

  private int stringLength() {
    int head = head();
    if (head >> 5 == 0x5) {
      return require(head & 0x1F);
    }
    return switch (head) {
      case 0xD9 -> require(uint8());
      case 0xDA -> require(uint16());
      case 0xDB -> require(int32());
      default -> throw wrong(Kind.STRING);
    };
  }

  byte[] readBinary() {
    byte[] value = new byte[binaryLength()];
    System.arraycopy(bytes, at, value, 0, value.length);
    at += value.length;
    return value;
  }

  private int binaryLength() {
    return switch (head()) {
      case 0xC4 -> require(uint8());
      case 0xC5 -> require(uint16());
      case 0xC6 -> require(int32());
      default -> throw wrong(Kind.BINARY);
    };
  }

  /** Reads the number of items that follow. */
  int readArrayHeader() {
    int head = head();
    if (head >> 4 == 0x9) {
      return require(head & 0xF);
    }
    return switch (head) {
      case 0xDC -> require(uint16());
      case 0xDD -> require(int32());
      default -> throw wrong(Kind.ARRAY);
    };
  }

  /** Reads the number of keys that follow, each with a value. */
  int readMapHeader() {
    int head = head();
    if (head >> 4 == 0x8) {
      return requirePairs(head & 0xF);
    }
    return switch (head) {
      case 0xDE -> requirePairs(uint16());
      case 0xDF -> requirePairs(int32());
      default -> throw wrong(Kind.MAP);
    };
  }

  /** Reads a point in time, the only extension that is known. */
  Instant readTimestamp() {
    int length = extensionLength();
    byte type = (byte) uint8();
    require(length);
    if (type != TIMESTAMP) {
      throw malformed("extension of unknown type " + type);
    }
    return switch (length) {
      case 4 -> Instant.ofEpochSecond(int32() & 0xFFFFFFFFL);
      case 8 -> {
        long both = int64();
        yield timestamp(both & 0x3_FFFF_FFFFL, both >>> 34);
      }
      case 12 -> {
        long nanos = int32() & 0xFFFFFFFFL;
        yield timestamp(int64(), nanos);
      }
      default -> throw malformed("timestamp of " + length + " bytes");
    };
  }

  private static Instant timestamp(long seconds, long nanos) {
    if (nanos >= NANOS_PER_SECOND
        || seconds < Instant.MIN.getEpochSecond()
        || seconds > Instant.MAX.getEpochSecond()) {
      throw malformed("timestamp of " + seconds + " s and " + nanos + " ns");
    }
    return Instant.ofEpochSecond(seconds, nanos);
  }

  private int extensionLength() {
    return switch (head()) {
      case 0xC7 -> uint8();
      case 0xC8 -> uint16();
      case 0xC9 -> int32();
      case 0xD4 -> 1;
      case 0xD5 -> 2;
      case 0xD6 -> 4;
      case 0xD7 -> 8;
      case 0xD8 -> 16;
      default -> throw wrong(Kind.EXTENSION);
    };
  }

  /** Skips a value of at most {@code levels} levels, with all that is in it. */
  void skip(int levels) {
    switch (next()) {
      case NIL, BOOLEAN -> at++;
      case INTEGER -> integer();
      case FLOAT -> readDouble();
      case STRING -> {
        int length = stringLength();
        at += length;
      }
      case BINARY -> {
        int length = binaryLength();
        at += length;
      }
      case EXTENSION -> {
        int length = extensionLength();
        at++;
        at += require(length);
      }
      case ARRAY -> skip(readArrayHeader(), levels);
      case MAP -> skip(2L * readMapHeader(), levels);
    }
  }

  private void skip(long values, int levels) {
    requireLevel(levels);
    for (long i = 0; i < values; i++) {
      skip(levels - 1);
    }
  }

  /** Refuses what is nested too deep. */
  static void requireLevel(int levels) {
    if (levels == 0) {
      throw malformed("more than " + LEVELS + " levels");
    }
  }

  // ---- Bytes

  private int peek() {
    if (at == end) {
      throw malformed("value is missing");
    }
    return bytes[at] & 0xFF;
  }

  private int head() {
    int head = peek();
    at++;
    return head;
  }

  private int uint8() {
    require(1);
    return bytes[at++] & 0xFF;
  }

  private int uint16() {
    require(Short.BYTES);
    at += Short.BYTES;
    return (short) SHORT.get(bytes, at - Short.BYTES) & 0xFFFF;
  }

  private int int32() {
    require(Integer.BYTES);
    at += Integer.BYTES;
    return (int) INT.get(bytes, at - Integer.BYTES);
  }

  private long int64() {
    require(Long.BYTES);
    at += Long.BYTES;
    return (long) LONG.get(bytes, at - Long.BYTES);
  }

  private int available() {
    return end - at;
  }

  /**
   * Returns the length of what follows, if so much does; 32 bits that are negative are too much.
   */
  private int require(int length) {
    if (length < 0 || length > available()) {
      throw malformed(
          "%d bytes or items, of which %d are there"
              .formatted(Integer.toUnsignedLong(length), available()));
    }
    return length;
  }

  private int requirePairs(int pairs) {
    if (pairs < 0 || pairs > available() / 2) {
      throw malformed(
          "%d keys and values in %d bytes".formatted(Integer.toUnsignedLong(pairs), available()));
    }
    return pairs;
  }

  private StreamReadException wrong(Kind wanted) {
    return malformed("byte %02X begins no %s".formatted(bytes[at - 1] & 0xFF, wanted));
  }

  private static StreamReadException malformed(String text) {
    return new StreamReadException(text);
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.BIG_ENDIAN);
  }
}
