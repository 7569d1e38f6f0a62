package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Bytes as the RFCs print them. */
public final class Hex {
  private Hex() {}

  /** Returns the bytes of {@code parts}, one after the other; spaces are ignored. */
  public static byte[] bytes(String... parts) {
    return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
  }

  public static ByteBuffer buffer(String... parts) {
    return ByteBuffer.wrap(bytes(parts));
  }

  public static String of(byte... bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** Returns the bytes between position and limit, which do not change. */
  public static String of(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return of(bytes);
  }
}
