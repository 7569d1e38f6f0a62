package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * One spare output buffer for each loop, shared by its connections: a batch's answers are most often
 * written at once, and then the next connection can gather in the same memory, warm in the cache,
 * without asking the allocator.
 */
final class OutputBuffers {
  /** A loop's spare. */
  private static final class Spare {
    @Nullable ByteBuf buffer;
  }

  private static final FastThreadLocal<Spare> SPARE =
      new FastThreadLocal<>() {
        @Override
        protected Spare initialValue() {
          return new Spare();
        }

        @Override
        protected void onRemoval(Spare spare) {
          if (spare.buffer != null) {
            spare.buffer.release();
          }
        }
      };

  private OutputBuffers() {}

  /** Returns an empty buffer with room for {@code bytes}; loop only. */
  static ByteBuf take(ByteBufAllocator allocator, int bytes) {
    Spare spare = SPARE.get();
    ByteBuf buffer = spare.buffer;
    if (buffer != null && buffer.capacity() >= bytes) {
      spare.buffer = null;
      return buffer;
    }
    return allocator.directBuffer(bytes);
  }

  /** Takes a buffer back, of which the caller has one reference; loop only. */
  static void giveBack(ByteBuf buffer) {
    Spare spare = SPARE.get();
    ByteBuf last = spare.buffer;
    if (buffer.refCnt() > 1 || (last != null && last.capacity() >= buffer.capacity())) {
      buffer.release();
      return;
    }
    if (last != null) {
      last.release();
    }
    spare.buffer = buffer.clear();
  }
}
