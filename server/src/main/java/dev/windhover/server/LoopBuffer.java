package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * A buffer that each loop keeps for its connections, which need it one after the other and seldom
 * longer than for one call. Loop only.
 */
final class LoopBuffer {
  /** A loop's buffer; it holds one reference to it. */
  private static final class Holder {
    @Nullable ByteBuf buffer;
  }

  private final FastThreadLocal<Holder> local =
      new FastThreadLocal<>() {
        @Override
        protected Holder initialValue() {
          return new Holder();
        }

        @Override
        protected void onRemoval(Holder holder) {
          if (holder.buffer != null) {
            holder.buffer.release();
          }
        }
      };

  /**
   * Returns an empty buffer of at least {@code bytes}, with a reference for the caller to release:
   * the loop's, unless somebody still has it.
   */
  ByteBuf borrow(ByteBufAllocator allocator, int bytes) {
    Holder holder = local.get();
    ByteBuf buffer = holder.buffer;
    if (buffer != null && buffer.capacity() >= bytes) {
      return buffer.refCnt() == 1
          ? buffer.clear().retain()
          : allocator.directBuffer(bytes); // the loop's is lent out, and comes back
    }
    if (buffer != null) {
      buffer.release();
    }
    buffer = allocator.directBuffer(bytes);
    holder.buffer = buffer;
    return buffer.retain();
  }
}
