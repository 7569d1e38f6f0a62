package dev.windhover.protocol.spi;

import dev.windhover.protocol.Extension.PayloadException;
import java.nio.ByteBuffer;

/**
 * Decompresses raw DEFLATE data (RFC 1951). Only one thread may use it at a time. After a block
 * with BFINAL set, the next block begins at the next byte and may refer to all data before it (RFC
 * 7692 7.2.3.4). After a {@link PayloadException} a stream can only be reset or ended; other calls
 * fail again.
 */
public interface InflateStream {
  /** The text for a peer whose data is not valid DEFLATE data. */
  String CORRUPT = "compressed data is corrupt";

  /** The text for a peer whose blocks cost far more than they contain. */
  String TOO_MANY_FINAL_BLOCKS = "too many final blocks in compressed data";

  /** The text for a peer whose message is incomplete. */
  String CUT = "compressed message ends inside a block";

  /**
   * Decompresses until {@code in} is used up or {@code out} is full. The positions of both move. If
   * {@code out} is full afterwards, more output may be pending, even if {@code in} is used up.
   *
   * @throws PayloadException if the data is corrupt, or too expensive
   */
  void inflate(ByteBuffer in, ByteBuffer out) throws PayloadException;

  /**
   * Appends the {@code 00 00 ff ff} that is left out of a message (RFC 7692 7.2.2), after all
   * output has been taken.
   *
   * @throws PayloadException if that does not end a block, so the message is incomplete
   */
  void endMessage() throws PayloadException;

  /**
   * Returns a copy of the data that later data may refer to: the last bytes, at most the window.
   */
  byte[] window();

  /** Prepares for new data, which may refer to {@code window}. */
  void reset(byte... window);

  /** Frees the memory outside of the heap. Afterwards, only this method may be called. */
  void end();
}
