package dev.windhover.testing;

import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Utf8;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * A frame, as read by a client.
 *
 * @param opcode the type of the frame
 * @param fin whether it is the last, or only, one of its message
 * @param payload its bytes, unmasked and decompressed; compared by content
 * @param compressed whether its message was compressed
 */
public record Frame(Opcode opcode, boolean fin, ByteBuffer payload, boolean compressed) {
  private static final int MOST_SHOWN = 200;

  /** Keeps a copy of the payload. */
  public Frame {
    ByteBuffer copy = ByteBuffer.allocate(payload.remaining());
    payload = copy.put(payload.duplicate()).flip().asReadOnlyBuffer();
  }

  /** Creates an uncompressed frame. */
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

  /** Returns a Close; 1005 without a text is the empty Close. */
  public static Frame close(int code, String text) {
    return new Frame(Opcode.CLOSE, true, new CloseReason(code, text).toPayload());
  }

  /** Returns the payload as text. */
  public String text() {
    return StandardCharsets.UTF_8.decode(payload.duplicate()).toString();
  }

  /** Returns a copy of the payload. */
  public byte[] bytes() {
    byte[] bytes = new byte[payload.remaining()];
    payload.duplicate().get(bytes);
    return bytes;
  }

  /** Returns the code and text of a Close. */
  CloseReason closeReason() {
    ByteBuffer bytes = payload.duplicate();
    if (bytes.remaining() < 2) {
      return CloseReason.NO_STATUS;
    }
    int code = bytes.getShort() & 0xFFFF;
    return new CloseReason(code, StandardCharsets.UTF_8.decode(bytes).toString());
  }

  /** Returns the text of a failure: this frame came instead of {@code expected}. */
  String insteadOf(Frame expected) {
    String fact = "expected " + expected + "\n but got " + this;
    boolean alike = opcode == expected.opcode && fin == expected.fin;
    int byteAt = payload.mismatch(expected.payload);
    return alike && byteAt >= 0 ? fact + "\nthey differ at byte " + byteAt : fact;
  }

  static ByteBuffer utf8(String text) {
    return Utf8.encode(text);
  }

  @Override
  public String toString() {
    return opcode
        + (compressed ? " (compressed)" : "")
        + (fin ? " " : " (not the last) ")
        + shown()
        + " ["
        + payload.remaining()
        + " bytes]";
  }

  private String shown() {
    String shown =
        switch (opcode) {
          case TEXT, CONTINUATION -> '"' + text() + '"';
          case CLOSE -> closeReason().toString();
          case BINARY, PING, PONG -> HexFormat.of().formatHex(bytes());
        };
    return shown.length() > MOST_SHOWN ? shown.substring(0, MOST_SHOWN) + "…" : shown;
  }
}
