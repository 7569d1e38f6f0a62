package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Where a connection's bytes are read into: buffers of their own, sized by what came before, while
 * it speaks HTTP; once it is a duplex, whose receiver uses up what it is lent within the call, the
 * one buffer that all duplexes of the loop share. So an idle socket holds no memory, and a busy one
 * finds its buffer warm, without asking the allocator. One for each channel.
 */
final class ReadBuffers extends AdaptiveRecvByteBufAllocator {
  /** As much as is read of one socket before the next one gets its turn. */
  private static final int SHARED_BYTES = 64 * 1024;

  private static final LoopBuffer SHARED = new LoopBuffer();

  private boolean sharing;

  /** Reads into the loop's shared buffer from now on; loop only. */
  void share() {
    sharing = true;
  }

  @Override
  @SuppressWarnings("deprecation") // Netty's name for what every channel asks for
  public Handle newHandle() {
    return new SharingHandle((ExtendedHandle) super.newHandle());
  }

  private final class SharingHandle implements ExtendedHandle {
    private final ExtendedHandle own;

    SharingHandle(ExtendedHandle own) {
      this.own = own;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
      return sharing ? SHARED.borrow(allocator, SHARED_BYTES) : own.allocate(allocator);
    }

    @Override
    public int guess() {
      return sharing ? SHARED_BYTES : own.guess();
    }

    @Override
    public void reset(ChannelConfig config) {
      own.reset(config);
    }

    @Override
    public void incMessagesRead(int messages) {
      own.incMessagesRead(messages);
    }

    @Override
    public void lastBytesRead(int bytes) {
      own.lastBytesRead(bytes);
    }

    @Override
    public int lastBytesRead() {
      return own.lastBytesRead();
    }

    @Override
    public void attemptedBytesRead(int bytes) {
      own.attemptedBytesRead(bytes);
    }

    @Override
    public int attemptedBytesRead() {
      return own.attemptedBytesRead();
    }

    @Override
    public boolean continueReading() {
      return own.continueReading();
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
      return own.continueReading(maybeMore);
    }

    @Override
    public void readComplete() {
      own.readComplete();
    }
  }
}
