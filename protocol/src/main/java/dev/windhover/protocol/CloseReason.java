package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * The code and text of a Close frame, or a substitute if there was no such frame.
 *
 * @param code a code of {@link CloseCode}, or one of 3000–4999
 * @param text at most 123 bytes of UTF-8 on the wire (RFC 6455 5.5.1); may be empty
 */
public record CloseReason(int code, String text) {
  /** The longest text in UTF-8 bytes: a control frame's 125 without the code's two. */
  public static final int MAX_TEXT_BYTES = 123;

  /** A Close frame without a code: 1005, which is never sent. */
  public static final CloseReason NO_STATUS = new CloseReason(CloseCode.NO_STATUS_RECEIVED, "");

  public CloseReason {
    Objects.requireNonNull(text, "text");
  }

  /** Returns {@code code} with an empty text. */
  public static CloseReason of(int code) {
    return new CloseReason(code, "");
  }

  /**
   * Returns {@code code} with as much of {@code text} as fits into a Close frame; it is cut between
   * two characters. A lone surrogate becomes a question mark.
   */
  public static CloseReason fitting(int code, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int end = Math.min(utf8.length, MAX_TEXT_BYTES);
    while (end > 0 && end < utf8.length && (utf8[end] & 0xC0) == 0x80) {
      end--; // the next byte continues a character
    }
    return new CloseReason(code, new String(utf8, 0, end, StandardCharsets.UTF_8));
  }

  /**
   * Returns this as the payload of a Close frame; {@link #NO_STATUS} is the empty payload.
   *
   * @throws IllegalArgumentException if the code may not be sent, or if the text is too long or has
   *     a lone surrogate
   */
  public ByteBuffer toPayload() {
    if (code == CloseCode.NO_STATUS_RECEIVED && text.isEmpty()) {
      return ByteBuffer.allocate(0);
    }
    if (!CloseCode.isAllowedInFrame(code)) {
      throw new IllegalArgumentException(
          "close code " + code + " may not be sent; use 1000-1003, 1007-1014 or 3000-4999");
    }
    ByteBuffer utf8 = Utf8.encode(text);
    if (utf8.remaining() > MAX_TEXT_BYTES) {
      throw new IllegalArgumentException(
          "close reason of " + utf8.remaining() + " bytes exceeds limit of " + MAX_TEXT_BYTES);
    }
    return ByteBuffer.allocate(2 + utf8.remaining()).putShort((short) code).put(utf8).flip();
  }

  @Override
  public String toString() {
    return text.isEmpty() ? Integer.toString(code) : code + " \"" + text + "\"";
  }
}
