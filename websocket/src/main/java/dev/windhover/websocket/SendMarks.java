package dev.windhover.websocket;

import dev.windhover.protocol.FrameWriter;

/**
 * How much an {@link Outbox} lets wait, here and in the transport. Sockets of the same settings
 * share it.
 *
 * @param high in bytes: a sender must wait, or is refused, when this much waits. In the listener
 *     form a message under way in pieces, and the others that wait for its end, count each by
 *     themselves
 * @param low in bytes: these senders may go on when this little waits again
 * @param full in bytes: a sender in the listener form is told when this much waits; at most {@code
 *     high}
 * @param writable in bytes: it is told that there is room when this little waits again
 */
record SendMarks(int high, int low, int full, int writable) {
  /** The most that is handed to the transport ahead of time; the rest waits in the queue. */
  private static final int LARGEST_SHARE = 64 * 1024;

  /** Creates marks by which all senders go. */
  SendMarks(int high, int low) {
    this(high, low, high, low);
  }

  /** Returns the same marks, but senders in the listener form are told at {@code full} bytes. */
  SendMarks toldAt(int full) {
    return full >= high ? this : new SendMarks(high, low, full, Math.min(low, full / 2));
  }

  /** Returns how much the transport may hold for more to be handed over. */
  int share() {
    return Math.max(1, Math.min(LARGEST_SHARE, Math.min(Math.min(low, writable), high / 4)));
  }

  /** Returns the most that is handed over at once. */
  int largestChunk() {
    return Math.min(PayloadPool.BUFFER_BYTES, share());
  }

  /**
   * Returns the room in the queue, so that with what the transport holds, a chunk beyond its share
   * at most, no more than the high mark is in memory.
   */
  int capacity() {
    return high - share() - largestChunk() - FrameWriter.MAX_HEADER_BYTES;
  }

  /** Returns how much in the queue lets those go on who had to wait for room. */
  int lowRoom() {
    return low - share();
  }
}
