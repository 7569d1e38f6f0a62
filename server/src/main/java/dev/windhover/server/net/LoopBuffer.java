package dev.windhover.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledUnsafeDirectByteBuf;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * A buffer that a loop keeps for its connections. They need it one after the other, and seldom for
 * longer than one call. Loop only.
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

  /** Kept alive by one reference. */
  private @Nullable ByteBuf buffer;

  /**
   * Returns an empty buffer of at least {@code bytes}, which the caller releases: the loop's,
   * unless another connection still uses it.
   */
  ByteBuf borrow(ByteBufAllocator allocator, int bytes) {
    ByteBuf kept = buffer;
    if (kept != null && kept.capacity() >= bytes) {
      return isFree(kept)
          ? kept.clear().retain()
          : allocator.directBuffer(bytes); // the loop's is in use, and will be free again
    }
    if (kept != null) {
      kept.release();
    }
    kept = Lent.ARE_POSSIBLE ? new Lent(bytes) : Unpooled.directBuffer(bytes);
    buffer = kept;
    return kept.retain();
  }

  private static boolean isFree(ByteBuf kept) {
    return kept instanceof Lent lent ? lent.borrowed == 0 : kept.refCnt() == 1;
  }

  /**
   * A buffer that counts further references without atomics, because only the loop has them. Each
   * batch of messages would pay for four atomic operations.
   */
  private static final class Lent extends UnpooledUnsafeDirectByteBuf {
    /** False where Netty works without {@code Unsafe}. */
    static final boolean ARE_POSSIBLE = arePossible();

    /** References in addition to the one that keeps the memory. */
    private int borrowed;

    Lent(int bytes) {
      super(UnpooledByteBufAllocator.DEFAULT, bytes, bytes);
    }

    private static boolean arePossible() {
      ByteBuf usual = new UnpooledByteBufAllocator(true, true).directBuffer(1);
      try {
        return usual instanceof UnpooledUnsafeDirectByteBuf;
      } finally {
        usual.release();
      }
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
