package dev.windhover.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Creates wire bytes in the slow and obvious way, without the engine that reads them. */
public final class Frames {
  public static final int TEXT = 0x81;
  public static final int BINARY = 0x82;
  public static final int PING = 0x89;

  /** The masking key of RFC 6455 5.7. */
  public static final byte[] KEY = Hex.bytes("37 fa 21 3d");

  private Frames() {}

  public static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Returns {@code length} bytes that reveal lost, repeated or swapped bytes. */
  public static byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 31 + (i >>> 8));
    }
    return bytes;
  }

  public static byte[] join(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** Returns an unmasked frame with the given first byte. */
  public static byte[] unmasked(int first, byte... payload) {
    int length = payload.length;
    ByteBuffer frame = ByteBuffer.allocate(10 + length).put((byte) first);
    if (length <= 125) {
      frame.put((byte) length);
    } else if (length <= 0xFFFF) {
      frame.put((byte) 126).putShort((short) length);
    } else {
      frame.put((byte) 127).putLong(length);
    }
    frame.put(payload).flip();
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);
    return bytes;
  }

  /** Returns a frame with the given first byte, masked with {@link #KEY}. */
  public static byte[] masked(int first, byte... payload) {
    return mask(unmasked(first, payload));
  }

  /** Returns a frame as the peer of {@code role} has to send it. */
  public static byte[] to(Role role, int first, byte... payload) {
    return role == Role.SERVER ? masked(first, payload) : unmasked(first, payload);
  }

  /** Returns {@code unmasked}, one frame, as a client sends it: with MASK set and {@link #KEY}. */
  public static byte[] mask(byte[] unmasked) {
    int header = 2 + lengthBytes(unmasked[1]);
    byte[] masked = new byte[unmasked.length + 4];
    System.arraycopy(unmasked, 0, masked, 0, header);
    masked[1] |= (byte) 0x80;
    System.arraycopy(KEY, 0, masked, header, 4);
    for (int i = header; i < unmasked.length; i++) {
      masked[i + 4] = (byte) (unmasked[i] ^ KEY[(i - header) % 4]);
    }
    return masked;
  }

  private static int lengthBytes(byte second) {
    return switch (second & 0x7F) {
      case 126 -> 2;
      case 127 -> 8;
      default -> 0;
    };
  }
}
