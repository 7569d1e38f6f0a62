package dev.windhover.zlib.program;

import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateCodecProvider;
import java.nio.ByteBuffer;
import java.util.ServiceLoader;

/**
 * An application, in a package that no module has: it says whose zlib it gets, and from where, and
 * uses it.
 */
final class WhichCodec {
  private WhichCodec() {}

  public static void main(String[] args) {
    for (DeflateCodecProvider provider : ServiceLoader.load(DeflateCodecProvider.class)) {
      DeflateCodec codec = provider.codec(8);
      if (codec != null) {
        codec.deflate(9, 6).deflate(ByteBuffer.allocate(1), ByteBuffer.allocate(100), true);
        Module module = provider.getClass().getModule();
        System.out.println("the system's, " + (module.isNamed() ? module : "on the class path"));
        return;
      }
    }
    System.out.println("the JDK's");
  }
}
