package dev.windhover.server.http2;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2RemoteFlowController.FlowControlled;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a stream on their way through the flow controller. Netty's encoder would need queues,
 * promises and a buffer for the header of each frame. Here the buffer itself has room for the
 * headers, and all frames are one write if the windows take them whole. Loop only.
 */
final class Http2Data implements FlowControlled, ChannelFutureListener {
  /** The room for the first frame's header before the bytes. */
  static final int HEADER = 9;

  private static final int END_STREAM = 1;

  /** Every peer accepts a frame of this size (RFC 9113 6.5.2). */
  private static final int MAX_FRAME = 16 * 1024;

  private final Http2Connection connection;
  private final Http2Sink sink;
  private final Http2Stream stream;
  private final int whole;
  private @Nullable ByteBuf bytes; // null after they were passed on or dropped
  private @Nullable Runnable release;
  private int left;
  private int unsent;
  private boolean last;
  private @Nullable ChannelFuture written;

  /** Returns the size of all frame headers for this many bytes. */
  static int headers(int bytes) {
    return frames(bytes) * HEADER;
  }

  private static int frames(int bytes) {
    return Math.max(Math.ceilDiv(bytes, MAX_FRAME), 1); // an empty one may end the stream
  }

  /**
   * Takes {@code bytes} over. If they begin at {@link #HEADER}, there is room for a header before
   * them, and for the headers of further frames after them.
   *
   * @param release run when they have left, or never will
   * @param last whether they end the stream; if not, they are not empty
   */
  Http2Data(Http2Sink sink, ByteBuf bytes, @Nullable Runnable release, boolean last) {
    this.connection = sink.connection;
    this.sink = sink;
    this.stream = sink.stream;
    this.bytes = bytes;
    this.release = release;
    whole = bytes.readableBytes();
    left = whole;
    unsent = whole;
    this.last = last;
  }

  Http2Stream stream() {
    return stream;
  }

  /** Does not change with an error, because the flow controller adds sizes up. */
  @Override
  public int size() {
    return left;
  }

  @Override
  public void write(ChannelHandlerContext context, int allowed) {
    ByteBuf current = bytes;
    if (current == null) { // after an error
      left = 0;
    } else if (left == whole && whole <= allowed && current.readerIndex() == HEADER) {
      bytes = null;
      left = 0;
      sink.passedOn(whole);
      written = context.write(framed(current)).addListener(this);
    } else if (allowed > 0) {
      int part = Math.min(left, allowed);
      left -= part;
      ByteBuf first = current;
      if (left == 0) {
        bytes = null;
      } else { // there is no room for a header at its end
        first = current.readRetainedSlice(part);
      }
      boolean end = last && left == 0;
      sink.passedOn(part);
      written =
          connection
              .encoder()
              .frameWriter()
              .writeData(context, stream.id(), first, 0, end, context.newPromise())
              .addListener(done -> written(part, done.cause()));
    }
  }

  /**
   * Writes a header before the bytes of each frame; all but those of the first move to make room.
   */
  private ByteBuf framed(ByteBuf all) {
    int start = all.readerIndex() - HEADER;
    int frames = frames(whole);
    for (int i = frames - 1; i >= 0; i--) { // so that none overwrites another
      int from = start + HEADER + i * MAX_FRAME;
      int to = from + i * HEADER;
      int size = Math.min(whole - i * MAX_FRAME, MAX_FRAME);
      if (i > 0) {
        all.setBytes(to, all, from, size);
      }
      all.setMedium(to - HEADER, size)
          .setByte(to - HEADER + 3, Http2FrameTypes.DATA)
          .setByte(to - HEADER + 4, last && i == frames - 1 ? END_STREAM : 0)
          .setInt(to - HEADER + 5, stream.id());
    }
    return all.setIndex(start, start + whole + headers(whole));
  }

  @Override
  public void operationComplete(ChannelFuture done) {
    written(whole, done.cause());
  }

  private void written(int size, @Nullable Throwable cause) {
    if (cause != null) {
      fail(cause);
      return;
    }
    unsent -= size;
    sink.sent(size);
    if (unsent == 0) {
      hasLeft();
      if (last) {
        sink.endSent();
      }
    }
  }

  @Override
  public void writeComplete() {
    if (last && written != null) {
      connection.closeStreamLocal(stream, written);
    }
  }

  @Override
  public void error(ChannelHandlerContext context, Throwable cause) {
    fail(cause);
  }

  private void fail(Throwable cause) {
    drop();
    connection.sendFailed(cause);
  }

  /** Drops the bytes: they will never leave. */
  void drop() {
    if (bytes != null) {
      bytes.release();
      bytes = null;
    }
    hasLeft();
  }

  private void hasLeft() {
    Runnable known = release;
    if (known != null) {
      release = null;
      known.run();
    }
  }

  /** The last frame that is still here takes a bare end of the stream with it. */
  @Override
  public boolean merge(ChannelHandlerContext context, FlowControlled next) {
    if (bytes != null && next instanceof Http2Data data && data.whole == 0) {
      data.drop();
      last = true;
      return true;
    }
    return false;
  }
}
