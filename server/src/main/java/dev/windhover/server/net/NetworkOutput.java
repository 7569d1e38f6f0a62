package dev.windhover.server.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultMessageSizeEstimator;
import io.netty.channel.MessageSizeEstimator;

/**
 * Counts how much of what was written the peer's side has acknowledged, and tells when the network
 * does not take everything at once. It is the first handler in the pipeline. Loop only.
 */
public final class NetworkOutput extends ChannelOutboundHandlerAdapter {
  private static final MessageSizeEstimator.Handle SIZES =
      DefaultMessageSizeEstimator.DEFAULT.newHandle();

  /** What Netty adds to the size of each entry in its buffer. Netty does not publish the number. */
  private static final int ENTRY_BYTES =
      Integer.getInteger("io.netty.transport.outboundBufferEntrySizeOverhead", 96);

  private final Channel channel;
  private Runnable onPending = () -> {};
  private long accepted;

  public NetworkOutput(Channel channel) {
    this.channel = channel;
  }

  /** Sets what runs when a flush leaves something for later. */
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

  /** Returns whether something that was flushed still waits for the network. */
  public boolean isPending() {
    return isPending(channel);
  }

  static boolean isPending(Channel channel) {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer != null && !buffer.isEmpty();
  }

  /** Returns how many bytes were written in total, with what Netty adds to them. */
  public long written() {
    return accepted;
  }

  /**
   * Returns how many of the bytes that were {@link #written} the peer's side has acknowledged;
   * where the system does not tell, how many it has taken. A system call.
   */
  public long acknowledged() {
    long taken = taken(channel, accepted);
    TcpInfo info = TcpInfo.of(channel);
    return info == null ? taken : taken - info.unacknowledged();
  }

  /** Returns how many bytes the system may hold of which {@link #acknowledged} does not know. */
  public int unseen() {
    return TcpInfo.unseen(channel);
  }

  /** Returns how many of the bytes that were written to the channel the network has taken. */
  static long taken(Channel channel, long accepted) {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer == null
        ? accepted
        : accepted - buffer.totalPendingWriteBytes() + buffer.currentProgress();
  }
}
