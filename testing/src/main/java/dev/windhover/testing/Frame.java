package dev.windhover.testing;

import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * A frame as a client reads it.
 *
 * @param opcode what it is
 * @param fin whether it is the last, or only, one of its message
 * @param payload its bytes, unmasked and decompressed; compared by content
 * @param compressed whether its message came compressed
 */
public record Frame(Opcode opcode, boolean fin, ByteBuffer payload, boolean compressed) {
  /** Keeps a copy of the payload. */
  public Frame {
    ByteBuffer copy = ByteBuffer.allocate(payload.remaining());
    payload = copy.put(payload.duplicate()).flip().asReadOnlyBuffer();
  }

  /** Creates one that is not compressed. */
  public Frame(Opcode opcode, boolean fin, ByteBuffer payload) {
    this(opcode, fin, payload, false);
  }

  /** Returns this as a frame of a compressed message. */
  public Frame asCompressed() {
    return new Frame(opcode, fin, payload, true);
  }

  /** Returns a whole text message in one frame. */
  public static Frame text(String text) {
    return new Frame(Opcode.TEXT, true, utf8(text));
  }

  /** Returns a whole binary message in one frame. */
  public static Frame binary(byte... payload) {
    return new Frame(Opcode.BINARY, true, ByteBuffer.wrap(payload));
  }

  /** Returns a Ping with {@code text}. */
  public static Frame ping(String text) {
    return new Frame(Opcode.PING, true, utf8(text));
  }

  /** Returns a Pong with {@code text}. */
  public static Frame pong(String text) {
    return new Frame(Opcode.PONG, true, utf8(text));
  }

  /** Returns the payload as text. */
  public String text() {
    return StandardCharsets.UTF_8.decode(payload.duplicate()).toString();
  }

  /** Returns the payload as an array of its own. */
  public byte[] bytes() {
    byte[] bytes = new byte[payload.remaining()];
    payload.duplicate().get(bytes);
    return bytes;
  }

  static ByteBuffer utf8(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public String toString() {
    String shown =
        opcode == Opcode.TEXT || opcode == Opcode.CONTINUATION
            ? '"' + text() + '"'
            : HexFormat.of().formatHex(bytes());
    if (shown.length() > 200) {
      shown = shown.substring(0, 200) + "…";
    }
    return opcode
        + (compressed ? " (compressed)" : "")
        + (fin ? " " : " (not the last) ")
        + shown
        + " ["
        + payload.remaining()
        + " bytes]";
  }
}
