package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Extension.PayloadException;
import java.nio.ByteBuffer;

/**
 * Decompresses raw DEFLATE data (RFC 1951); used by one thread at a time. Where a block with BFINAL
 * set ends, the next begins at the next byte and may refer to all before it (RFC 7692 7.2.3.4).
 * After a {@link PayloadException} a stream can only be reset or ended; asked again it fails again.
 */
public interface InflateStream {
  /** What a peer is told whose data is no DEFLATE data. */
  String CORRUPT = "compressed data is corrupt";

  /** What a peer is told whose blocks cost far more than they bring. */
  String TOO_MANY_FINAL_BLOCKS = "too many final blocks in compressed data";

  /** What a peer is told whose message is not whole. */
  String CUT = "compressed message ends inside a block";

  /**
   * Decompresses until {@code in} is used up or {@code out} is full. The positions of both move. If
   * {@code out} is full afterwards more may wait, whatever is left of {@code in}.
   *
   * @throws PayloadException if the data is corrupt, or too expensive
   */
  void inflate(ByteBuffer in, ByteBuffer out) throws PayloadException;

  /**
   * Takes the {@code 00 00 ff ff} that a message goes without (RFC 7692 7.2.2), after all else has
   * come out.
   *
   * @throws PayloadException if that does not end a block: the message was cut
   */
  void endMessage() throws PayloadException;

  /** Returns a copy of what the data to come may refer to: the last bytes, at most the window. */
  byte[] window();

  /** Prepares for other data, which may refer to {@code window}. */
  void reset(byte... window);

  /** Frees what is held outside of the heap; no other method may be called then, but this. */
  void end();
}
