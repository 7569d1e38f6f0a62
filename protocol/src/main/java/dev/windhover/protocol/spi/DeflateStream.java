package dev.windhover.protocol.spi;

import java.nio.ByteBuffer;

/** Compresses to raw DEFLATE data (RFC 1951). Only one thread may use it at a time. */
public interface DeflateStream {
  /**
   * Compresses all of {@code in}, or until {@code out} is full. The positions of both move.
   *
   * @param flush whether everything taken so far must come out, followed by the empty stored block
   *     {@code 00 00 ff ff} at the end of a byte. If {@code out} is full afterwards, there may be
   *     more: repeat the call, which may write the block once more
   * @param out with room for at least 8 bytes if {@code flush}
   */
  void deflate(ByteBuffer in, ByteBuffer out, boolean flush);

  /** Forgets everything that was taken, so that a new stream of data can begin. */
  void reset();

  /** Frees the memory outside of the heap. Afterwards, only this method may be called. */
  void end();
}
