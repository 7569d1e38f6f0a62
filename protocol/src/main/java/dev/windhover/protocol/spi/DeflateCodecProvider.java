package dev.windhover.protocol.spi;

import org.jspecify.annotations.Nullable;

/**
 * Brings a codec that not every application needs. {@link java.util.ServiceLoader} finds it, on the
 * class path and on the module path, and asks it once for each application that has WebSockets.
 */
public interface DeflateCodecProvider {
  /**
   * Returns a codec, or null if it cannot be used here; the provider logs why.
   *
   * @param memoryLevel how much memory a compressing stream may take in addition to its window, 1
   *     (least memory, larger output) to 9
   */
  @Nullable DeflateCodec codec(int memoryLevel);
}
