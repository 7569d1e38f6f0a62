package dev.windhover.server;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Loop;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection after its upgrade, as the seam's duplex: the last handler in its pipeline, and
 * the only one unless there is TLS, which is {@link TlsDuplex}'s. The read buffer is lent to the
 * receiver as the memory it is; output is gathered in one pooled buffer and flushed once per batch
 * of reads.
 */
class NettyDuplex extends ChannelInboundHandlerAdapter implements Duplex {
  /**
   * A batch's answers are most often written at once, and then the next connection gathers its own
   * in the same memory.
   */
  private static final LoopBuffer.Locals OUTPUT = new LoopBuffer.Locals();

  private static final AtomicIntegerFieldUpdater<NettyDuplex> GATHERED =
      AtomicIntegerFieldUpdater.newUpdater(NettyDuplex.class, "gathered");

  /** Most sockets have the same, and share it. */
  private static volatile WriteBufferWaterMark lastMark = WriteBufferWaterMark.DEFAULT;

  private static final ByteBuffer NO_ROOM = ByteBuffer.allocate(0);
  private static final int SMALLEST_OUTPUT = 256;
  private static final int LARGEST_OUTPUT = 64 * 1024;

  private final Channel channel;
  private final Link link;
  private final Loop loop;
  private final RequestId id;
  private final Receiver receiver;

  /** Not the exchange that has it, which would live with all of its request. */
  private final CompletableFuture<Void> clientGone;

  /** Bytes in {@link #output}; read by other threads for {@link #pending()}. */
  private volatile int gathered;

  /**
   * What was written between the connection's end and word of it: pending for ever, so that whoever
   * sends until it is told to stop does stop, and lets the loop bring the word.
   */
  private volatile long undelivered;

  // Loop only.
  private @Nullable LoopBuffer outputs;
  private @Nullable ByteBuf output;

  /** What is free of {@link #output}: its position is behind what was written. */
  private ByteBuffer room = NO_ROOM;

  private int roomFrom;

  /** What the next output buffer holds: the last batch's output, so that one buffer is enough. */
  private int outputSize = SMALLEST_OUTPUT;

  private int batchSize;
  private Runnable belowAgain = () -> {};
  private long accepted;
  private boolean ended;
  private boolean outputEnded;
  private boolean peerEnded;
  private boolean lost;
  private String why = "the connection was closed";

  /**
   * Creates one.
   *
   * @param clientGone completed when the connection ends otherwise than by both sides' ends
   */
  NettyDuplex(
      Channel channel,
      Link link,
      Loop loop,
      RequestId id,
      Receiver receiver,
      CompletableFuture<Void> clientGone) {
    this.clientGone = clientGone;
    this.channel = channel;
    this.link = link;
    this.loop = loop;
    this.id = id;
    this.receiver = receiver;
  }

  /** Tells the receiver that it begins; called once this is in the pipeline. */
  void open() {
    receiver.onOpen(this);
    flush();
  }

  // ---- From Netty

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      if (message instanceof ByteBuf bytes && !lost) {
        receiver.onBytes(bytes.internalNioBuffer(bytes.readerIndex(), bytes.readableBytes()));
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    receiver.onBatchEnd();
    flush();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (ctx.channel().isWritable() && !lost) {
      belowAgain.run();
      flush();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      peerEnded();
    }
  }

  /** The peer has ended its side; called by the connection if that came before the upgrade. */
  void peerEnded() {
    if (peerEnded || lost) {
      return;
    }
    peerEnded = true;
    receiver.onEnd();
    flush();
    if (outputEnded) {
      channel.close(); // else when all is written
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    why = "the connection failed: " + cause.getMessage();
    channel.close();
    lose(why);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    lose(why);
  }

  /** Tells that the connection is gone, once. */
  final void lose(String reason) {
    if (lost) {
      return;
    }
    lost = true;
    if (output != null) {
      output.release();
      output = null;
      room = NO_ROOM;
      roomFrom = 0;
      GATHERED.lazySet(this, 0);
    }
    receiver.onLost(reason);
    if (!outputEnded || !peerEnded) {
      clientGone.complete(null);
    }
  }

  // ---- The seam

  @Override
  public String id() {
    return id.toString();
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public void pause() {
    channel.config().setAutoRead(false);
  }

  @Override
  public void resume() {
    channel.config().setAutoRead(true);
  }

  @Override
  public void consumed(int bytes) {
    // TCP's own window is the credit.
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    if (room.remaining() < bytes) {
      takeOutput(bytes);
    }
    return room;
  }

  @Override
  public void commit() {
    GATHERED.lazySet(this, room.position() - roomFrom);
  }

  @Override
  public void write(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      if (!room.hasRemaining()) {
        takeOutput(Math.min(bytes.remaining(), LARGEST_OUTPUT));
      }
      int n = Math.min(room.remaining(), bytes.remaining());
      room.put(room.position(), bytes, bytes.position(), n).position(room.position() + n);
      bytes.position(bytes.position() + n);
      commit();
    }
  }

  @Override
  public void writeFile(Path file, long position, long count) {
    throw new UnsupportedOperationException("no files of sockets yet");
  }

  /** Begins a new output buffer, behind what the last one holds. */
  private void takeOutput(int bytes) {
    writeOutput();
    if (outputs == null) {
      outputs = OUTPUT.get();
    }
    ByteBuf taken = outputs.borrow(channel.alloc(), Math.max(outputSize, bytes));
    output = taken;
    room = taken.internalNioBuffer(0, taken.capacity());
    roomFrom = room.position();
  }

  private void writeOutput() {
    ByteBuf current = output;
    if (current == null) {
      return;
    }
    int size = room.position() - roomFrom;
    output = null;
    room = NO_ROOM;
    roomFrom = 0;
    GATHERED.lazySet(this, 0);
    if (!channel.isOpen()) {
      long sum = undelivered + size; // by the loop alone, so that no change is lost
      undelivered = sum;
      current.release();
      return;
    }
    batchSize += size;
    accepted += size;
    send(current.writerIndex(size));
  }

  @Override
  public void flush() {
    if (output == null) {
      return;
    }
    writeOutput();
    if (batchSize > outputSize || batchSize < outputSize / 4) {
      int enough = Integer.highestOneBit(batchSize) << 1;
      outputSize = Math.clamp(enough, SMALLEST_OUTPUT, LARGEST_OUTPUT);
    }
    batchSize = 0;
    sendAll();
    if (!channel.isActive()) {
      // A failed write closed it, and what is written now is dropped in silence. Netty tells later;
      // a receiver that writes as long as there is room would never let it.
      lose(why);
    }
  }

  /** Writes straight to the transport: no other handler stands in this pipeline. */
  void send(ByteBuf bytes) {
    channel.unsafe().write(bytes, channel.voidPromise());
  }

  /** Flushes what was sent. */
  void sendAll() {
    channel.unsafe().flush();
  }

  /** Returns whether {@link #end()} was called. */
  final boolean hasEnded() {
    return ended;
  }

  @Override
  public long pending() {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    long outbound = buffer == null ? undelivered : buffer.totalPendingWriteBytes();
    return gathered + outbound;
  }

  @Override
  public long transmitted() {
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    return buffer == null
        ? accepted
        : accepted - buffer.totalPendingWriteBytes() + buffer.currentProgress();
  }

  @Override
  public void mark(int bytes, Runnable action) {
    belowAgain = action;
    // Netty: over the high mark is more than it; so "at or above" is one byte less.
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
  public void end() {
    if (ended || lost) {
      return;
    }
    ended = true;
    flush();
    // An empty write completes behind all others; ending at once would drop them.
    channel
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(done -> {
          if (peerEnded || !done.isSuccess()) {
            channel.close();
          } else {
            outputEnded = true;
            link.endOutput(channel);
            channel.config().setAutoRead(true); // to see the peer's end
          }
        });
  }

  @Override
  public void abort() {
    if (lost) {
      return;
    }
    why = "aborted";
    link.abort(channel);
  }
}
