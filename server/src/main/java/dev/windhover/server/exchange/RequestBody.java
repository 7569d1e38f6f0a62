package dev.windhover.server.exchange;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.http.host.Loggers;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A request's body: the loop adds bytes, and the handler's thread reads them, without a lock. Bytes
 * that are not read yet are kept up to a bound; beyond it, the supply is paused.
 *
 * <p>Its flags are not one state, because two threads write them: the loop tells what came, and the
 * handler what it still wants.
 */
public final class RequestBody extends InputStream {
  private static final Logger log = Loggers.get(RequestBody.class);
  private static final int MOST_KEPT = 64 * 1024;

  /**
   * Bytes are copied into pieces of up to this size. If they were kept as they came, each piece
   * would hold the whole buffer that it came in, and small pieces would be many objects.
   */
  private static final int LARGEST_PIECE = 16 * 1024;

  private static final int SMALLEST_PIECE = 256;

  /** Credit is given in lumps, because each one costs the loop a task. */
  private static final int LUMP = 32 * 1024;

  /** Where a body comes from. */
  public interface Supply {
    /** Stops reading: enough is kept for now. On the loop. */
    void pauseBody();

    /** Reads on, if there still is room when the loop gets to it. From any thread. */
    void resumeBody();

    /** Lets the client send as many bytes more: these are not kept any longer. From any thread. */
    void bodyConsumed(int bytes);

    /** The handler is about to wait for bytes, for the first time. */
    void bodyAwaited();

    /** Wakes the handler, which waits for bytes. From any thread. */
    void wake(Thread handler);

    /** Returns whether the calling thread is the one that brings the bytes. */
    boolean inLoop();
  }

  /** Bytes that have come. The loop appends to them while the handler reads what was there. */
  private static final class Piece {
    /** Null after they were dropped, whoever still refers to this. */
    volatile byte @Nullable [] bytes;

    final int size;
    volatile int end;
    volatile @Nullable Piece next;

    Piece(int size) {
      this.size = size;
      bytes = new byte[size];
    }
  }

  /** How long the handler has waited in earlier reads, and since when it waits in this one. */
  private record Waits(long nanos, boolean waiting, long since) {
    long nanosNow() {
      return waiting ? nanos + System.nanoTime() - since : nanos;
    }
  }

  private final RequestId id;
  private final Supply supply;
  private final long declared;

  // The loop writes.
  private Piece last = new Piece(0);
  private volatile long received;
  private volatile boolean complete;
  private volatile boolean discarding;
  private volatile boolean dropped;
  private volatile @Nullable String lost;
  private final Headers trailers = new Headers();

  // The handler writes.
  private volatile Piece first = last;
  private int position; // in the first
  private volatile long delivered;
  private volatile long limit;
  private int due;
  private boolean awaited;
  private volatile boolean begun;
  private volatile Waits waits = new Waits(0, false, 0);
  private volatile @Nullable Thread reader;

  // Both write.
  private final AtomicReference<@Nullable HttpException> fault = new AtomicReference<>();
  private final AtomicLong uncredited = new AtomicLong();
  private volatile boolean paused;

  /**
   * Creates an empty one.
   *
   * @param id the request's, for the log
   * @param declared the length that the client declares; -1 if it declares none
   * @param limit the most bytes that the handler may read, unless it changes the limit
   */
  RequestBody(RequestId id, Supply supply, long declared, long limit) {
    this.id = id;
    this.supply = supply;
    this.declared = declared;
    this.limit = limit;
    this.complete = declared == 0;
  }

  // ---- The loop's side

  /** Adds a copy of these bytes. */
  public void add(ByteBuf bytes) {
    int size = bytes.readableBytes();
    if (size == 0) {
      return;
    }
    long sum = received + size; // only the loop writes it
    received = sum;
    if (discarding || isBroken()) {
      supply.bodyConsumed(size);
      return;
    }
    uncredited.addAndGet(size);
    keep(bytes);
    if (isFull()) {
      paused = true;
      supply.pauseBody();
      resumeIfRoom(); // the handler may have read before it could know of the pause
    }
    wakeReader();
  }

  private void keep(ByteBuf bytes) {
    int from = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (from < end) {
      Piece into = last;
      int filled = into.end;
      if (filled == into.size) {
        int wanted = Math.max(end - from, 2 * into.size);
        into = new Piece(Math.clamp(wanted, SMALLEST_PIECE, LARGEST_PIECE));
        filled = 0;
      }
      int n = Math.min(end - from, into.size - filled);
      bytes.getBytes(from, Objects.requireNonNull(into.bytes), filled, n);
      into.end = filled + n;
      if (into != last) {
        last.next = into;
        last = into;
      }
      from += n;
    }
  }

  private boolean isFull() {
    return received - delivered > MOST_KEPT;
  }

  /** Returns whether more bytes may be added. */
  public boolean hasRoom() {
    return !isFull() && !isBroken();
  }

  private void resumeIfRoom() {
    if (paused && hasRoom()) {
      paused = false;
      supply.resumeBody();
    }
  }

  private void wakeReader() {
    Thread waiting = reader;
    if (waiting != null) {
      supply.wake(waiting);
    }
  }

  /** The end has come, with the trailers after it. */
  public void end(Iterable<Map.Entry<String, String>> fields) {
    if (isBroken()) {
      return;
    }
    try {
      for (Map.Entry<String, String> field : fields) {
        trailers.add(field.getKey(), field.getValue());
      }
      complete = true;
      wakeReader();
    } catch (IllegalArgumentException e) {
      malformed();
    }
  }

  /** The body is not as HTTP requires. */
  public void malformed() {
    fail(new HttpException(400, "the request's body is malformed"));
  }

  /** Takes nothing more, and lets further reads fail with {@code why}. From any thread. */
  public void fail(HttpException why) {
    if (!complete && refuse(why)) {
      supply.pauseBody(); // until the connection closes, after the answer
    }
    wakeReader();
  }

  private boolean refuse(HttpException why) {
    if (!fault.compareAndSet(null, why)) {
      return false;
    }
    log.debug("body of {} refused with {}: {}", id, why.status(), why.getMessage());
    return true;
  }

  /** No more bytes will come; reads that need them fail with {@code why}. */
  void lose(String why) {
    if (!complete && lost == null) {
      lost = why;
    }
    wakeReader();
  }

  /** Drops what is kept, and lets further reads fail with {@code why}. On the loop. */
  public void drop(HttpException why) {
    if (refuse(why) && !complete) {
      supply.pauseBody(); // until the connection closes, after the answer
    }
    dropped = true;
    dropKept();
    wakeReader();
  }

  /** Drops everything that has come and everything that will come. */
  public void discard() {
    discarding = true;
    dropKept();
    wakeReader();
  }

  private void dropKept() {
    for (Piece each = first; each != null; each = each.next) {
      each.bytes = null; // the handler may be about to look, and may refer to it for long
    }
    last = new Piece(0);
    giveCredit(Integer.MAX_VALUE);
  }

  /** Returns whether its end has come. */
  public boolean isComplete() {
    return complete;
  }

  /** Returns whether nothing that follows it on the connection can be understood. */
  public boolean isBroken() {
    return fault.get() != null;
  }

  /** Returns whether nobody waits for more of it. */
  public boolean hasEnded() {
    return complete || discarding || isBroken() || lost != null;
  }

  /** Returns how many bytes have come. */
  public long received() {
    return received;
  }

  /** Returns how many bytes have come that the handler has not read. */
  public long kept() {
    return discarding || dropped ? 0 : received - delivered;
  }

  /** Returns how many bytes have not come yet; 0 if the length is not known. */
  public long rest() {
    return Math.max(0, declared - received);
  }

  /** Returns how long the handler has waited for bytes, in total. */
  public long waitedNanos() {
    return waits.nanosNow();
  }

  /** Returns whether the handler has begun to read, and 100 Continue was sent for it. */
  public boolean isBegun() {
    return begun;
  }

  // ---- The handler's side

  /** Sets the most bytes that may be read. */
  void limit(long bytes) {
    if (begun) {
      throw new IllegalStateException("the body is being read already");
    }
    limit = bytes;
  }

  long limit() {
    return limit;
  }

  /** Returns the trailers; empty until the whole body was read. */
  Headers trailers() {
    return complete && received == delivered ? trailers : new Headers();
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
    while (true) {
      boolean isDropped = dropped; // read before the fault, which is set before it
      boolean ended = complete && !isDropped; // read first: if true, everything is here
      HttpException refused = fault.get();
      String gone = lost;
      if (discarding) {
        return -1;
      }
      int ready = ready();
      if (ready > 0 && !isDropped) {
        byte[] from = first.bytes;
        if (from == null) {
          continue; // it was dropped just now
        }
        return take(from, bytes, offset, Math.min(length, ready));
      }
      if (ended) {
        return -1;
      }
      if (refused != null) {
        throw refused;
      }
      if (gone != null) {
        throw new IOException(gone);
      }
      await();
    }
  }

  /** Returns how many bytes can be read without waiting, in the first piece that has any. */
  private int ready() {
    while (true) {
      int ready = first.end - position;
      Piece next = first.next;
      if (ready > 0 || next == null) {
        return ready;
      }
      // The piece was full before the next began, but its end may have been read before that.
      if (first.end == position) {
        first = next;
        position = 0;
      }
    }
  }

  private int take(byte[] from, byte[] bytes, int offset, int length) throws HttpException {
    int n = (int) Math.min(length, limit - delivered);
    if (n == 0) {
      throw tooLarge();
    }
    System.arraycopy(from, position, bytes, offset, n);
    position += n;
    long sum = delivered + n; // only this thread writes it
    delivered = sum;
    due += n;
    if (due >= LUMP || received == delivered) {
      giveCredit(due);
      due = 0;
    }
    resumeIfRoom();
    return n;
  }

  /** Gives credit for up to {@code most} bytes that it was not given for; from any thread. */
  private void giveCredit(int most) {
    long had = uncredited.getAndUpdate(bytes -> bytes - Math.min(bytes, most));
    int given = (int) Math.min(had, most);
    if (given > 0) {
      supply.bodyConsumed(given);
    }
  }

  /** Waits until something happens; may return sooner. */
  private void await() throws IOException {
    if (supply.inLoop()) {
      throw new IllegalStateException("reading the body would block the connection's loop");
    }
    Waits before = waits;
    waits = new Waits(before.nanos, true, System.nanoTime());
    reader = Thread.currentThread();
    try {
      if (!hasEnded() && ready() == 0) {
        LockSupport.park(this);
      }
      if (Thread.interrupted()) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while reading the request's body");
      }
    } finally {
      reader = null;
      waits = new Waits(waits.nanosNow(), false, 0);
    }
  }

  private HttpException tooLarge() {
    HttpException why = new HttpException(413, "body exceeds limit of " + limit + " bytes");
    fail(why);
    refuse(why); // also if the end has come
    return why;
  }

  private void announce() throws HttpException {
    if (declared > limit) {
      throw tooLarge();
    }
    boolean isFirst = !awaited && !complete && received == delivered;
    awaited |= isFirst;
    begun = true;
    if (isFirst) {
      supply.bodyAwaited();
    }
  }

  @Override
  public int available() {
    return (int) kept();
  }
}
