package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Sink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Carries a response from the thread that writes it to the sink, which belongs to the loop. On the
 * loop, everything goes straight into the sink. Any other thread hands it over through a mailbox
 * without a lock. It parks when the limit of waiting bytes is reached, and the loop wakes it when
 * there is room.
 */
final class ResponseOutput {
  /** How many bytes may wait for the client before the writer has to wait. */
  private static final int MOST_WAITING = 64 * 1024;

  /** A large body is copied in pieces of this size, as the client takes it. */
  private static final int PIECE_BYTES = 16 * 1024;

  /** What other threads have handed over, in order. The loop takes all of it in one turn. */
  private static final class Mailbox {
    final Queue<Runnable> messages = new ConcurrentLinkedQueue<>();
    final AtomicBoolean due = new AtomicBoolean();

    /** The bytes of the body in it. */
    final AtomicLong bytes = new AtomicLong();
  }

  private final Exchange exchange;
  private volatile @Nullable Sink sink; // written by the loop
  private @Nullable Mailbox mailbox; // created before anything is handed over
  private volatile @Nullable Thread waiting;
  private boolean ended; // loop only

  ResponseOutput(Exchange exchange) {
    this.exchange = exchange;
  }

  private boolean inLoop() {
    return exchange.loop().inLoop();
  }

  /**
   * Begins the response with {@code first}, the beginning of its body, which belongs to the loop
   * from now on.
   *
   * @param last whether {@code first} is the whole body
   */
  void begin(
      int status, Headers headers, long contentLength, @Nullable ByteBuffer first, boolean last) {
    if (inLoop()) {
      open(status, headers, contentLength, first, last);
      return;
    }
    Headers kept = new Headers(headers);
    if (last) { // the usual case needs no mailbox
      exchange.loop().execute(() -> open(status, kept, contentLength, first, true));
    } else {
      mailbox = new Mailbox();
      hand(
          first == null ? 0 : first.remaining(),
          () -> open(status, kept, contentLength, first, false));
    }
  }

  private void open(
      int status, Headers headers, long contentLength, @Nullable ByteBuffer first, boolean last) {
    Sink opened = exchange.respond(status, headers, contentLength);
    sink = opened;
    if (first != null) {
      opened.write(first);
    }
    if (last) {
      opened.end();
    }
  }

  /**
   * Sends a piece of the body. On the loop this never waits; any other thread waits for room.
   *
   * @throws IOException if the client is gone
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  void write(ByteBuffer bytes) throws IOException, InterruptedException {
    requireOpen();
    if (inLoop()) {
      drain();
      sink().write(bytes);
      return;
    }
    while (bytes.hasRemaining()) {
      awaitRoom();
      int size = Math.min(bytes.remaining(), PIECE_BYTES);
      ByteBuffer piece = ByteBuffer.allocate(size);
      piece.put(0, bytes, bytes.position(), size);
      bytes.position(bytes.position() + size);
      hand(size, () -> sink().write(piece));
    }
  }

  /**
   * Sends part of a file, and releases the file afterwards.
   *
   * @throws IOException if the client is gone
   */
  void writeFile(OpenFile file, long position, long count) throws IOException {
    try {
      requireOpen();
    } catch (IOException e) {
      file.release();
      throw e;
    }
    hand(0, () -> sink().writeFile(file.channel(), position, count, file::release));
  }

  void flush() {
    hand(0, () -> sink().flush());
  }

  void end() {
    hand(
        0,
        () -> {
          ended = true;
          sink().end();
        });
  }

  private Sink sink() {
    Sink open = sink;
    if (open == null) {
      throw new IllegalStateException("the response has not started");
    }
    return open;
  }

  private void requireOpen() throws IOException {
    Sink open = sink;
    if (open != null && !open.isOpen()) {
      throw new IOException(exchange.whyAborted());
    }
  }

  // ---- Between the threads

  /** Runs {@code message} on the loop: immediately if this is the loop, otherwise in its turn. */
  private void hand(int size, Runnable message) {
    Mailbox known = mailbox;
    if (inLoop()) {
      drain();
      message.run();
      return;
    }
    if (known == null) { // the response began on the loop
      known = new Mailbox();
      mailbox = known;
    }
    Mailbox box = known;
    box.bytes.addAndGet(size);
    box.messages.add(
        size == 0
            ? message
            : () -> {
              message.run();
              box.bytes.addAndGet(-size);
            });
    if (box.due.compareAndSet(false, true)) {
      exchange.loop().execute(this::drain);
    }
  }

  private void drain() {
    Mailbox box = mailbox;
    if (box == null) {
      return;
    }
    box.due.set(false); // a message that comes from now on may still be taken below
    for (Runnable message; (message = box.messages.poll()) != null; ) {
      message.run();
    }
    Sink open = sink;
    if (open != null && !ended) {
      open.flush(); // a body is sent as it is written
    }
    wakeIfRoom();
  }

  private boolean hasRoom() {
    Sink open = sink;
    Mailbox box = mailbox;
    long handed = box == null ? 0 : box.bytes.get();
    return open == null ? handed < MOST_WAITING : isRoomIn(open, handed);
  }

  private static boolean isRoomIn(Sink open, long handed) {
    return handed + open.pending() < MOST_WAITING || !open.isOpen();
  }

  private void wakeIfRoom() {
    Thread writer = waiting;
    if (writer != null && hasRoom()) {
      exchange.loop().unpark(writer);
    }
  }

  /** Waits until there is room, off the loop. */
  private void awaitRoom() throws IOException, InterruptedException {
    if (!hasRoom()) {
      waiting = Thread.currentThread();
      try {
        hand(
            0,
            () -> {
              sink().mark(MOST_WAITING, this::wakeIfRoom);
              sink().flush();
            });
        while (!hasRoom()) {
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
          LockSupport.park(this);
        }
      } finally {
        waiting = null;
      }
    }
    requireOpen();
  }
}
