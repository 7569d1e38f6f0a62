package dev.windhover.protocol.deflate;

/**
 * Makes streams of raw DEFLATE data (RFC 1951), which {@link MessageDeflater} and {@link
 * MessageInflater} turn into messages. A stream holds memory outside of the heap until {@code end}
 * is called; who makes it sees to that. Any thread.
 */
public interface DeflateCodec {
  /** The level that zlib takes for a good compromise. */
  int DEFAULT_LEVEL = 6;

  /**
   * Creates a compressing stream.
   *
   * @param windowBits how far back it refers: 2 to the power of it, 9–15
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
   * Returns the codec of {@code java.util.zip}. The JDK knows only 15 bits: a compressing stream
   * takes the same memory whatever the window, 243 KiB measured after 100 KB of JSON, and for a
   * smaller one it keeps zlib from referring farther back, which costs up to half as much output
   * again (9 bits, messages of 4 KiB or more) and a fresh start of zlib for each half of a window.
   * A decompressing stream takes 40 KiB, and its window on the heap, which is copied behind each
   * block with BFINAL set: a peer that sends many within a message, with fewer than 32 bytes
   * between two, is refused with 1008.
   */
  static DeflateCodec jdk() {
    return JdkDeflateCodec.INSTANCE;
  }
}
