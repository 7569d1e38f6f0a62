package dev.windhover.websocket;

import dev.windhover.protocol.FrameReader;
import java.nio.ByteBuffer;

/**
 * Where a session's messages go: one of the two forms. All methods run on the loop, but {@link
 * #discard()}.
 */
interface Inbound {
  /** The socket is open; the first call. */
  void opened();

  /**
   * Takes a piece of payload that {@code reader} stands at: one read of it.
   *
   * @return the number of payload bytes taken, or -1 if the reader found a violation
   */
  int data(FrameReader reader, ByteBuffer in);

  /** The bytes that came together have all been looked at. */
  void batchEnd();

  /** No more messages come. Called at most once, unless {@link Outcome.Lost} overtakes another. */
  void outcome(Outcome outcome);

  /** The output queue has shrunk below its low mark after it had reached the high one. */
  void writable();

  /** Drops what waits and what will come; an outcome takes effect at once. From any thread. */
  void discard();

  /** The socket has ended; the last call. */
  void ended();
}
