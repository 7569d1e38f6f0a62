package dev.windhover.zlib;

import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateCodecProvider;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the codec of the system's zlib to an application that has this module on its path. The JVM
 * must let it call native code: {@code --enable-native-access=dev.windhover.zlib}, or {@code
 * ALL-UNNAMED} on the class path. Otherwise, and where the system has no zlib, a warning is logged
 * and the JDK's zlib is used.
 */
public final class ZlibProvider implements DeflateCodecProvider {
  private static final Logger log = LoggerFactory.getLogger(ZlibProvider.class);

  /** For {@link java.util.ServiceLoader}. */
  public ZlibProvider() {}

  @Override
  public @Nullable DeflateCodec codec(int memoryLevel) {
    if (!ZlibCodec.mayCallNativeCode()) {
      Module module = ZlibProvider.class.getModule();
      log.warn(
          "the JDK's zlib is used, because windhover-zlib may not call native code: start Java with"
              + " --enable-native-access={}",
          module.isNamed() ? module.getName() : "ALL-UNNAMED");
      return null;
    }
    ZlibCodec codec = ZlibCodec.ofSystem(memoryLevel);
    if (codec == null) {
      log.warn("the JDK's zlib is used, because windhover-zlib found no other on this system");
    }
    return codec;
  }
}
