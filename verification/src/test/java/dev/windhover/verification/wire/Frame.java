package dev.windhover.verification.wire;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A frame on the wire, with a codec of its own, so that the engine is not tested with itself.
 *
 * @param first FIN, the reserved bits and the opcode
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content
public record Frame(int first, byte[] payload) {
  private static final byte[] KEY = Hex.bytes("37fa213d"); // that of RFC 6455 5.7

  /** A whole text message. */
  public static Frame text(String text) {
    return new Frame(0x81, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A whole binary message. */
  public static Frame binary(byte[] payload) {
    return new Frame(0x82, payload);
  }

  /** A Ping. */
  public static Frame ping(String text) {
    return new Frame(0x89, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A Pong. */
  public static Frame pong(String text) {
    return new Frame(0x8A, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A Close with a code and a text. */
  public static Frame close(int code, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return new Frame(
        0x88, ByteBuffer.allocate(2 + utf8.length).putShort((short) code).put(utf8).array());
  }

  /** A Close without a code. */
  public static Frame emptyClose() {
    return new Frame(0x88, new byte[0]);
  }

  /** Reads a server's frame, which must be well-formed, unmasked, and in its shortest form. */
  public static Frame read(DataInputStream in) throws IOException {
    int first = in.read();
    if (first < 0) {
      throw new EndedError("a frame", "");
    }
    int second = in.readUnsignedByte();
    if ((second & 0x80) != 0) {
      throw new AssertionError("a server's frame is masked");
    }
    long length = second & 0x7F;
    if (length == 126) {
      length = in.readUnsignedShort();
      requireMinimal(length, 125);
    } else if (length == 127) {
      length = in.readLong();
      requireMinimal(length, 65_535);
    }
    byte[] payload = new byte[Math.toIntExact(length)];
    in.readFully(payload);
    return new Frame(first, payload);
  }

  private static void requireMinimal(long length, long shorter) {
    if (length <= shorter) {
      throw new AssertionError("length " + length + " is not in its shortest form");
    }
  }

  /** Returns the bytes of this frame as a client sends it: masked, its length in minimal form. */
  public byte[] masked() {
    return masked(KEY);
  }

  /** Returns the same with another masking key, of four bytes. */
  public byte[] masked(byte[] key) {
    byte[] header = header(first, payload.length);
    int start = header.length;
    System.arraycopy(key, 0, header, start - 4, 4);
    byte[] bytes = Arrays.copyOf(header, start + payload.length);
    for (int i = 0; i < payload.length; i++) {
      bytes[start + i] = (byte) (payload[i] ^ key[i & 3]);
    }
    return bytes;
  }

  /** Returns the bytes of this frame as a server sends it. */
  public byte[] unmasked() {
    byte[] header = header(first, payload.length);
    header[1] &= 0x7F;
    byte[] bytes = Arrays.copyOf(header, header.length - KEY.length + payload.length);
    System.arraycopy(payload, 0, bytes, bytes.length - payload.length, payload.length);
    return bytes;
  }

  /** Returns the header alone of a masked frame that declares {@code length}. */
  public static byte[] header(int first, long length) {
    ByteBuffer header = ByteBuffer.allocate(14).put((byte) first);
    if (length < 126) {
      header.put((byte) (0x80 | length));
    } else if (length < 65_536) {
      header.put((byte) 0xFE).putShort((short) length);
    } else {
      header.put((byte) 0xFF).putLong(length);
    }
    header.put(KEY);
    return Arrays.copyOf(header.array(), header.position());
  }

  /** Returns the bytes of several masked frames behind each other. */
  public static byte[] masked(Frame... frames) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (Frame frame : frames) {
      bytes.writeBytes(frame.masked());
    }
    return bytes.toByteArray();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Frame frame
        && first == frame.first
        && Arrays.equals(payload, frame.payload);
  }

  @Override
  public int hashCode() {
    return 31 * first + Arrays.hashCode(payload);
  }

  @Override
  public String toString() {
    if (first == 0x88 && payload.length >= 2) {
      int code = ByteBuffer.wrap(payload).getShort() & 0xFFFF;
      String text = new String(payload, 2, payload.length - 2, StandardCharsets.UTF_8);
      return "CLOSE " + code + " \"" + text + "\"";
    }
    String shown =
        payload.length > 64
            ? Hex.of(Arrays.copyOf(payload, 64)) + "…"
            : '"' + new String(payload, StandardCharsets.UTF_8) + '"';
    return "%02x %s [%d bytes]".formatted(first, shown, payload.length);
  }
}
