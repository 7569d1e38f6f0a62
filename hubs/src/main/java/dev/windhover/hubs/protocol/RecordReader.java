package dev.windhover.hubs.protocol;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds the records in a client's stream of bytes. A record that is whole in what comes is lent
 * from there; of one that is not, its beginning is kept. For one thread at a time.
 */
public final class RecordReader {
  /** The byte after each record of text: U+001E, which cannot stand in JSON. */
  static final byte SEPARATOR = 0x1E;

  private static final long SEPARATORS = 0x1E1E1E1E1E1E1E1EL;
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;
  private static final int FIRST_KEPT = 256;
  private static final byte[] NOTHING = {};

  private final RecordFormat format;
  private final int maxSize;

  private byte[] kept = NOTHING;
  private int size;

  // Of a record after its length: what is known of it.
  private int length;
  private int prefixSize;
  private boolean lengthKnown;

  /**
   * Creates one for the beginning of a record.
   *
   * @param maxSize the largest record in bytes, with what sets it apart; 0 for no limit but that of
   *     an array
   * @throws IllegalArgumentException if {@code maxSize} is negative
   */
  public RecordReader(RecordFormat format, long maxSize) {
    if (maxSize < 0) {
      throw new IllegalArgumentException("record limit of " + maxSize + " bytes is negative");
    }
    this.format = format;
    this.maxSize = maxSize == 0 ? LARGEST_ARRAY : (int) Math.min(maxSize, LARGEST_ARRAY);
  }

  /**
   * Takes the next record.
   *
   * @param bytes what has come; read up to the end of the record
   * @return the record, without what sets it apart, valid until the next call or until {@code
   *     bytes} changes; null if more must come: then all of {@code bytes} has been read
   * @throws InvalidDataException if the record exceeds the limit, as soon as that is certain, or
   *     its length is malformed; the stream cannot be read on
   */
  public @Nullable ByteBuffer next(ByteBuffer bytes) throws InvalidDataException {
    return switch (format) {
      case SEPARATED -> nextSeparated(bytes);
      case LENGTH_PREFIXED -> nextPrefixed(bytes);
    };
  }

  /** Returns how many bytes of a record are kept. */
  public int kept() {
    return size;
  }

  /** Forgets the beginning of a record, because its transport is lost. */
  public void reset() {
    kept = NOTHING;
    size = 0;
    forgetLength();
  }

  private @Nullable ByteBuffer nextSeparated(ByteBuffer bytes) throws InvalidDataException {
    int from = bytes.position();
    int to = (int) Math.min(bytes.limit(), (long) from + maxSize - size);
    int end = indexOfSeparator(bytes, from, to);
    if (end < to) {
      ByteBuffer record = take(bytes, end - from);
      bytes.position(end + 1);
      return record;
    }
    if (size + (to - from) == maxSize) {
      throw tooLarge(); // the separator would be one byte too many
    }
    keep(bytes, to - from);
    return null;
  }

  private @Nullable ByteBuffer nextPrefixed(ByteBuffer bytes) throws InvalidDataException {
    while (!lengthKnown) {
      if (!bytes.hasRemaining()) {
        return null;
      }
      readLength(bytes.get());
    }
    if (bytes.remaining() < length - size) {
      keep(bytes, bytes.remaining());
      return null;
    }
    ByteBuffer record = take(bytes, length - size);
    forgetLength();
    return record;
  }

  /** Reads a byte of a length: 7 bits, the lowest first, and whether another follows. */
  private void readLength(byte next) throws InvalidDataException {
    if (prefixSize == 4 && (next & 0xF8) != 0) {
      throw InvalidDataException.badLength(
          "length of a record exceeds " + Integer.MAX_VALUE + " bytes");
    }
    length |= (next & 0x7F) << (7 * prefixSize++);
    lengthKnown = next >= 0;
    if (lengthKnown && (long) prefixSize + length > maxSize) {
      throw tooLarge();
    }
  }

  private void forgetLength() {
    length = 0;
    prefixSize = 0;
    lengthKnown = false;
  }

  /** Returns what is kept and the next {@code count} bytes; without a copy if nothing is kept. */
  private ByteBuffer take(ByteBuffer bytes, int count) {
    if (size == 0) {
      ByteBuffer record = bytes.slice(bytes.position(), count);
      bytes.position(bytes.position() + count);
      return record;
    }
    keep(bytes, count);
    ByteBuffer record = ByteBuffer.wrap(kept, 0, size);
    kept = NOTHING;
    size = 0;
    return record;
  }

  /**
   * Keeps the next {@code count} bytes; memory grows with what comes, not with what is promised.
   */
  private void keep(ByteBuffer bytes, int count) {
    if (kept.length < size + count) {
      long room = Math.max(size + count, Math.max(FIRST_KEPT, 2L * kept.length));
      kept = Arrays.copyOf(kept, (int) Math.min(room, maxSize));
    }
    bytes.get(kept, size, count);
    size += count;
  }

  private InvalidDataException tooLarge() {
    return new InvalidDataException(
        "The maximum message size of "
            + maxSize
            + "B was exceeded. The message size can be configured in AddHubOptions.");
  }

  /** Returns the index of the first separator; {@code to} if there is none. */
  private static int indexOfSeparator(ByteBuffer bytes, int from, int to) {
    int at = from;
    while (at <= to - Long.BYTES && !hasZero(bytes.getLong(at) ^ SEPARATORS)) {
      at += Long.BYTES;
    }
    while (at < to && bytes.get(at) != SEPARATOR) {
      at++;
    }
    return at;
  }

  /** Returns whether one of the eight bytes is zero, as in Hacker's Delight, 6–1. */
  private static boolean hasZero(long bytes) {
    return ((bytes - 0x0101010101010101L) & ~bytes & 0x8080808080808080L) != 0;
  }
}
