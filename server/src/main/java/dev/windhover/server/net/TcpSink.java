package dev.windhover.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.UnixChannel;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The output of a TCP connection, with or without TLS. What a batch of reads causes is gathered in
 * a buffer of the loop and flushed once. Loop only, except {@link #pending()} and {@link
 * #isOpen()}.
 */
public class TcpSink extends GatheringSink {
  /**
   * The output of a batch is usually written at once, and then the next connection can use the same
   * memory.
   */
  private static final LoopBuffer.Locals OUTPUT = new LoopBuffer.Locals();

  /** Shared by connections with the same mark, as most have. */
  private static volatile WriteBufferWaterMark lastMark = WriteBufferWaterMark.DEFAULT;

  /** What the system holds without having sent it, as {@code Transport} has it for all. */
  private static final IntegerUnixChannelOption TCP_NOTSENT_LOWAT =
      new IntegerUnixChannelOption("windhover.TCP_NOTSENT_LOWAT of one connection", 6, 25);

  private static final int LITTLE_UNSENT = 16 * 1024;

  private static final int SMALLEST_OUTPUT = 256;
  private static final int LARGEST_OUTPUT = 64 * 1024;

  protected final Channel channel;
  protected final Link link;

  /** Counts encrypted bytes; null without TLS, where the bytes that are passed on leave. */
  private final @Nullable NetworkOutput encrypted;

  /**
   * Bytes that were written between the end of the connection and the report of it. They stay
   * pending, so that a sender that waits for room lets the loop deliver that report.
   */
  private volatile long undelivered;

  // Loop only.
  private @Nullable LoopBuffer outputs;

  /** The size of the next output buffer: the output of the last batch would have fitted. */
  private int outputSize = SMALLEST_OUTPUT;

  private int batchSize;
  private boolean unflushed;
  private long accepted;
  private @Nullable Runnable onWaiting;

  public TcpSink(Channel channel, Link link, @Nullable NetworkOutput encrypted) {
    this.channel = channel;
    this.link = link;
    this.encrypted = encrypted;
  }

  // ---- What is gathered

  @Override
  protected final ByteBuf allocate(int bytes) {
    if (outputs == null) {
      outputs = OUTPUT.get();
    }
    return outputs.borrow(channel.alloc(), Math.max(outputSize, bytes));
  }

  @Override
  protected final ByteBuffer roomOf(ByteBuf allocated, int bytes) {
    return allocated.internalNioBuffer(0, allocated.capacity());
  }

  @Override
  protected final int largestOutput() {
    return LARGEST_OUTPUT;
  }

  // ---- What leaves

  @Override
  protected final void transmit(ByteBuf bytes, @Nullable Runnable release) {
    int size = bytes.readableBytes();
    if (!channel.isOpen()) {
      long sum = undelivered + size; // by the loop alone, so that no change is lost
      undelivered = sum;
      bytes.release();
      if (release != null) {
        release.run();
      }
      return;
    }
    batchSize += size;
    accepted += size;
    unflushed = true;
    link.write(channel, bytes, release == null ? channel.voidPromise() : promise(release));
  }

  private ChannelPromise promise(Runnable whenDone) {
    return channel.newPromise().addListener(done -> whenDone.run());
  }

  @Override
  protected final ByteBuf allocatePiece(int bytes) {
    return channel.alloc().directBuffer(bytes);
  }

  @Override
  final boolean transmit(FilePart part) {
    if (!link.sendsFiles()) {
      return false;
    }
    long count = part.count();
    unflushed = true;
    link.write(
        channel,
        part,
        promise(() -> {
          accepted += count; // which Netty does not count as pending
          addQueued(-count);
          checkMark();
        }));
    return true;
  }

  @Override
  protected void fileFailed(Exception cause) {
    link.abort(channel);
  }

  @Override
  public void flush() {
    sendGathered();
    if (!unflushed) {
      return;
    }
    unflushed = false;
    if (batchSize > outputSize || batchSize < outputSize / 4) {
      int enough = Integer.highestOneBit(batchSize) << 1;
      outputSize = Math.clamp(enough, SMALLEST_OUTPUT, LARGEST_OUTPUT);
    }
    batchSize = 0;
    link.flush(channel);
    flushed();
  }

  /** A flush has ended: tells if the network has not taken everything. */
  protected void flushed() {
    if (onWaiting != null && isWaiting()) {
      onWaiting.run();
    }
  }

  /** Sets what runs when a flush leaves something for later. */
  public final void onWaiting(Runnable action) {
    onWaiting = action;
  }

  /**
   * Flushes, and calls {@code then} when everything that was written so far has left, or never
   * will, with whether it has. It may close the connection.
   */
  public final void whenWritten(Consumer<Boolean> then) {
    // An empty write completes after all others. To end at once would drop those.
    inTurn(() -> {
      ChannelPromise written = channel.newPromise();
      link.write(channel, Unpooled.EMPTY_BUFFER, written);
      unflushed = true;
      flush();
      if (written.isDone()) {
        then.accept(written.isSuccess());
      } else { // not from within a flush, because a close within it could not send close_notify
        written.addListener(
            done -> channel.eventLoop().execute(() -> then.accept(done.isSuccess())));
      }
    });
  }

  // ---- What the network takes

  @Override
  protected final long inTransit() {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer == null ? undelivered : buffer.totalPendingWriteBytes();
  }

  /** Returns whether something that was flushed still waits for the network. */
  public final boolean isWaiting() {
    return NetworkOutput.isPending(channel);
  }

  /**
   * What the peer's side has acknowledged; where the system does not tell, what the system has
   * taken. With TLS, it counts encrypted bytes. A system call.
   */
  @Override
  public final long transmitted() {
    TcpInfo info = TcpInfo.of(channel);
    if (info != null) {
      return info.acknowledged();
    }
    return encrypted != null ? encrypted.acknowledged() : NetworkOutput.taken(channel, accepted);
  }

  /** A system call, unless there is more in our own buffers. */
  @Override
  public final long unacknowledged() {
    long pending = pending();
    TcpInfo info = pending > 0 ? null : TcpInfo.of(channel);
    return info == null ? pending : info.unacknowledged();
  }

  /** Returns how many bytes the system may hold of which {@link #transmitted} does not know. */
  public final int unseen() {
    return TcpInfo.unseen(channel);
  }

  @Override
  public final void mark(int bytes, Runnable belowAgain) {
    super.mark(bytes, belowAgain);
    // Netty reports more than the high mark; ours is "at or above", which is one byte less.
    int low = bytes / 2;
    int high = Math.max(bytes - 1, low);
    WriteBufferWaterMark mark = lastMark;
    if (mark.low() != low || mark.high() != high) {
      mark = new WriteBufferWaterMark(low, high);
      lastMark = mark;
    }
    channel.config().setWriteBufferWaterMark(mark);
  }

  @Override
  public final void holdLittle() {
    if (channel instanceof UnixChannel && channel.isOpen()) {
      channel.config().setOption(TCP_NOTSENT_LOWAT, LITTLE_UNSENT);
    }
  }

  // ---- The end

  @Override
  public final boolean isOpen() {
    return channel.isActive();
  }

  @Override
  public void end() {
    whenWritten(written -> {
      if (channel.isActive()) {
        link.endOutput(channel);
      }
    });
  }

  @Override
  public void abort() {
    link.abort(channel);
  }
}
