package dev.windhover.protocol.deflate;

import java.nio.ByteBuffer;

/** Compresses to raw DEFLATE data (RFC 1951); used by one thread at a time. */
public interface DeflateStream {
  /**
   * Compresses all of {@code in}, or until {@code out} is full. The positions of both move.
   *
   * @param flush whether all that was taken so far comes out, followed by the empty stored block
   *     {@code 00 00 ff ff} at the end of a byte. If {@code out} is full afterwards, whether that
   *     is done is seen by repeating the call: it may then write the block once more
   * @param out with room for 8 bytes or more if {@code flush}
   */
  void deflate(ByteBuffer in, ByteBuffer out, boolean flush);

  /** Forgets all that was taken, for another stream to begin. */
  void reset();

  /** Frees what is held outside of the heap; no other method may be called then, but this. */
  void end();
}
