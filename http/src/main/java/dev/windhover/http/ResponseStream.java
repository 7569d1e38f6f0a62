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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A response that goes on after its handler has returned: {@link HttpResponse#stream}. It holds no
 * thread. Any thread may send, in any number; nothing here blocks.
 *
 * <p>At most 64 KiB and one piece more wait for a slow client: {@link #send} says whether there is
 * room for more, and {@link #onWritable} tells when there is again. The response is ended by {@link
 * #end()}, or dropped: by {@link #abort()}, by the client, by a stop of the server that outlasts
 * its time limit, or if nothing is sent for as long as {@linkplain HttpResponse#stream(Duration)
 * was said}.
 */
public final class ResponseStream {
  private static final Logger log = LoggerFactory.getLogger(ResponseStream.class);

  /** As much as a response whose handler writes it lets wait. */
  private static final int HIGH_MARK = 64 * 1024;

  private static final int LOW_MARK = 16 * 1024;

  private final Exchange exchange;
  private final Loop loop;
  private final long idleNanos;
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
  private volatile @Nullable Sink sink;
  private volatile @Nullable Runnable onWritable;
  private volatile boolean ending;
  private volatile boolean overHigh;
  private volatile long sentAt;

  // ---- Loop only

  private Loop.@Nullable Timer timer;

  ResponseStream(Exchange exchange, Duration idleTimeout, long promised) {
    this.exchange = exchange;
    this.loop = exchange.loop();
    this.idleNanos = idleTimeout.toNanos();
    this.isHead = exchange.method().equals("HEAD");
    this.promised = promised;
    this.sentAt = loop.nanoTime();
    exchange.aborted().thenRun(() -> onLoop(this::isOver));
  }

  /** Begins the response with {@code first} of its body. */
  void begin(int status, Headers headers, @Nullable ByteBuffer first) {
    Headers kept = new Headers(headers);
    if (first != null) {
      count(first.remaining());
    }
    onLoop(() -> {
      Sink opened = exchange.respond(status, kept, promised);
      sink = opened;
      opened.mark(LOW_MARK, this::drain);
      if (first != null && !isHead) {
        opened.write(first);
      }
      timer = loop.schedule(Duration.ofNanos(idleNanos), this::lookAtIdleness);
      drain();
    });
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
    if (ending || over.isDone()) {
      throw new IOException("the response has ended");
    }
    long waits = bufferedAmount();
    if (waits >= HIGH_MARK && overHigh) {
      throw new IllegalStateException(
          "response of " + waits + " waiting bytes has no room; wait for onWritable");
    }
    int size = bytes.remaining();
    count(size);
    sentAt = loop.nanoTime();
    if (isHead) {
      bytes.position(bytes.limit());
      return true;
    }
    waits += size;
    boolean hasRoom = waits < HIGH_MARK;
    overHigh |= !hasRoom;
    waiting.addAndGet(size);
    mailbox.add(ByteBuffer.allocate(size).put(bytes).flip());
    hand();
    return hasRoom;
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
    if (open == null || over.isDone()) {
      return;
    }
    due.set(false); // what comes from now on may be taken here all the same
    boolean isLast = ending; // asked before the mailbox: nothing is sent after it
    for (ByteBuffer bytes; (bytes = mailbox.poll()) != null; ) {
      waiting.addAndGet(-bytes.remaining());
      open.write(bytes);
    }
    open.flush();
    if (isLast) {
      finish(open);
    } else if (overHigh && bufferedAmount() < LOW_MARK) {
      overHigh = false;
      Runnable action = onWritable;
      if (action != null) {
        action.run();
      }
    }
  }

  private void finish(Sink open) {
    if (promised >= 0 && written.get() < promised) {
      log.error(
          "response of request {} ended after {} of {} bytes",
          exchange.id(),
          written.get(),
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
    Sink open = sink;
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
    ending = true;
    onLoop(() -> {
      if (!over.isDone()) {
        exchange.abort();
        isOver();
      }
    });
  }

  /** Returns whether neither side has ended it. */
  public boolean isOpen() {
    return !ending && !over.isDone();
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

  private void lookAtIdleness() {
    timer = null;
    if (over.isDone()) {
      return;
    }
    long left = sentAt + idleNanos - loop.nanoTime();
    if (left > 0) {
      timer = loop.schedule(Duration.ofNanos(left), this::lookAtIdleness);
      return;
    }
    log.warn(
        "response of request {} dropped: nothing was sent for {}",
        exchange.id(),
        Duration.ofNanos(idleNanos));
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

  private void onLoop(Runnable task) {
    if (loop.inLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }
}
