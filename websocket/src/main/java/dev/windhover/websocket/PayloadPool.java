package dev.windhover.websocket;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Memory for payloads that wait to be sent, and for what a {@link MessageCompressor} makes of them:
 * the transport takes it as it is, without another copy. All sockets share at most 4 MiB; beyond
 * that a payload waits on the heap. Any thread.
 */
final class PayloadPool {
  /** The size of each buffer. */
  static final int BUFFER_BYTES = 16 * 1024;

  /**
   * A smaller payload is copied into the output buffer, which costs less than a buffer of its own.
   */
  static final int LEAST_BYTES = 4 * 1024;

  private static final int MOST_BUFFERS = 256;

  private static final Deque<ByteBuffer> free = new ConcurrentLinkedDeque<>();
  private static final AtomicInteger made = new AtomicInteger();

  private PayloadPool() {}

  /** Returns an empty buffer of {@link #BUFFER_BYTES}, or null if all are in use. */
  static @Nullable ByteBuffer take() {
    ByteBuffer buffer = free.pollFirst();
    if (buffer == null && made.get() < MOST_BUFFERS && made.getAndIncrement() < MOST_BUFFERS) {
      buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    }
    return buffer;
  }

  /** Returns a copy of {@code original}, which is used up; nothing if too few buffers are free. */
  static Deque<ByteBuffer> copy(ByteBuffer original) {
    Deque<ByteBuffer> copy = new ArrayDeque<>(2);
    boolean isWhole = false;
    try {
      isWhole = fill(copy, original);
    } finally {
      if (!isWhole) {
        copy.forEach(PayloadPool::give);
        copy.clear();
      }
    }
    return copy;
  }

  /** Adds a copy of {@code original} to {@code copy}; returns false if too few buffers are free. */
  private static boolean fill(Deque<ByteBuffer> copy, ByteBuffer original) {
    int start = original.position();
    int end = original.limit();
    while (original.hasRemaining()) {
      ByteBuffer buffer = take();
      if (buffer == null) {
        original.position(start);
        return false;
      }
      copy.add(buffer);
      original.limit(Math.min(end, original.position() + BUFFER_BYTES));
      buffer.put(original).flip();
      original.limit(end);
    }
    return true;
  }

  /** Takes a buffer back. */
  static void give(ByteBuffer buffer) {
    free.addFirst(buffer.clear());
  }
}
