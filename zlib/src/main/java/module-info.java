/**
 * The system's zlib for permessage-deflate, called through the JDK's foreign functions. It is
 * optional: applications that have it on their path use it.
 */
@org.jspecify.annotations.NullMarked
module dev.windhover.zlib {
  requires dev.windhover.protocol;
  requires static org.jspecify;
  requires org.slf4j;

  provides dev.windhover.protocol.spi.DeflateCodecProvider with
      dev.windhover.zlib.ZlibProvider;
}
