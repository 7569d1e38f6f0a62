package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Text on its way out: a message or a reason must be UTF-8 (RFC 6455 5.6, 5.5.1). */
public final class Utf8 {
  private Utf8() {}

  /**
   * Encodes {@code text}. The JDK would send a {@code ?} for half of a surrogate pair, which is
   * what is left when text was cut in the middle of a character; this refuses it.
   *
   * @throws IllegalArgumentException if {@code text} has a lone surrogate; the message says where
   */
  public static ByteBuffer encode(CharSequence text) {
    String string = text.toString();
    byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
    if (!isAscii(string, bytes)) {
      requireWellFormed(string);
    }
    return ByteBuffer.wrap(bytes);
  }

  /** Returns whether no character was replaced, for the most frequent text, without a loop. */
  private static boolean isAscii(String text, byte[] utf8) {
    return utf8.length == text.length()
        && text.equals(new String(utf8, StandardCharsets.ISO_8859_1));
  }

  private static void requireWellFormed(String text) {
    int next;
    for (int i = 0; i < text.length(); i = next) {
      int character = text.codePointAt(i); // half a pair that stands alone is itself
      if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
        throw new IllegalArgumentException(
            "text is not well-formed UTF-16: lone surrogate U+%X at index %d"
                .formatted(character, i));
      }
      next = i + Character.charCount(character);
    }
  }

  /**
   * A piece of a longer text, which may end in the middle of a surrogate pair.
   *
   * @param bytes the piece in UTF-8, without the half of a pair at its end
   * @param cut that half; empty if there is none
   */
  public record Piece(ByteBuffer bytes, String cut) {
    /**
     * Encodes the next piece of a text.
     *
     * @param cut what the piece before has left
     * @throws IllegalArgumentException if {@code piece} has a lone surrogate, or does not begin
     *     with the other half of {@code cut}
     */
    public static Piece after(String cut, CharSequence piece) {
      String text = cut + piece;
      if (text.length() > cut.length() && !Character.isLowSurrogate(text.charAt(cut.length()))) {
        requireWhole(cut);
      }
      int end = text.length();
      if (end > 0 && Character.isHighSurrogate(text.charAt(end - 1))) {
        end--;
      }
      return new Piece(encode(text.substring(0, end)), text.substring(end));
    }

    /**
     * Refuses the end of a text in the middle of a character.
     *
     * @throws IllegalArgumentException if {@code cut} is not empty
     */
    public static void requireWhole(String cut) {
      if (!cut.isEmpty()) {
        throw new IllegalArgumentException(
            "text is not well-formed UTF-16: the piece before ends with half a character");
      }
    }
  }
}
