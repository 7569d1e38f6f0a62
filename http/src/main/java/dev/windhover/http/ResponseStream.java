package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Takeover;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A response that goes on after its handler has returned: {@link HttpResponse#stream}. It holds no
 * thread. Any thread may send, in any number; nothing here blocks.
 *
 * <p>About 64 KiB wait for a slow client, and one piece more of each thread: {@link #send} says
 * whether there is room for more, and {@link #onWritable} tells when there is again. The response
 * is ended by {@link #end()}, or dropped: by {@link #abort()}, by the client, by a stop of the
 * server that outlasts its time limit, or if nothing is sent, and nothing waits for the client, for
 * as long as {@linkplain HttpResponse#stream(Duration) was said}.
 *
 * <p>The answer to HEAD has ended with its head: what is sent is counted and dropped, until {@link
 * #end()}.
 */
public final class ResponseStream {
  private static final Logger log = LoggerFactory.getLogger(ResponseStream.class);

  /** As much as a response whose handler writes it lets wait. */
  private static final int HIGH_MARK = 64 * 1024;

  private static final int LOW_MARK = 16 * 1024;

  private final Exchange exchange;
  private final Loop loop;
  private final long quietNanos;
  private final Consumer<ResponseStream> whenQuiet;
  private final boolean isHead;
  private final long promised;

  // ---- Any thread

  private final Queue<ByteBuffer> mailbox = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean due = new AtomicBoolean();

  /** Bytes in the mailbox. */
  private final AtomicLong waiting = new AtomicLong();

  /** Bytes of the body so far. */
  private final AtomicLong written = new AtomicLong();

  private final CompletableFuture<Void> over = new CompletableFuture<>();
  private volatile @Nullable Sink sink; // written by the loop
  private volatile @Nullable Runnable onWritable;
  private volatile boolean ending;
  private volatile boolean aborting;

  /** A sender was told that there is no room, and not yet that there is again. */
  private volatile boolean overHigh;

  private volatile long sentAt;

  // ---- Loop only

  private Loop.@Nullable Timer timer;

  /**
   * Creates one.
   *
   * @param whenQuiet runs on the loop when nothing was sent for {@code quiet}, and nothing waits
   * @param promised the length of the body, or -1
   */
  ResponseStream(
      Exchange exchange, Duration quiet, Consumer<ResponseStream> whenQuiet, long promised) {
    this.exchange = exchange;
    this.loop = exchange.loop();
    this.quietNanos = quiet.toNanos();
    this.whenQuiet = whenQuiet;
    this.isHead = exchange.method().equals("HEAD");
    this.promised = promised;
    this.sentAt = loop.nanoTime();
  }

  /** Begins the response with {@code first} of its body. */
  void begin(int status, Headers headers, @Nullable ByteBuffer first) {
    Headers kept = new Headers(headers);
    if (first != null) {
      count(first.remaining());
    }
    exchange.aborted().thenRun(() -> onLoop(this::drop));
    onLoop(() -> open(status, kept, first));
  }

  private void open(int status, Headers headers, @Nullable ByteBuffer first) {
    if (over.isDone()) {
      return; // the client went before
    }
    Sink opened = exchange.respond(status, headers, promised);
    if (isHead) {
      opened.end();
      isOver();
      return;
    }
    sink = opened;
    opened.mark(LOW_MARK, this::drain);
    if (first != null && first.hasRemaining()) {
      opened.write(first);
    }
    timer = loop.schedule(Duration.ofNanos(quietNanos), this::lookAtQuiet);
    drain();
  }

  // ---- Sending

  /**
   * Sends a copy of {@code bytes}.
   *
   * @return whether less than 64 KiB wait: if not, {@link #onWritable} follows
   * @throws IOException if the response has ended, or the client is gone
   * @throws IllegalStateException if there was no room, which the call before has said; or beyond
   *     the response's {@code Content-Length}
   */
  public boolean send(ByteBuffer bytes) throws IOException {
    int size = bytes.remaining();
    boolean hasRoom = sendOwn(ByteBuffer.allocate(size).put(0, bytes, bytes.position(), size));
    bytes.position(bytes.limit());
    return hasRoom;
  }

  /** As {@link #send}, of bytes that do not change any more. */
  boolean sendOwn(ByteBuffer bytes) throws IOException {
    requireOpen();
    long before = bufferedAmount();
    if (overHigh) { // not by the amount, which is in motion
      throw new IllegalStateException(
          "response has no room: " + before + " bytes wait for its client; wait for onWritable");
    }
    int size = bytes.remaining();
    count(size);
    sentAt = loop.nanoTime();
    if (isHead) {
      return true;
    }
    if (size == 0) {
      return before < HIGH_MARK;
    }
    waiting.addAndGet(size);
    boolean hasRoom = bufferedAmount() < HIGH_MARK;
    if (!hasRoom) {
      overHigh = true; // after it was counted, and before the loop is called: see drain()
    }
    mailbox.add(bytes);
    hand();
    return hasRoom;
  }

  private void requireOpen() throws IOException {
    if (ending || aborting) {
      throw new IOException("the response has ended");
    }
    if (isHead) {
      return; // which has ended at once
    }
    Sink open = sink;
    if (over.isDone() || (open != null && !open.isOpen())) {
      throw new IOException("the client ended the connection");
    }
  }

  private void count(int bytes) {
    long sum = written.addAndGet(bytes);
    if (promised >= 0 && sum > promised) {
      written.addAndGet(-bytes);
      throw new IllegalStateException(
          "body of %d bytes exceeds its Content-Length of %d".formatted(sum, promised));
    }
  }

  /** Lets the loop take what is here; once for however much comes before it does. */
  private void hand() {
    if (due.compareAndSet(false, true)) {
      loop.execute(this::drain);
    }
  }

  private void drain() {
    Sink open = sink;
    if (open == null || over.isDone() || aborting) {
      return;
    }
    due.set(false); // what comes from now on may be taken here all the same
    boolean isLast = ending; // asked before the mailbox: nothing is sent after it
    for (ByteBuffer bytes; (bytes = mailbox.poll()) != null; ) {
      int size = bytes.remaining();
      open.write(bytes);
      waiting.addAndGet(-size); // after it became the sink's, or it would seem to be gone
    }
    if (isLast) {
      finish(open);
      return;
    }
    open.flush();
    tellIfWritable();
  }

  private void tellIfWritable() {
    if (!overHigh || bufferedAmount() >= LOW_MARK) {
      return;
    }
    overHigh = false;
    if (bufferedAmount() >= LOW_MARK) { // a sender was told meanwhile; its bytes call us again
      overHigh = true;
      return;
    }
    Runnable action = onWritable;
    if (action == null) {
      return;
    }
    try {
      action.run();
    } catch (RuntimeException e) {
      log.error("onWritable of request {} failed", exchange.id(), e);
      abort();
    }
  }

  /** Ends the response, unless it is short of what it promised. */
  private void finish(Sink open) {
    long sum = written.get();
    if (promised >= 0 && sum < promised) {
      log.error(
          "request {} failed: body of {} bytes is short of its Content-Length of {}",
          exchange.id(),
          sum,
          promised);
      exchange.abort();
    } else {
      open.end();
    }
    isOver();
  }

  /** Runs {@code action}, on the connection's loop, each time there is room again. */
  public void onWritable(Runnable action) {
    onWritable = action;
  }

  /** Returns the bytes that wait for the client. */
  public long bufferedAmount() {
    Sink open = over.isDone() ? null : sink; // which may serve the next request then
    return waiting.get() + (open == null ? 0 : open.pending());
  }

  // ---- The end

  /** Ends the response after what was sent; more than once is the same. */
  public void end() {
    ending = true;
    loop.execute(this::drain);
  }

  /** Drops the connection (or the stream), so that nobody takes the response for complete. */
  public void abort() {
    aborting = true; // at once, or what is in the mailbox before it would end the response in order
    onLoop(this::drop);
  }

  /** Also when the client is gone: if it has ended only its side, nobody else ends ours. */
  private void drop() {
    if (!over.isDone()) {
      exchange.abort();
      isOver();
    }
  }

  /** Returns whether neither side has ended it. */
  public boolean isOpen() {
    return !ending && !aborting && !over.isDone();
  }

  /** Returns what completes, never exceptionally, when the response has ended, however it has. */
  public CompletionStage<Void> ended() {
    return over.minimalCompletionStage();
  }

  /** It is over, or the client is gone. Loop only. */
  private void isOver() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    mailbox.clear();
    waiting.set(0);
    over.complete(null);
  }

  private void lookAtQuiet() {
    timer = null;
    if (over.isDone()) {
      return;
    }
    long now = loop.nanoTime();
    if (bufferedAmount() > 0) {
      sentAt = now; // a slow client keeps the application waiting; the host judges it
    }
    long left = sentAt + quietNanos - now;
    if (left <= 0) {
      whenQuiet.accept(this);
      left = quietNanos;
    }
    if (!over.isDone()) {
      timer = loop.schedule(Duration.ofNanos(left), this::lookAtQuiet);
    }
  }

  /** What {@link HttpResponse#stream(Duration)} promises of a response that is quiet. */
  void dropQuiet() {
    log.warn(
        "response of request {} dropped: nothing was sent for {}",
        exchange.id(),
        Duration.ofNanos(quietNanos));
    abort();
  }

  // ---- The pipeline's side

  Takeover takeover() {
    return new Takeover() {
      @Override
      public void handlerEnded(@Nullable Throwable failure) {
        if (failure != null) {
          abort();
        }
      }

      @Override
      public CompletableFuture<Void> ended() {
        return over;
      }
    };
  }

  long written() {
    return written.get();
  }

  Loop loop() {
    return loop;
  }

  /** Runs {@code task} on the loop: now, if this is it. */
  void onLoop(Runnable task) {
    if (loop.inLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }
}
