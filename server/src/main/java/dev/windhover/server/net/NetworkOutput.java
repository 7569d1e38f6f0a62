package dev.windhover.server.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultMessageSizeEstimator;
import io.netty.channel.MessageSizeEstimator;

/**
 * Counts what is written, to know what the network has taken of it, and tells when it does not take
 * all at once: first in the pipeline. Loop only.
 */
public final class NetworkOutput extends ChannelOutboundHandlerAdapter {
  private static final MessageSizeEstimator.Handle SIZES =
      DefaultMessageSizeEstimator.DEFAULT.newHandle();

  /** What Netty adds to the size of each entry of its buffer; it does not publish the number. */
  private static final int ENTRY_BYTES =
      Integer.getInteger("io.netty.transport.outboundBufferEntrySizeOverhead", 96);

  private final Channel channel;
  private Runnable onPending = () -> {};
  private long accepted;

  public NetworkOutput(Channel channel) {
    this.channel = channel;
  }

  /** Sets what runs when something that was flushed is left for later. */
  public void onPending(Runnable action) {
    onPending = action;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    accepted += SIZES.size(message) + ENTRY_BYTES;
    ctx.write(message, promise);
  }

  @Override
  public void flush(ChannelHandlerContext ctx) {
    ctx.flush();
    if (isPending()) {
      onPending.run();
    }
  }

  /** Returns whether the network has yet to take something that was flushed. */
  public boolean isPending() {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer != null && !buffer.isEmpty();
  }

  /** Returns how much the network has taken in all, and what Netty adds to it. */
  public long total() {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer == null
        ? accepted
        : accepted - buffer.totalPendingWriteBytes() + buffer.currentProgress();
  }
}
