package dev.windhover.server.net;

import static java.util.Objects.requireNonNull;

import dev.windhover.http.host.MemoryBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.uring.IoUringSocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * The buffers that a connection is read into. While it speaks HTTP they are its own, sized by what
 * came before. After an upgrade it reads into one buffer that all duplexes of the loop share,
 * because a receiver uses up what it is lent within the call. So an idle socket holds no memory,
 * and a busy one finds its buffer warm, without asking the allocator.
 *
 * <p>While the server's memory is used up and room is being made, each connection is read a little
 * at a time: in one turn of its loop, thousands that bring 64 KiB each would otherwise exhaust the
 * process before the first of them can be ended. One for each channel; loop only.
 */
public final class ReadBuffers extends DefaultMaxMessagesRecvByteBufAllocator.MaxMessageHandle {
  /** This much is read from one socket in a turn. The settings allow one read. */
  private static final int SHARED_BYTES = 64 * 1024;

  /** While memory is short, this much is read from one socket in a turn. */
  private static final int LITTLE_BYTES = 512;

  private static final LoopBuffer.Locals SHARED = new LoopBuffer.Locals();
  private static final AdaptiveRecvByteBufAllocator SIZING = new AdaptiveRecvByteBufAllocator();

  private final MemoryBudget memory;

  /** Chooses the buffers by what was read, until the shared one is used. */
  private @Nullable ExtendedHandle sizing;

  /** The loop's buffer, after this channel has begun to use it. */
  private @Nullable LoopBuffer shared;

  @SuppressWarnings("deprecation") // Netty's name for what every channel asks for
  private ReadBuffers(AdaptiveRecvByteBufAllocator settings, MemoryBudget memory) {
    settings.super();
    this.memory = memory;
    sizing = (ExtendedHandle) settings.newHandle();
  }

  /** Returns the buffers of {@code channel}, which has not read yet. */
  public static ReadBuffers of(Channel channel, MemoryBudget memory) {
    var buffers = new ReadBuffers(SIZING, memory);
    if (!(channel instanceof IoUringSocketChannel)) { // io_uring holds a buffer while it waits
      ChannelConfig config = channel.config();
      config.setRecvByteBufAllocator(() -> buffers);
      channel.unsafe().recvBufAllocHandle(); // which asks once and keeps what it got
      config.setRecvByteBufAllocator(SIZING);
    }
    return buffers;
  }

  /** Reads into the loop's shared buffer from now on. */
  public void share() {
    shared = SHARED.get();
    sizing = null;
  }

  @Override
  public ByteBuf allocate(ByteBufAllocator allocator) {
    if (memory.isShort()) {
      return allocator.ioBuffer(LITTLE_BYTES);
    }
    LoopBuffer lent = shared;
    return lent != null
        ? lent.borrow(allocator, SHARED_BYTES)
        : requireNonNull(sizing).allocate(allocator);
  }

  @Override
  public int guess() {
    ExtendedHandle own = sizing;
    return own == null ? SHARED_BYTES : own.guess();
  }

  @Override
  public void reset(ChannelConfig config) {
    super.reset(config);
    ExtendedHandle own = sizing;
    if (own != null) {
      own.reset(config);
    }
  }

  @Override
  public void attemptedBytesRead(int bytes) {
    super.attemptedBytesRead(bytes);
    ExtendedHandle own = sizing;
    if (own != null) {
      own.attemptedBytesRead(bytes);
    }
  }

  @Override
  public void lastBytesRead(int bytes) {
    super.lastBytesRead(bytes);
    ExtendedHandle own = sizing;
    if (own != null) {
      own.lastBytesRead(bytes);
    }
  }

  @Override
  public void readComplete() {
    ExtendedHandle own = sizing;
    if (own != null) {
      own.readComplete();
    }
  }
}
