package dev.windhover.protocol.deflate;

import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateCodecProvider;
import java.util.ServiceLoader;

/** The codecs that can be had here: the JDK's always, others if the application brings them. */
public final class DeflateCodecs {
  /** zlib's default compromise between speed and size. */
  public static final int DEFAULT_LEVEL = 6;

  /** zlib's own default. */
  public static final int DEFAULT_MEMORY_LEVEL = 8;

  private DeflateCodecs() {}

  /**
   * Returns the codec of the first {@link DeflateCodecProvider} that has one, otherwise {@link
   * #jdk}.
   *
   * @param memoryLevel the memory level of compressing streams, 1 (least memory, larger output) to
   *     9; the JDK's codec always uses 8
   * @throws IllegalArgumentException if it is not within 1–9
   */
  public static DeflateCodec best(int memoryLevel) {
    if (memoryLevel < 1 || memoryLevel > 9) {
      throw new IllegalArgumentException("memory level of " + memoryLevel + " is not within 1-9");
    }
    ClassLoader ours = DeflateCodecs.class.getClassLoader();
    for (DeflateCodecProvider each : ServiceLoader.load(DeflateCodecProvider.class, ours)) {
      DeflateCodec found = each.codec(memoryLevel);
      if (found != null) {
        return found;
      }
    }
    return jdk();
  }

  /**
   * Returns the codec of {@code java.util.zip}. The JDK supports only 15 bits, so a compressing
   * stream takes the same memory for any window: 243 KiB, measured after 100 KB of JSON. For a
   * smaller window the stream keeps zlib from referring farther back by restarting it for each half
   * of a window, which enlarges the output by up to half (9 bits, messages of 4 KiB or more). A
   * decompressing stream takes 40 KiB, plus its window on the heap. The window is copied after each
   * block with BFINAL set. A peer that sends many such blocks within a message, with fewer than 32
   * bytes between two, is refused with 1008.
   */
  public static DeflateCodec jdk() {
    return JdkDeflateCodec.INSTANCE;
  }
}
