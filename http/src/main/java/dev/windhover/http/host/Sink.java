package dev.windhover.http.host;

import dev.windhover.protocol.FrameOutput;
import java.nio.channels.FileChannel;

/**
 * The one way out of a connection, or of one stream of it: responses and sockets alike leave
 * through it. All methods belong to the connection's {@link Loop}, except {@link #pending()} and
 * {@link #isOpen()}.
 *
 * <p>Small things are gathered: {@link #reserve} gives room in the output buffer, the caller writes
 * at its position, {@link #commit()} keeps what was written. {@link #write} adds bytes that stand
 * elsewhere. Nothing leaves before {@link #flush()}.
 *
 * <p>A sink never blocks and never refuses: it holds what the transport does not take. Its user
 * looks at {@link #pending()}, stops at a bound of its own, and goes on when the {@linkplain #mark
 * mark} tells it to.
 */
public interface Sink extends FrameOutput {
  /**
   * Adds part of an open file without holding it in memory. It must stay open until {@code release}
   * runs, on the loop. If the file ends before its part does, the connection (or the stream) is
   * dropped.
   */
  void writeFile(FileChannel file, long position, long count, Runnable release);

  /**
   * Sets the mark: {@code belowAgain} runs each time {@link #pending()} falls below {@code bytes},
   * having been at or above. A later call replaces the mark.
   */
  void mark(int bytes, Runnable belowAgain);

  /** Returns how many bytes of output the transport has taken in all: how a stall is seen. */
  long transmitted();

  /**
   * Returns whether what is written may still leave: false once the connection (or the stream) is
   * gone, and then everything is dropped; from any thread.
   */
  boolean isOpen();

  /**
   * Ends this direction after what was written, and flushes: the end of a response's body; TCP's
   * FIN or HTTP/2's END_STREAM of a duplex, whose peer may still send.
   */
  void end();

  /**
   * Drops the connection (or the stream) now, both ways, without a word: TCP's RST, HTTP/2's
   * RST_STREAM.
   */
  void abort();
}
