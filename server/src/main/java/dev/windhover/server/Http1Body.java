package dev.windhover.server;

import dev.windhover.http.HttpException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A request's body between the loop, which puts pieces in, and the handler's thread, which reads.
 * What is not read yet is kept up to a bound, beyond which the connection is not read.
 */
final class Http1Body extends InputStream {
  private static final int MOST_KEPT = 64 * 1024;

  private final Channel channel;
  private final Runnable onFirstRead;

  // Guarded by this.
  private final Deque<ByteBuf> pieces = new ArrayDeque<>();
  private int kept;
  private boolean begun;
  private boolean complete;
  private boolean discarding;
  private boolean malformed;
  private @Nullable String lost;

  /**
   * Creates an empty one.
   *
   * @param onFirstRead run before the handler first waits for bytes: sends 100 Continue
   */
  Http1Body(Channel channel, Runnable onFirstRead) {
    this.channel = channel;
    this.onFirstRead = onFirstRead;
  }

  // ---- The loop's side

  synchronized void add(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      malformed = true;
      notifyAll();
      return;
    }
    ByteBuf bytes = content.content();
    if (bytes.isReadable() && !discarding) {
      pieces.add(bytes.retain());
      kept += bytes.readableBytes();
      if (kept > MOST_KEPT) {
        channel.config().setAutoRead(false);
      }
    }
    complete |= content instanceof LastHttpContent;
    notifyAll();
  }

  synchronized void lose(String why) {
    if (!complete && lost == null) {
      lost = why;
    }
    notifyAll();
  }

  /** Drops what is here and what will come. */
  synchronized void discard() {
    discarding = true;
    pieces.forEach(ByteBuf::release);
    pieces.clear();
    kept = 0;
    notifyAll();
  }

  /** Returns whether its end has come. */
  synchronized boolean isComplete() {
    return complete;
  }

  /** Returns whether nothing that follows it on the connection can be understood. */
  synchronized boolean isMalformed() {
    return malformed;
  }

  /** Returns whether the handler has asked for it, and so 100 Continue was sent. */
  synchronized boolean isBegun() {
    return begun;
  }

  // ---- The handler's side

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    announce();
    synchronized (this) {
      while (pieces.isEmpty()) {
        if (complete || discarding) {
          return -1;
        }
        if (malformed) {
          throw new HttpException(400, "the request's body is malformed");
        }
        if (lost != null) {
          throw new IOException(lost);
        }
        if (channel.eventLoop().inEventLoop()) {
          throw new IllegalStateException("reading the body would block the connection's loop");
        }
        try {
          wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted while reading the request's body");
        }
      }
      ByteBuf piece = pieces.element();
      int n = Math.min(length, piece.readableBytes());
      piece.readBytes(bytes, offset, n);
      if (!piece.isReadable()) {
        pieces.remove().release();
      }
      boolean wasFull = kept > MOST_KEPT;
      kept -= n;
      if (wasFull && kept <= MOST_KEPT) {
        channel.config().setAutoRead(true);
      }
      return n;
    }
  }

  private void announce() {
    boolean first;
    synchronized (this) {
      first = !begun && !complete && pieces.isEmpty();
      begun = true;
    }
    if (first) {
      onFirstRead.run();
    }
  }

  @Override
  public synchronized int available() {
    return kept;
  }
}
