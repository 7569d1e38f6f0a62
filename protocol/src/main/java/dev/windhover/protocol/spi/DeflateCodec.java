package dev.windhover.protocol.spi;

/**
 * Makes streams of raw DEFLATE data (RFC 1951), which permessage-deflate turns into messages. A
 * stream holds memory outside of the heap until {@code end} is called, which is up to its creator.
 * Any thread may call a codec.
 */
public interface DeflateCodec {
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
}
