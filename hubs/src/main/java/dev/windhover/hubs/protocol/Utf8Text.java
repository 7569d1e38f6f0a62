package dev.windhover.hubs.protocol;

/** Text on its way out, character by character. */
final class Utf8Text {
  private Utf8Text() {}

  /**
   * Encodes the character at an index of a text, which is beyond ASCII.
   *
   * @return how many bytes it has; if 4, it is two chars of the text
   * @throws IllegalArgumentException if it is half of a surrogate pair
   */
  static int encode(String text, int index, byte[] bytes, int at) {
    char c = text.charAt(index);
    if (c < 0x800) {
      bytes[at] = (byte) (0xC0 | (c >> 6));
      bytes[at + 1] = (byte) (0x80 | (c & 0x3F));
      return 2;
    }
    if (!Character.isSurrogate(c)) {
      bytes[at] = (byte) (0xE0 | (c >> 12));
      bytes[at + 1] = (byte) (0x80 | (c >> 6 & 0x3F));
      bytes[at + 2] = (byte) (0x80 | (c & 0x3F));
      return 3;
    }
    int character = text.codePointAt(index);
    if (character == c) {
      throw new IllegalArgumentException("text has a lone surrogate at index " + index);
    }
    bytes[at] = (byte) (0xF0 | (character >> 18));
    bytes[at + 1] = (byte) (0x80 | (character >> 12 & 0x3F));
    bytes[at + 2] = (byte) (0x80 | (character >> 6 & 0x3F));
    bytes[at + 3] = (byte) (0x80 | (character & 0x3F));
    return 4;
  }
}
