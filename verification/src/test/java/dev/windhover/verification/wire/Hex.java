package dev.windhover.verification.wire;

import java.util.HexFormat;

/** Bytes as tests write them. */
public final class Hex {
  private Hex() {}

  /** Returns the bytes of {@code hex}; spaces do not count. */
  public static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  /** Returns {@code bytes} in hex. */
  public static String of(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
