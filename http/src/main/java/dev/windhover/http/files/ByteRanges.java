package dev.windhover.http.files;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The header {@code Range} (RFC 9110 14.1, 14.2). */
final class ByteRanges {
  /**
   * More ranges than this are not worth their headers; PDF readers and video players request a
   * handful.
   */
  static final int MOST_RANGES = 16;

  private static final String UNIT = "bytes=";
  private static final int MOST_DIGITS = 18; // of a long
  private static final long ABSENT = -1;
  private static final long MALFORMED = -2;

  /**
   * The bytes from {@code first} to {@code last}, both inclusive.
   *
   * @param first 0 or more
   * @param last {@code first} or more
   */
  record ByteRange(long first, long last) {
    long length() {
      return last - first + 1;
    }

    /** Returns the value of {@code Content-Range} for a file of {@code length} bytes. */
    String of(long length) {
      return "bytes " + first + "-" + last + "/" + length;
    }
  }

  private ByteRanges() {}

  /**
   * Returns the ranges that {@code values}, the header's lines, request from a file of {@code
   * length} bytes, in their order. Ranges that begin after the end are left out, so an empty list
   * means that the request cannot be satisfied.
   *
   * @return null if the header must be ignored, which is always allowed (RFC 9110 14.2): it is
   *     malformed or in another unit, the file is empty, the ranges overlap, or there are more than
   *     {@link #MOST_RANGES}. So a response is never much larger than the file
   */
  static @Nullable List<ByteRange> parse(List<String> values, long length) {
    String value = values.size() == 1 ? values.getFirst() : "";
    if (length == 0 || !value.regionMatches(true, 0, UNIT, 0, UNIT.length())) {
      return null;
    }
    List<ByteRange> ranges = new ArrayList<>();
    int specs = 0;
    for (String spec : value.substring(UNIT.length()).split(",", -1)) {
      String text = spec.strip();
      if (text.isEmpty()) {
        continue; // RFC 9110 5.6.1.2
      }
      int dash = text.indexOf('-');
      long first = dash < 0 ? MALFORMED : number(text.substring(0, dash));
      long last = dash < 0 ? MALFORMED : number(text.substring(dash + 1));
      boolean isSuffix = first == ABSENT;
      boolean isValid =
          first != MALFORMED
              && last != MALFORMED
              && (isSuffix ? last != ABSENT : last == ABSENT || last >= first);
      if (!isValid || ++specs > MOST_RANGES) {
        return null;
      }
      if (isSuffix) {
        first = Math.max(0, length - last); // -0 begins at the end, after the last byte
        last = ABSENT;
      }
      if (first < length) {
        ranges.add(new ByteRange(first, last == ABSENT ? length - 1 : Math.min(last, length - 1)));
      }
    }
    return specs == 0 || overlap(ranges) ? null : ranges;
  }

  private static long number(String digits) {
    for (int i = 0; i < digits.length(); i++) {
      if (digits.charAt(i) < '0' || digits.charAt(i) > '9') {
        return MALFORMED;
      }
    }
    if (digits.isEmpty()) {
      return ABSENT;
    }
    return digits.length() > MOST_DIGITS ? Long.MAX_VALUE : Long.parseLong(digits);
  }

  private static boolean overlap(List<ByteRange> ranges) {
    List<ByteRange> sorted = new ArrayList<>(ranges);
    sorted.sort(Comparator.comparingLong(ByteRange::first));
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i).first() <= sorted.get(i - 1).last()) {
        return true;
      }
    }
    return false;
  }
}
