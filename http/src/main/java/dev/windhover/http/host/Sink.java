package dev.windhover.http.host;

import dev.windhover.protocol.FrameOutput;
import java.nio.channels.FileChannel;

/**
 * The one way out of a connection, or of one of its streams: responses and sockets both leave
 * through it. Its methods may be called only on the connection's {@link Loop}, except for {@link
 * #pending()} and {@link #isOpen()}.
 *
 * <p>Small pieces are gathered: {@link #reserve} provides room in the output buffer, the caller
 * writes at the buffer's position, and {@link #commit()} keeps what was written. {@link #write}
 * adds bytes from elsewhere. Nothing leaves before {@link #flush()}.
 *
 * <p>A sink never blocks and never refuses bytes: it holds what the transport does not take. Its
 * user checks {@link #pending()}, stops at a limit of its own, and continues when the {@linkplain
 * #mark mark} runs.
 */
public interface Sink extends FrameOutput {
  /**
   * Adds part of an open file without holding it in memory. The file must stay open until {@code
   * release} runs, on the loop. If the file is shorter than that, the connection (over HTTP/2, the
   * stream) is dropped.
   *
   * @param position the index of the first byte
   * @param count the number of bytes
   */
  void writeFile(FileChannel file, long position, long count, Runnable release);

  /**
   * Sets the mark: {@code belowAgain} runs each time {@link #pending()} falls below {@code bytes}
   * after it has reached that number. A later call replaces the mark.
   */
  void mark(int bytes, Runnable belowAgain);

  /**
   * What is written from now on is soon outdated: the transport should hold as little of it as it
   * can without slowing the peer down, in addition to what is {@link #pending()}.
   */
  default void holdLittle() {}

  /**
   * Returns how much the peer has taken in total, by which a stall is detected: what its side has
   * acknowledged or, if the transport cannot tell, what the transport has taken. Only differences
   * count. It may cost a system call, so ask when a time limit is looked at, and not for each
   * write.
   */
  long transmitted();

  /**
   * Returns whether what is written can still leave. Once the connection (over HTTP/2, the stream)
   * is gone, this returns false, and everything is dropped. From any thread.
   */
  boolean isOpen();

  /**
   * Ends this direction after what was written, and flushes. For a response, this is the end of its
   * body. For a duplex, it is TCP's FIN or HTTP/2's END_STREAM, and the peer may still send.
   */
  void end();

  /**
   * Drops the connection (over HTTP/2, the stream) immediately and in both directions, with TCP's
   * RST or HTTP/2's RST_STREAM.
   */
  void abort();
}
