package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Reads files that the operating system cannot send by itself, because they must be encrypted. It
 * reads them piece by piece, as the client takes them. Whatever is written after a file waits for
 * the file's end. Loop only.
 */
final class TlsFiles extends ChannelOutboundHandlerAdapter {
  /** Four TLS records. */
  private static final int PIECE_BYTES = 64 * 1024;

  /** This bit tells writers after a file to wait, as if the network took nothing. */
  private static final int WRITABILITY = 1;

  private record Waiting(Object message, ChannelPromise promise) {}

  private final Link link;
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private @Nullable FilePart part;
  private @Nullable ChannelPromise partSent;
  private long read;
  private boolean flushed;

  TlsFiles(Link link) {
    this.link = link;
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (part != null) {
      waiting.add(new Waiting(message, promise));
    } else if (message instanceof FilePart file) {
      part = file;
      partSent = promise;
      read = 0;
      setWritable(ctx, false);
      next(ctx);
    } else {
      ctx.write(message, promise);
    }
  }

  private static void setWritable(ChannelHandlerContext ctx, boolean isWritable) {
    ChannelOutboundBuffer buffer = ctx.channel().unsafe().outboundBuffer();
    if (buffer != null) {
      buffer.setUserDefinedWritability(WRITABILITY, isWritable);
    }
  }

  /** Sends a piece, and the next piece when this one has left. */
  private void next(ChannelHandlerContext ctx) {
    FilePart file = part;
    if (file == null) {
      return;
    }
    int size = (int) Math.min(PIECE_BYTES, file.count() - read);
    if (size == 0) {
      ended(ctx);
      return;
    }
    ByteBuf piece = ctx.alloc().directBuffer(size);
    try {
      int n = file.read(piece, read, size);
      if (n <= 0) {
        throw new IOException("the file is shorter than what was to be sent of it");
      }
      read += n;
    } catch (IOException e) {
      piece.release();
      link.abort(ctx.channel());
      fail(e);
      return;
    }
    ChannelFuture sent = ctx.writeAndFlush(piece);
    sent.addListener(done -> {
      if (done.isSuccess()) {
        next(ctx);
      } else {
        fail(done.cause());
      }
    });
  }

  private void ended(ChannelHandlerContext ctx) {
    if (part != null) {
      part.release();
      part = null;
    }
    if (partSent != null) {
      partSent.trySuccess();
      partSent = null;
    }
    setWritable(ctx, true);
    while (part == null && !waiting.isEmpty()) { // up to the next file
      Waiting first = waiting.remove();
      write(ctx, first.message(), first.promise());
    }
    if (part == null && flushed) {
      flushed = false;
      ctx.flush();
    }
  }

  @Override
  public void flush(ChannelHandlerContext ctx) {
    flushed = part != null;
    ctx.flush();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    fail(new IOException("the connection has ended"));
  }

  private void fail(Throwable cause) {
    if (part != null) {
      part.release();
      part = null;
    }
    if (partSent != null) {
      partSent.tryFailure(cause);
      partSent = null;
    }
    while (!waiting.isEmpty()) {
      Waiting first = waiting.remove();
      ReferenceCountUtil.release(first.message());
      first.promise().tryFailure(cause);
    }
  }
}
