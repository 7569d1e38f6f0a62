package dev.windhover.protocol;

import java.nio.ByteBuffer;

/**
 * Where frames are written: an output buffer, and what stands beside it. Belongs to one thread,
 * except {@link #pending()}. Implemented by hosts.
 */
public interface FrameOutput {
  /**
   * Returns the output buffer with room for at least {@code bytes} at its position. The caller
   * advances the position past what it wrote and calls {@link #commit()} before anything else here.
   */
  ByteBuffer reserve(int bytes);

  /** Keeps what was written into the reserved room. */
  void commit();

  /** Adds a copy of {@code bytes}; when this returns, the buffer is the caller's again. */
  void write(ByteBuffer bytes);

  /**
   * Adds {@code bytes} without copying them, where the transport can do that. They must not change
   * until {@code release} runs, on the loop: when they have left, or never will.
   */
  default void write(ByteBuffer bytes, Runnable release) {
    write(bytes);
    release.run();
  }

  /** Sends what was committed and written. */
  void flush();

  /** Returns the bytes of output that the transport has not taken yet; from any thread. */
  long pending();
}
