package dev.windhover.protocol;

import java.nio.ByteBuffer;

/**
 * The output to which frames are written: a buffer for small pieces, and large pieces that are not
 * copied into it. It belongs to one thread, except for {@link #pending()}. Hosts implement it.
 */
public interface FrameOutput {
  /**
   * Returns the output buffer with room for at least {@code bytes} at its position. The caller
   * advances the position past what it wrote, and must call {@link #commit()} before any other
   * method.
   */
  ByteBuffer reserve(int bytes);

  /** Keeps what was written into the reserved room. */
  void commit();

  /** Adds a copy of {@code bytes}; when this returns, the buffer is the caller's again. */
  void write(ByteBuffer bytes);

  /**
   * Adds {@code bytes}, without copying them if the transport can do that. They must not change
   * until {@code release} runs on the loop, when they have left or can no longer leave.
   */
  default void write(ByteBuffer bytes, Runnable release) {
    write(bytes);
    release.run();
  }

  /** Sends what was committed and written. */
  void flush();

  /** Returns how many bytes of output the transport has not taken yet; from any thread. */
  long pending();

  /**
   * Returns how many bytes of output have not arrived at the peer's side yet, as far as the
   * transport can tell: those that are {@link #pending()}, and those that it has taken and the peer
   * has not acknowledged. It may cost a system call.
   */
  default long unacknowledged() {
    return pending();
  }
}
