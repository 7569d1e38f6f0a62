package dev.windhover.server;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import org.jspecify.annotations.Nullable;

/**
 * Where a connection's bytes are read into: buffers of their own, sized by what came before, while
 * it speaks HTTP; once it is a duplex, whose receiver uses up what it is lent within the call, the
 * one buffer that all duplexes of the loop share. So an idle socket holds no memory, and a busy one
 * finds its buffer warm, without asking the allocator. One for each channel.
 */
final class ReadBuffers extends AdaptiveRecvByteBufAllocator {
  /** As much as is read of one socket before the next one gets its turn. */
  private static final int SHARED_BYTES = 64 * 1024;

  private static final LoopBuffer.Locals SHARED = new LoopBuffer.Locals();

  /** The loop's buffer, once this channel reads into it; loop only. */
  private @Nullable LoopBuffer shared;

  /** Reads into the loop's shared buffer from now on; loop only. */
  void share() {
    shared = SHARED.get();
  }

  @Override
  @SuppressWarnings("deprecation") // Netty's name for what every channel asks for
  public Handle newHandle() {
    return new SwitchingHandle((ExtendedHandle) super.newHandle());
  }

  /** Lets {@code sizing} choose the buffers and tells it what was read, until one is shared. */
  private final class SwitchingHandle extends MaxMessageHandle {
    private @Nullable ExtendedHandle sizing;

    SwitchingHandle(ExtendedHandle sizing) {
      this.sizing = sizing;
    }

    /** Returns who chooses; null once a buffer is shared, and then nobody needs it any more. */
    private @Nullable ExtendedHandle sizing() {
      if (shared != null) {
        sizing = null;
      }
      return sizing;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      LoopBuffer lent = shared;
      return lent != null
          ? lent.borrow(allocator, SHARED_BYTES)
          : requireNonNull(sizing).allocate(allocator);
    }

    @Override
    public int guess() {
      ExtendedHandle own = sizing();
      return own == null ? SHARED_BYTES : own.guess();
    }

    @Override
    public void reset(ChannelConfig config) {
      super.reset(config);
      ExtendedHandle own = sizing();
      if (own != null) {
        own.reset(config);
      }
    }

    @Override
    public void attemptedBytesRead(int bytes) {
      super.attemptedBytesRead(bytes);
      ExtendedHandle own = sizing();
      if (own != null) {
        own.attemptedBytesRead(bytes);
      }
    }

    @Override
    public void lastBytesRead(int bytes) {
      super.lastBytesRead(bytes);
      ExtendedHandle own = sizing();
      if (own != null) {
        own.lastBytesRead(bytes);
      }
    }

    @Override
    public void readComplete() {
      ExtendedHandle own = sizing();
      if (own != null) {
        own.readComplete();
      }
    }
  }
}
