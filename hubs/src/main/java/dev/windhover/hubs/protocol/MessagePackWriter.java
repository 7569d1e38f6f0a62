package dev.windhover.hubs.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Arrays;

/** Writes MessagePack, value by value, as short as it can be, into a record that grows. */
final class MessagePackWriter {
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);
  private static final BigInteger LARGEST =
      BigInteger.ONE.shiftLeft(Long.SIZE).subtract(BigInteger.ONE);
  private static final BigInteger SMALLEST = BigInteger.valueOf(Long.MIN_VALUE);

  private static final int FIRST_SIZE = 128;
  private static final int LARGEST_PREFIX = 5;
  private static final int LARGEST_HEADER = 5;
  private static final int LONGEST_CHARACTER = 4;
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

  // Room for the length, then the message.
  private byte[] bytes = new byte[FIRST_SIZE];
  private int at = LARGEST_PREFIX;

  /** Returns what was written as a record, after its length. */
  ByteBuffer record() {
    int length = at - LARGEST_PREFIX;
    int prefix = 1;
    for (int rest = length >>> 7; rest != 0; rest >>>= 7) {
      prefix++;
    }
    byte[] record = Arrays.copyOfRange(bytes, LARGEST_PREFIX - prefix, at);
    for (int i = 0; i < prefix; i++) {
      record[i] = (byte) ((length >>> (7 * i)) | (i < prefix - 1 ? 0x80 : 0));
    }
    return ByteBuffer.wrap(record);
  }

  void nil() {
    one(0xC0);
  }

  void bool(boolean value) {
    one(value ? 0xC3 : 0xC2);
  }

  void integer(long value) {
    if (value >= 0) {
      unsigned(value);
    } else if (value >= -32) {
      one((int) value);
    } else if (value >= Byte.MIN_VALUE) {
      one(0xD0);
      one((int) value);
    } else if (value >= Short.MIN_VALUE) {
      one(0xD1);
      two((int) value);
    } else if (value >= Integer.MIN_VALUE) {
      one(0xD2);
      four((int) value);
    } else {
      one(0xD3);
      eight(value);
    }
  }

  /** Writes an integer of 64 bits without a sign. */
  void unsigned(long value) {
    if (value >>> 7 == 0) {
      one((int) value);
    } else if (value >>> 8 == 0) {
      one(0xCC);
      one((int) value);
    } else if (value >>> 16 == 0) {
      one(0xCD);
      two((int) value);
    } else if (value >>> 32 == 0) {
      one(0xCE);
      four((int) value);
    } else {
      one(0xCF);
      eight(value);
    }
  }

  /**
   * Writes an integer.
   *
   * @throws IllegalArgumentException if it needs more than 64 bits
   */
  void integer(BigInteger value) {
    if (value.compareTo(SMALLEST) < 0 || value.compareTo(LARGEST) > 0) {
      throw new IllegalArgumentException("integer of " + value.bitLength() + " bits");
    }
    if (value.signum() < 0) {
      integer(value.longValue());
    } else {
      unsigned(value.longValue());
    }
  }

  void float32(float value) {
    one(0xCA);
    four(Float.floatToRawIntBits(value));
  }

  void float64(double value) {
    one(0xCB);
    eight(Double.doubleToRawLongBits(value));
  }

  /**
   * Writes text.
   *
   * @throws IllegalArgumentException if it has a lone surrogate
   */
  void string(String text) {
    int length = text.length();
    room(LARGEST_HEADER + (long) length); // for ASCII
    int header = stringHeader(length); // others may need a longer one
    int start = at;
    at += header;
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        bytes[at++] = (byte) c;
      } else {
        room(LONGEST_CHARACTER + (long) length - i);
        int encoded = Utf8Text.encode(text, i, bytes, at);
        at += encoded;
        i += encoded / 4; // two chars of four bytes
      }
    }
    int size = at - start - header;
    shift(start + header, stringHeader(size) - header);
    putStringHeader(start, size);
  }

  private static int stringHeader(int size) {
    return size < 32 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : LARGEST_HEADER;
  }

  private void putStringHeader(int start, int size) {
    switch (stringHeader(size)) {
      case 1 -> bytes[start] = (byte) (0xA0 | size);
      case 2 -> {
        bytes[start] = (byte) 0xD9;
        bytes[start + 1] = (byte) size;
      }
      case 3 -> {
        bytes[start] = (byte) 0xDA;
        SHORT.set(bytes, start + 1, (short) size);
      }
      default -> {
        bytes[start] = (byte) 0xDB;
        INT.set(bytes, start + 1, size);
      }
    }
  }

  void binary(byte[] value, int offset, int length) {
    if (length < 0x100) {
      one(0xC4);
      one(length);
    } else if (length < 0x10000) {
      one(0xC5);
      two(length);
    } else {
      one(0xC6);
      four(length);
    }
    room(length);
    System.arraycopy(value, offset, bytes, at, length);
    at += length;
  }

  /** Writes a point in time as the extension for it. */
  void timestamp(Instant time) {
    long seconds = time.getEpochSecond();
    int nanos = time.getNano();
    if (seconds >>> 34 != 0) {
      one(0xC7);
      one(12);
      one(MessagePackReader.TIMESTAMP);
      four(nanos);
      eight(seconds);
    } else if (nanos != 0 || seconds >>> 32 != 0) {
      one(0xD7);
      one(MessagePackReader.TIMESTAMP);
      eight((long) nanos << 34 | seconds);
    } else {
      one(0xD6);
      one(MessagePackReader.TIMESTAMP);
      four((int) seconds);
    }
  }

  void arrayHeader(int count) {
    putHeader(begin(count), count, 0x90, 0xDC);
  }

  void mapHeader(int count) {
    putHeader(begin(count), count, 0x80, 0xDE);
  }

  /**
   * Leaves room for the header of an array or map.
   *
   * @param likely how many items it will have; a wrong guess costs a copy
   * @return where it stands, for its end
   */
  int begin(int likely) {
    room(LARGEST_HEADER);
    int start = at;
    at += containerHeader(likely);
    return start;
  }

  /** Ends an array that has begun at {@code start}. */
  void endArray(int start, int likely, int count) {
    shift(start + containerHeader(likely), containerHeader(count) - containerHeader(likely));
    putHeader(start, count, 0x90, 0xDC);
  }

  /** Ends a map that has begun at {@code start}. */
  void endMap(int start, int likely, int count) {
    shift(start + containerHeader(likely), containerHeader(count) - containerHeader(likely));
    putHeader(start, count, 0x80, 0xDE);
  }

  private static int containerHeader(int count) {
    return count < 16 ? 1 : count < 0x10000 ? 3 : LARGEST_HEADER;
  }

  private void putHeader(int start, int count, int small, int large) {
    switch (containerHeader(count)) {
      case 1 -> bytes[start] = (byte) (small | count);
      case 3 -> {
        bytes[start] = (byte) large;
        SHORT.set(bytes, start + 1, (short) count);
      }
      default -> {
        bytes[start] = (byte) (large + 1);
        INT.set(bytes, start + 1, count);
      }
    }
  }

  /** Moves what was written from {@code from} on. */
  private void shift(int from, int by) {
    if (by != 0) {
      room(LARGEST_HEADER);
      System.arraycopy(bytes, from, bytes, from + by, at - from);
      at += by;
    }
  }

  private void one(int value) {
    room(1);
    bytes[at++] = (byte) value;
  }

  private void two(int value) {
    room(Short.BYTES);
    SHORT.set(bytes, at, (short) value);
    at += Short.BYTES;
  }

  private void four(int value) {
    room(Integer.BYTES);
    INT.set(bytes, at, value);
    at += Integer.BYTES;
  }

  private void eight(long value) {
    room(Long.BYTES);
    LONG.set(bytes, at, value);
    at += Long.BYTES;
  }

  private void room(long count) {
    if (count > bytes.length - at) {
      long size = Math.max(at + count, Math.min(2L * bytes.length, LARGEST_ARRAY));
      bytes = Arrays.copyOf(bytes, Math.toIntExact(size));
    }
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.BIG_ENDIAN);
  }
}
