package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledUnsafeDirectByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * A buffer that a loop keeps for its connections, which need it one after the other and seldom
 * longer than for one call. Loop only.
 */
final class LoopBuffer {
  /** One for each loop. */
  static final class Locals extends FastThreadLocal<LoopBuffer> {
    @Override
    protected LoopBuffer initialValue() {
      return new LoopBuffer();
    }

    @Override
    protected void onRemoval(LoopBuffer ended) {
      if (ended.buffer != null) {
        ended.buffer.release();
      }
    }
  }

  private @Nullable ByteBuf buffer;

  /**
   * Returns an empty buffer of at least {@code bytes}, with a reference for the caller to release:
   * the loop's, unless somebody still has it.
   */
  ByteBuf borrow(ByteBufAllocator allocator, int bytes) {
    ByteBuf kept = buffer;
    if (kept != null && kept.capacity() >= bytes) {
      return kept instanceof Lent lent && lent.borrowed == 0
          ? kept.clear().retain()
          : allocator.directBuffer(bytes); // the loop's is lent out, and comes back
    }
    if (kept != null) {
      kept.release();
    }
    kept = new Lent(bytes);
    buffer = kept;
    return kept.retain();
  }

  private static final class Lent extends UnpooledUnsafeDirectByteBuf {
    int borrowed;

    Lent(int bytes) {
      super(UnpooledByteBufAllocator.DEFAULT, bytes, bytes);
    }

    @Override
    public ByteBuf retain() {
      borrowed++;
      return this;
    }

    @Override
    public boolean release() {
      if (borrowed > 0) {
        borrowed--;
        return false;
      }
      return super.release();
    }
  }
}
