package dev.windhover.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Checks UTF-8 as it arrives, split at any position, and refuses the first byte that cannot be
 * valid (RFC 3629 4; RFC 6455 8.1): stray and missing continuation bytes, overlong forms,
 * surrogates, code points above U+10FFFF.
 *
 * <p>ASCII is skipped eight bytes at a time; the rest is decoded by branches on the lead byte. A
 * validator belongs to one stream of text, and only one thread may use it at a time.
 */
public final class Utf8Validator {
  private static final VarHandle LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long NOT_ASCII = 0x8080_8080_8080_8080L;

  /** Continuation bytes that the current character still needs: 0 to 3. */
  private int missing;

  /**
   * The range of the next continuation byte, because the second byte of a character is often
   * restricted.
   */
  private int lowest;

  private int highest;

  /** Creates a validator at the start of a text. */
  public Utf8Validator() {}

  /**
   * Checks the bytes from {@code from} up to, but not including, {@code to}. The buffer's position
   * does not move.
   *
   * @return false if they cannot continue valid UTF-8
   */
  public boolean accept(ByteBuffer bytes, int from, int to) {
    int i = from;
    while (true) {
      while (missing > 0) {
        if (i == to) {
          return true;
        }
        int b = bytes.get(i++) & 0xFF;
        if (b < lowest || b > highest) {
          return false;
        }
        expect(missing - 1, 0x80, 0xBF);
      }
      i = skipAscii(bytes, i, to);
      if (i == to) {
        return true;
      }
      // A fast path for whole characters of two and three bytes, which does not touch the fields.
      int lead = bytes.get(i++) & 0xFF;
      while (true) {
        if (lead >= 0xC2 && lead <= 0xDF && i < to) {
          if (bytes.get(i++) >= (byte) 0xC0) {
            return false;
          }
        } else if (lead >= 0xE1 && lead <= 0xEC && i + 1 < to) {
          if (bytes.get(i) >= (byte) 0xC0 || bytes.get(i + 1) >= (byte) 0xC0) {
            return false;
          }
          i += 2;
        } else {
          break;
        }
        if (i == to) {
          return true;
        }
        lead = bytes.get(i++) & 0xFF;
      }
      if (lead >= 0x80 && !begin(lead)) {
        return false;
      }
    }
  }

  /** Returns whether the last character is complete: only then may a text end. */
  public boolean isComplete() {
    return missing == 0;
  }

  /** Forgets an incomplete character and starts a new text. */
  public void reset() {
    missing = 0;
  }

  /** Returns the index of the first byte beyond ASCII, or {@code to}. */
  static int skipAscii(ByteBuffer bytes, int from, int to) {
    int i = from;
    while (i + 8 <= to && ((long) LONGS.get(bytes, i) & NOT_ASCII) == 0) {
      i += 8;
    }
    while (i < to && bytes.get(i) >= 0) {
      i++;
    }
    return i;
  }

  /** Starts a character with its first byte: RFC 3629 4, row by row. */
  private boolean begin(int lead) {
    if (lead < 0xC2) {
      return false; // a continuation byte, or the lead of an overlong form
    } else if (lead <= 0xDF) {
      expect(1, 0x80, 0xBF);
    } else if (lead == 0xE0) {
      expect(2, 0xA0, 0xBF); // below: overlong
    } else if (lead == 0xED) {
      expect(2, 0x80, 0x9F); // above: surrogates
    } else if (lead <= 0xEF) {
      expect(2, 0x80, 0xBF);
    } else if (lead == 0xF0) {
      expect(3, 0x90, 0xBF); // below: overlong
    } else if (lead <= 0xF3) {
      expect(3, 0x80, 0xBF);
    } else if (lead == 0xF4) {
      expect(3, 0x80, 0x8F); // above: beyond U+10FFFF
    } else {
      return false;
    }
    return true;
  }

  private void expect(int count, int from, int to) {
    missing = count;
    lowest = from;
    highest = to;
  }
}
