package dev.windhover.server.exchange;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request's body between the loop, which puts bytes in, and the handler's thread, which reads; no
 * lock is between them. What is not read yet is kept up to a bound, beyond which its supply is
 * paused.
 */
public final class RequestBody extends InputStream {
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
  public interface Supply {
    /** Stops reading: enough is kept for now. On the loop. */
    void pauseBody();

    /** Reads on, if there still is room when the loop gets to it. From any thread. */
    void resumeBody();

    /** Lets the client send as many bytes more: these are not kept any longer. From any thread. */
    void bodyConsumed(int bytes);

    /** The handler is about to wait for bytes, for the first time. */
    void bodyAwaited();

    /** Returns whether the calling thread is the one that brings the bytes. */
    boolean inLoop();
  }

  /** Bytes that have come: the loop appends after what the handler may read. */
  private static final class Piece {
    final byte[] bytes;
    volatile int end;
    volatile @Nullable Piece next;

    Piece(int size) {
      bytes = new byte[size];
    }
  }

  /** For how long the handler has waited, and since when it does. */
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
  private volatile @Nullable String lost;
  private final Headers trailers = new Headers();

  // The handler writes.
  private Piece first = last;
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
  public void add(ByteBuf bytes) {
    int size = bytes.readableBytes();
    if (size == 0) {
      return;
    }
    long sum = received + size; // by the loop alone, as all that it writes
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
      resumeIfRoom(); // the handler may have read meanwhile, and not known of the pause
    }
    wakeReader();
  }

  private void keep(ByteBuf bytes) {
    int from = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (from < end) {
      Piece into = last;
      int filled = into.end;
      if (filled == into.bytes.length) {
        int wanted = Math.max(end - from, 2 * into.bytes.length);
        into = new Piece(Math.clamp(wanted, SMALLEST_PIECE, LARGEST_PIECE));
        filled = 0;
      }
      int n = Math.min(end - from, into.bytes.length - filled);
      bytes.getBytes(from, into.bytes, filled, n);
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

  /** Returns whether more may come. */
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
      LockSupport.unpark(waiting);
    }
  }

  /** Its end has come, with what stands behind it. */
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
      isMalformed();
    }
  }

  /** It is not what HTTP says. */
  public void isMalformed() {
    fail(new HttpException(400, "the request's body is malformed"));
  }

  /** Nothing more is taken: who reads on, fails with {@code why}. From any thread. */
  public void fail(HttpException why) {
    if (!complete && refuse(why)) {
      supply.pauseBody(); // until the connection closes, behind the answer
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

  void lose(String why) {
    if (!complete && lost == null) {
      lost = why;
    }
    wakeReader();
  }

  /** Drops what is here and what will come. */
  public void discard() {
    discarding = true;
    last = new Piece(0);
    giveCredit(Integer.MAX_VALUE);
    wakeReader();
  }

  /** Returns whether its end has come. */
  public boolean isComplete() {
    return complete;
  }

  /** Returns whether nothing that follows it on the connection can be understood. */
  public boolean isBroken() {
    return fault.get() != null;
  }

  /** Returns whether nothing of it is waited for any more. */
  public boolean hasEnded() {
    return complete || discarding || isBroken() || lost != null;
  }

  /** Returns how many bytes of it have come. */
  public long received() {
    return received;
  }

  /** Returns how many bytes of it are still to come; 0 if its length is not known. */
  public long rest() {
    return Math.max(0, declared - received);
  }

  /** Returns for how long, in all, the handler has waited for bytes. */
  public long waitedNanos() {
    return waits.nanosNow();
  }

  /** Returns whether the handler has asked for it, and so 100 Continue was sent. */
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

  /** Returns what came behind the last chunk; empty before all that is before it was read. */
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
      boolean ended = complete; // before the look at what is here, which is then all
      HttpException refused = fault.get();
      String gone = lost;
      if (discarding) {
        return -1;
      }
      int ready = ready();
      if (ready > 0) {
        return take(bytes, offset, Math.min(length, ready));
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

  /** Returns how much can be read at once. */
  private int ready() {
    while (true) {
      int ready = first.end - position;
      Piece next = first.next;
      if (ready > 0 || next == null) {
        return ready;
      }
      // It was full when the next began, and its end seen before that may have been too little.
      if (first.end == position) {
        first = next;
        position = 0;
      }
    }
  }

  private int take(byte[] bytes, int offset, int length) throws HttpException {
    int n = (int) Math.min(length, limit - delivered);
    if (n == 0) {
      throw tooLarge();
    }
    System.arraycopy(first.bytes, position, bytes, offset, n);
    position += n;
    long sum = delivered + n; // by this thread alone, as all that it writes
    delivered = sum;
    due += n;
    if (due >= LUMP || received == delivered) {
      giveCredit(due);
      due = 0;
    }
    resumeIfRoom();
    return n;
  }

  /** Gives credit for up to {@code most} bytes that have had none; from any thread. */
  private void giveCredit(int most) {
    long had = uncredited.getAndUpdate(bytes -> bytes - Math.min(bytes, most));
    int given = (int) Math.min(had, most);
    if (given > 0) {
      supply.bodyConsumed(given);
    }
  }

  /** Waits for anything to happen; what came since the last look is seen at the next. */
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
    refuse(why); // although its end may be here
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
    return discarding ? 0 : (int) (received - delivered);
  }
}
