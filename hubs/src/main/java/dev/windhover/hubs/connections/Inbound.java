package dev.windhover.hubs.connections;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * What has come and the listener has not taken, in order. Nothing is kept, and no queue is made, as
 * long as the listener takes everything. It begins paused: there is no listener yet. Loop only.
 */
final class Inbound {
  private static final Queue<ByteBuffer> NONE = new ArrayDeque<>(0); // never added to

  private Queue<ByteBuffer> kept = NONE;

  /** The bytes in {@link #kept}. */
  private long held;

  /** The listener has left bytes, and has not asked for more since. */
  private boolean isPaused = true;

  /** Takes bytes, and moves their position. */
  @FunctionalInterface
  interface Taker {
    void take(ByteBuffer bytes);
  }

  /** Hands {@code bytes} over, or keeps what of them cannot be. Bytes that are lent are copied. */
  void add(ByteBuffer bytes, boolean areLent, Taker taker) {
    if (!isPaused) {
      taker.take(bytes);
      isPaused |= bytes.hasRemaining();
    }
    if (bytes.hasRemaining()) {
      keep(areLent ? ByteBuffer.allocate(bytes.remaining()).put(bytes).flip() : bytes);
    }
  }

  @SuppressWarnings("ReferenceEquality") // the shared one, and no other that is empty
  private void keep(ByteBuffer bytes) {
    if (kept == NONE) {
      kept = new ArrayDeque<>(2);
    }
    kept.add(bytes);
    held += bytes.remaining();
  }

  /** The listener asks for more: what is kept comes first. */
  void resume(Taker taker) {
    isPaused = false;
    for (ByteBuffer first; !isPaused && (first = kept.peek()) != null; ) {
      int before = first.remaining();
      taker.take(first);
      held = Math.max(0, held - (before - first.remaining())); // it may have been cleared
      if (first.hasRemaining()) {
        isPaused = true;
      } else {
        kept.poll();
      }
    }
    if (kept.isEmpty()) {
      kept = NONE;
    }
  }

  /** Returns whether the listener has taken everything, and takes more. */
  boolean isTaking() {
    return !isPaused;
  }

  /** Returns how many bytes are kept. */
  long held() {
    return held;
  }

  /** Drops what is kept. */
  void clear() {
    kept = NONE;
    held = 0;
  }
}
