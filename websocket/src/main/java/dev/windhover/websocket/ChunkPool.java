package dev.windhover.websocket;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Chunks of send queues that wait to be filled again: clearing fresh memory for each burst of
 * messages costs as much as copying them into it. At most 1 MiB in all, whatever the number of
 * sockets; a socket at rest holds none. Any thread.
 */
final class ChunkPool {
  /** The size of every chunk here. */
  static final int CHUNK_BYTES = 16 * 1024;

  private static final int SLOTS = 64;

  private static final AtomicReferenceArray<@Nullable ByteBuffer> chunks =
      new AtomicReferenceArray<>(SLOTS);
  private static final AtomicInteger sockets = new AtomicInteger();

  private ChunkPool() {}

  /** Returns the slot of a new socket: it shares it with every 64th. */
  static int slot() {
    return sockets.getAndIncrement() & (SLOTS - 1);
  }

  /** Returns an empty chunk, or null if there is none. */
  static @Nullable ByteBuffer take(int slot) {
    return chunks.getPlain(slot) == null ? null : chunks.getAndSet(slot, null);
  }

  /** Keeps {@code chunk} for the next that asks, if there is room and it is of the right size. */
  static void give(int slot, ByteBuffer chunk) {
    if (chunk.capacity() == CHUNK_BYTES && !chunk.isReadOnly()) { // a shared one is others' too
      chunks.set(slot, chunk.clear());
    }
  }
}
