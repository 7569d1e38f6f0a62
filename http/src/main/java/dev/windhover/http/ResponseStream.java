package dev.windhover.http;

import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.RequestSummary;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.host.WriteStall;
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

/**
 * A response that continues after its handler has returned: {@link HttpResponse#stream}. It holds
 * no thread. Any number of threads may call its methods, and none of them blocks.
 *
 * <p>About 64 KiB may wait for a slow client, plus one piece from each thread. {@link #send}
 * returns whether there is room for more, and {@link #onWritable} runs when there is room again.
 *
 * <p>{@link #end()} ends the response. It is dropped by {@link #abort()}, if the client goes away,
 * if a stop of the server runs out of time, and if nothing was sent for the {@linkplain
 * HttpResponse#stream(Duration) idle timeout} while nothing waited for the client.
 *
 * <p>The response to HEAD has ended with its headers. What is sent is counted and dropped until
 * {@link #end()}.
 */
public final class ResponseStream {
  private static final Logger log = Loggers.get(ResponseStream.class);

  /** The same limit as for a response that its handler writes. */
  private static final int HIGH_MARK = 64 * 1024;

  private static final int LOW_MARK = 16 * 1024;

  private final Exchange exchange;
  private final RequestSummary summary;
  private final Loop loop;
  private final long quietNanos;
  private final Consumer<ResponseStream> whenQuiet;
  private final boolean isHead;
  private final long promised;

  // ---- Any thread

  private final Queue<ByteBuffer> mailbox = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean due = new AtomicBoolean();

  /** The bytes in the mailbox. */
  private final AtomicLong waiting = new AtomicLong();

  /** The bytes of the body so far. */
  private final AtomicLong written = new AtomicLong();

  private final CompletableFuture<Void> over = new CompletableFuture<>();
  private volatile @Nullable Sink sink; // written by the loop
  private volatile @Nullable Runnable onWritable;
  private volatile boolean ending;
  private volatile boolean aborting;

  /** Whether a sender was told that there is no room, and not yet that there is room again. */
  private volatile boolean overHigh;

  private volatile long sentAt;

  /** 0 if only the host decides. */
  private volatile long stallNanos;

  // ---- Loop only

  private Loop.@Nullable Timer timer;

  /** Watches the client while something waits for it. */
  private @Nullable WriteStall stall;

  private Loop.@Nullable Timer stallTimer;

  /**
   * Creates a stream.
   *
   * @param summary names the request in the log
   * @param whenQuiet runs on the loop when nothing was sent for {@code quiet} and nothing waits
   * @param promised the length of the body, or -1 if it is not known
   */
  ResponseStream(
      Exchange exchange,
      RequestSummary summary,
      Duration quiet,
      Consumer<ResponseStream> whenQuiet,
      long promised) {
    this.summary = summary;
    this.exchange = exchange;
    this.loop = exchange.loop();
    this.quietNanos = Durations.nanos(quiet);
    this.whenQuiet = whenQuiet;
    this.isHead = exchange.method().equals("HEAD");
    this.promised = promised;
    this.sentAt = loop.nanoTime();
  }

  /** Begins the response with {@code first}, the beginning of its body. */
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
      return; // the client has already gone
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
   * @return whether there is room for more: fewer than 64 KiB wait for the client. If not, {@link
   *     #onWritable} runs when there is
   * @throws IOException if the response has ended, or the client is gone
   * @throws IllegalStateException if there is no room: an earlier call has returned false, and
   *     {@link #onWritable} has not run since; or if the body exceeds the {@code Content-Length}
   */
  public boolean send(ByteBuffer bytes) throws IOException {
    int size = bytes.remaining();
    boolean hasRoom = sendOwn(ByteBuffer.allocate(size).put(0, bytes, bytes.position(), size));
    bytes.position(bytes.limit());
    return hasRoom;
  }

  /** As {@link #send}, for bytes that no longer change. */
  boolean sendOwn(ByteBuffer bytes) throws IOException {
    requireOpen();
    long before = bufferedAmount();
    if (overHigh) { // the amount itself changes all the time
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
      overHigh = true; // after counting, and before the loop is called: see drain()
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
      return; // the response has already ended, with its headers
    }
    Sink open = sink;
    if (over.isDone() || (open != null && !open.isOpen())) {
      throw new IOException(exchange.whyAborted());
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

  /** Has the loop empty the mailbox. One task takes everything that comes before it runs. */
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
    due.set(false); // a piece that comes from now on may still be taken below
    boolean isLast = ending; // read before the mailbox: nothing is added after it is set
    for (ByteBuffer bytes; (bytes = mailbox.poll()) != null; ) {
      int size = bytes.remaining();
      open.write(bytes);
      waiting.addAndGet(-size); // only when the sink counts it, so that it never goes missing
    }
    if (isLast) {
      finish(open);
      return;
    }
    open.flush();
    watchOutput(open);
    tellIfWritable();
  }

  private void watchOutput(Sink open) {
    long limit = stallNanos;
    if (limit > 0 && stall == null && open.pending() > 0) {
      stall = new WriteStall(limit, loop.nanoTime(), open.transmitted());
      lookAtStall();
    }
  }

  private void lookAtStall() {
    Sink open = sink;
    WriteStall watched = stall;
    if (over.isDone() || open == null || watched == null) {
      return;
    }
    long now = loop.nanoTime();
    if (open.pending() == 0) {
      stall = null; // watched again when something waits
    } else if (watched.isStalled(now, open.transmitted())) {
      log.debug(
          "response of request {} dropped: its client took no data for {}",
          exchange.id(),
          Duration.ofNanos(stallNanos));
      abort();
    } else {
      stallTimer = loop.schedule(Duration.ofNanos(watched.due() - now), this::lookAtStall);
    }
  }

  private void tellIfWritable() {
    if (!overHigh || bufferedAmount() >= LOW_MARK) {
      return;
    }
    overHigh = false;
    if (bufferedAmount() >= LOW_MARK) { // a sender was quicker; its bytes bring us back here
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
      log.error("onWritable of request {} failed: {}", exchange.id(), summary, e);
      abort();
    }
  }

  /** Ends the response, or drops it if it is short of its Content-Length. */
  private void finish(Sink open) {
    long sum = written.get();
    if (promised >= 0 && sum < promised) {
      log.error(
          "request {} failed: body of {} bytes is short of its Content-Length of {}: {}",
          exchange.id(),
          sum,
          promised,
          summary);
      exchange.abort();
    } else {
      open.end();
    }
    isOver();
  }

  /**
   * Runs {@code action} on the connection's loop each time there is room again: fewer than 16 KiB
   * wait for the client. A later call replaces the action. If it throws an exception, the response
   * is aborted, and one error line is logged.
   */
  public void onWritable(Runnable action) {
    onWritable = action;
  }

  /**
   * Drops the response if something waits for the client, and it takes nothing for {@code timeout},
   * from the next {@link #send} on. By default, only the host's limits hold.
   *
   * @throws IllegalArgumentException if {@code timeout} is not positive
   */
  public void stallTimeout(Duration timeout) {
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("stallTimeout " + timeout + " is not positive");
    }
    stallNanos = Durations.nanos(timeout);
  }

  /** Returns how many bytes wait for the client. */
  public long bufferedAmount() {
    Sink open = over.isDone() ? null : sink; // after the end, it may serve the next one
    return waiting.get() + (open == null ? 0 : open.pending());
  }

  // ---- The end

  /** Ends the response after what was sent. Further calls have no effect. */
  public void end() {
    ending = true;
    loop.execute(this::drain);
  }

  /**
   * Drops the connection (over HTTP/2, the stream), so that no client takes the response for
   * complete.
   */
  public void abort() {
    aborting = true; // now, or a drain that is already due could still end the response in order
    onLoop(this::drop);
  }

  /** Runs when the client is gone, too: if it has ended only its side, nothing else ends ours. */
  private void drop() {
    if (!over.isDone()) {
      exchange.abort();
      isOver();
    }
  }

  /** Returns whether the response is open: neither side has ended it. */
  public boolean isOpen() {
    return !ending && !aborting && !over.isDone();
  }

  /**
   * Returns a stage that completes when the response has ended, for whatever reason. It never
   * completes exceptionally.
   */
  public CompletionStage<Void> ended() {
    return over.minimalCompletionStage();
  }

  /** Ends this stream: the response is over, or the client is gone. Loop only. */
  private void isOver() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    if (stallTimer != null) {
      stallTimer.cancel();
      stallTimer = null;
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
      sentAt = now; // a slow client is the host's to judge, and no fault of the application
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

  /** Drops a quiet response, as {@link HttpResponse#stream(Duration)} says. */
  void dropQuiet() {
    log.warn(
        "response of request {} dropped: nothing was sent for {}: {}",
        exchange.id(),
        Duration.ofNanos(quietNanos),
        summary);
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

  /** Runs {@code task} on the loop: immediately if this is the loop. */
  void onLoop(Runnable task) {
    if (loop.inLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }
}
