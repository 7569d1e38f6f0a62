package dev.windhover.protocol.deflate;

/**
 * Makes streams of raw DEFLATE data (RFC 1951), which {@link MessageDeflater} and {@link
 * MessageInflater} turn into messages. A stream holds memory outside of the heap until {@code end}
 * is called, which is up to its creator. Any thread may call a codec.
 */
public interface DeflateCodec {
  /** zlib's default compromise between speed and size. */
  int DEFAULT_LEVEL = 6;

  /**
   * Creates a compressing stream.
   *
   * @param windowBits how far back the data may refer, as a power of 2, 9–15
   * @param level 0 (stored) to 9 (smallest); 1 is fastest
   */
  DeflateStream deflate(int windowBits, int level);

  /**
   * Creates a decompressing stream.
   *
   * @param windowBits how far back the peer may refer, 9–15
   */
  InflateStream inflate(int windowBits);

  /** Returns the most that a compressing stream holds, in and outside of the heap, in bytes. */
  int deflateBytes(int windowBits);

  /** Returns the most that a decompressing stream holds, in and outside of the heap, in bytes. */
  int inflateBytes(int windowBits);

  /**
   * Returns the codec of {@code java.util.zip}. The JDK supports only 15 bits, so a compressing
   * stream takes the same memory for any window: 243 KiB, measured after 100 KB of JSON. For a
   * smaller window the stream keeps zlib from referring farther back by restarting it for each half
   * of a window, which enlarges the output by up to half (9 bits, messages of 4 KiB or more). A
   * decompressing stream takes 40 KiB, plus its window on the heap. The window is copied after each
   * block with BFINAL set. A peer that sends many such blocks within a message, with fewer than 32
   * bytes between two, is refused with 1008.
   */
  static DeflateCodec jdk() {
    return JdkDeflateCodec.INSTANCE;
  }
}
