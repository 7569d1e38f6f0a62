package dev.windhover.websocket;

import dev.windhover.http.host.Duplex;
import dev.windhover.protocol.FrameWriter;

/** How much a {@link SendQueue} lets wait, here and in the transport, and what was told of it. */
final class SendMarks {
  /** The most that is handed to the transport ahead of time; the rest waits in the queue. */
  private static final int LARGEST_SHARE = 64 * 1024;

  private final Duplex duplex;
  private final SendListener session;
  private final int high;
  private final int low;
  private final int share;
  private final int largestChunk;

  /** Set under the queue's lock, or on the loop; cleared on the loop under the lock. */
  private volatile boolean overHigh;

  /** Creates them; {@code session} is told when the high mark is reached, without the lock. */
  SendMarks(Duplex duplex, SendListener session, int high, int low) {
    this.duplex = duplex;
    this.session = session;
    this.high = high;
    this.low = low;
    this.share = Math.max(1, Math.min(LARGEST_SHARE, Math.min(low, high / 4)));
    this.largestChunk = Math.min(ChunkPool.CHUNK_BYTES, share);
  }

  /** Returns how much the transport may hold for more to be handed over. */
  int share() {
    return share;
  }

  /** Returns the most that is handed over at once. */
  int largestChunk() {
    return largestChunk;
  }

  /**
   * Returns the room in the queue, so that with what the transport holds, a chunk beyond its share
   * at most, no more than the high mark is in memory.
   */
  int capacity() {
    return high - share - largestChunk - FrameWriter.MAX_HEADER_BYTES;
  }

  /** Returns whether so much in the queue lets those go on who wait for room. */
  boolean hasRoomAgain(int queued) {
    return queued <= low - share;
  }

  int high() {
    return high;
  }

  /** Returns whether {@code amount} is below the high mark; if not, that is told. */
  boolean isBelowHigh(long amount) {
    if (amount < high) {
      return true;
    }
    full();
    return false;
  }

  /** The high mark is reached: told once until the queue is below the low one again. */
  void full() {
    if (!overHigh) {
      overHigh = true;
      duplex.loop().execute(session::full); // not under the lock
    }
  }

  void requireBelowHigh(long amount) {
    if (amount >= high) {
      throw new IllegalStateException(
          "send queue of "
              + amount
              + " bytes is over its high mark of "
              + high
              + "; wait for onWritable");
    }
  }

  /** Returns whether the high mark was reached, and the low one not again. */
  boolean isOverHigh() {
    return overHigh;
  }

  /** Returns whether {@code amount} is low again; under the lock. */
  boolean settle(long amount) {
    boolean isLow = amount <= low;
    if (isLow) {
      overHigh = false;
    }
    return isLow;
  }
}
