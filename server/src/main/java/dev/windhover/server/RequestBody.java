package dev.windhover.server;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request's body between the loop, which puts pieces in, and the handler's thread, which reads.
 * What is not read yet is kept up to a bound, beyond which its supply is paused.
 */
final class RequestBody extends InputStream {
  private static final Logger log = LoggerFactory.getLogger(RequestBody.class);
  private static final int MOST_KEPT = 64 * 1024;

  /**
   * What comes is copied into pieces of up to that many bytes: kept as it came, each piece would
   * hold all of the buffer that it came in, and small ones as many objects.
   */
  private static final int LARGEST_PIECE = 16 * 1024;

  private static final int SMALLEST_PIECE = 256;

  /** Credit is given in lumps, since each costs the loop a task. */
  private static final int LUMP = 32 * 1024;

  /** Where a body comes from. */
  interface Supply {
    /** Enough is here for now; on the loop. */
    void pause();

    /** There is room again. */
    void resume();

    /** That many bytes are not kept any more; from any thread. */
    void taken(int bytes);

    /** The handler is about to wait for bytes, for the first time. */
    void awaited();

    /** Returns whether the calling thread is the one that brings the bytes. */
    boolean inLoop();
  }

  private final RequestId id;
  private final Supply supply;
  private final long declared;

  // Guarded by this.
  private final Deque<ByteBuf> pieces = new ArrayDeque<>(2);

  private int kept;
  private int due;
  private boolean begun;
  private boolean awaited;
  private boolean complete;
  private boolean discarding;
  private long limit;
  private long received;
  private long delivered;
  private boolean waiting;
  private long waitingSince;
  private long waitedNanos;
  private @Nullable HttpException fault;
  private @Nullable String lost;
  private final Headers trailers = new Headers();

  /**
   * Creates an empty one.
   *
   * @param id the request's, for the log
   * @param declared the length that the client says; -1 if it comes in chunks
   * @param limit the most bytes that the handler may read, unless it says otherwise
   */
  RequestBody(RequestId id, Supply supply, long declared, long limit) {
    this.id = id;
    this.supply = supply;
    this.declared = declared;
    this.limit = limit;
    this.complete = declared == 0;
  }

  // ---- The loop's side

  /** Adds a piece, of which the caller keeps its reference. */
  synchronized void add(ByteBuf bytes) {
    int size = bytes.readableBytes();
    if (size == 0) {
      return;
    }
    received += size;
    if (discarding || fault != null) {
      supply.taken(size);
      return;
    }
    keep(bytes);
    kept += size;
    if (isFull()) {
      supply.pause();
    }
    notifyAll();
  }

  private void keep(ByteBuf bytes) {
    int from = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (from < end) {
      ByteBuf last = pieces.peekLast();
      if (last == null || last.maxWritableBytes() == 0) {
        int size = Math.clamp(end - from, SMALLEST_PIECE, LARGEST_PIECE);
        last = Unpooled.buffer(size, LARGEST_PIECE);
        pieces.add(last);
      }
      int n = Math.min(end - from, last.maxWritableBytes());
      last.writeBytes(bytes, from, n);
      from += n;
    }
  }

  private boolean isFull() {
    return kept > MOST_KEPT;
  }

  /** Its end has come, with what stands behind it. */
  synchronized void end(Iterable<Map.Entry<String, String>> fields) {
    if (fault != null) {
      return;
    }
    try {
      for (Map.Entry<String, String> field : fields) {
        trailers.add(field.getKey(), field.getValue());
      }
      complete = true;
      notifyAll();
    } catch (IllegalArgumentException e) {
      isMalformed();
    }
  }

  /** It is not what HTTP says. */
  void isMalformed() {
    fail(new HttpException(400, "the request's body is malformed"));
  }

  /** Nothing more is taken: who reads on, fails with {@code why}. */
  synchronized void fail(HttpException why) {
    if (fault == null && !complete) {
      refuse(why);
      supply.pause(); // until the connection closes, behind the answer
    }
    notifyAll();
  }

  private void refuse(HttpException why) {
    if (fault == null) {
      log.debug("body of {} refused with {}: {}", id, why.status(), why.getMessage());
    }
    fault = why;
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
    due += kept;
    kept = 0;
    giveCredit();
    notifyAll();
  }

  /** Returns whether its end has come. */
  synchronized boolean isComplete() {
    return complete;
  }

  /** Returns whether nothing that follows it on the connection can be understood. */
  synchronized boolean isBroken() {
    return fault != null;
  }

  /** Returns whether nothing of it is waited for any more. */
  synchronized boolean hasEnded() {
    return complete || discarding || fault != null || lost != null;
  }

  /** Returns how many bytes of it have come. */
  synchronized long received() {
    return received;
  }

  /** Returns how many bytes of it are still to come; 0 if its length is not known. */
  synchronized long rest() {
    return Math.max(0, declared - received);
  }

  /** Returns for how long, in all, the handler has waited for bytes. */
  synchronized long waitedNanos() {
    return waiting ? waitedNanos + System.nanoTime() - waitingSince : waitedNanos;
  }

  /** Returns whether the handler has asked for it, and so 100 Continue was sent. */
  synchronized boolean isBegun() {
    return begun;
  }

  // ---- The handler's side

  /** Sets the most bytes that may be read. */
  synchronized void limit(long bytes) {
    if (begun) {
      throw new IllegalStateException("the body is being read already");
    }
    limit = bytes;
  }

  synchronized long limit() {
    return limit;
  }

  /** Returns what came behind the last chunk; empty before all that is before it was read. */
  synchronized Headers trailers() {
    return complete && pieces.isEmpty() ? trailers : new Headers();
  }

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
        if (fault != null) {
          throw fault;
        }
        if (lost != null) {
          throw new IOException(lost);
        }
        await();
      }
      ByteBuf piece = pieces.element();
      int n = (int) Math.min(Math.min(length, piece.readableBytes()), limit - delivered);
      if (n == 0) {
        throw tooLarge();
      }
      boolean wasFull = isFull();
      piece.readBytes(bytes, offset, n);
      delivered += n;
      if (!piece.isReadable()) {
        pieces.remove().release();
      }
      kept -= n;
      due += n;
      if (due >= LUMP || kept == 0) {
        giveCredit();
      }
      if (wasFull && !isFull() && fault == null) {
        supply.resume();
      }
      return n;
    }
  }

  private void giveCredit() {
    if (due > 0) {
      supply.taken(due);
      due = 0;
    }
  }

  /** Waits for anything to happen; called with this locked. */
  @SuppressWarnings("WaitNotInLoop") // the caller loops
  private void await() throws IOException {
    if (supply.inLoop()) {
      throw new IllegalStateException("reading the body would block the connection's loop");
    }
    waiting = true;
    waitingSince = System.nanoTime();
    try {
      wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading the request's body");
    } finally {
      waiting = false;
      waitedNanos += System.nanoTime() - waitingSince;
    }
  }

  private HttpException tooLarge() {
    HttpException why = new HttpException(413, "body exceeds limit of " + limit + " bytes");
    fail(why);
    refuse(why); // although its end may be here
    return why;
  }

  private void announce() {
    boolean first;
    synchronized (this) {
      if (declared > limit) {
        throw tooLarge();
      }
      first = !awaited && !complete && pieces.isEmpty();
      awaited |= first;
      begun = true;
    }
    if (first) {
      supply.awaited();
    }
  }

  @Override
  public synchronized int available() {
    return kept;
  }
}
