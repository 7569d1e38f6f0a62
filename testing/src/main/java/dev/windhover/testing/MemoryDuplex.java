package dev.windhover.testing;

import dev.windhover.http.host.Duplex;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Two byte streams in memory, as harsh as the seam allows: what is lent is poisoned afterwards,
 * what is reserved is not a byte larger than asked for, and every breach of the contract is a
 * fault.
 */
final class MemoryDuplex implements Duplex {
  private static final byte POISON = (byte) 0xDD;

  /** Bytes before and after a range that is lent or reserved, to catch code that counts from 0. */
  private static final int MARGIN = 5;

  /** The other end, which is called on the loop. */
  interface Peer {
    /** Bytes have come. */
    void received(ByteBuffer bytes);

    /** The server's direction has ended. */
    void ended();

    /** The server has dropped the connection. */
    void dropped();

    /** The connection was dropped because this end wanted that. */
    void gone();
  }

  private final String id;
  private final MemoryLoop loop;
  private final Faults faults;
  private final Peer peer;
  private final Runnable onLost;
  private final Receiver receiver;
  private final AtomicLong pending = new AtomicLong();

  // Loop only: input.
  private final Deque<ByteBuffer> arriving = new ArrayDeque<>();
  private boolean open;
  private boolean reading = true;
  private boolean delivering;
  private boolean peerEnded;
  private boolean peerEndTold;
  private long lends;
  private long delivered;
  private long credited;

  // Loop only: output.
  private final Deque<ByteBuffer> output = new ArrayDeque<>();
  private @Nullable ByteBuffer reserved;
  private long flushed;
  private long window = Long.MAX_VALUE;
  private long transmitted;
  private long mark = Long.MAX_VALUE;
  private Runnable belowMark = () -> {};
  private boolean markReached;
  private boolean ended;
  private boolean endSent;
  private volatile boolean aborted;
  private volatile boolean lost;
  private long untilLoss = Long.MAX_VALUE;
  private boolean losesInside;
  private boolean overruns;
  private long flushes;

  MemoryDuplex(
      String id, MemoryLoop loop, Faults faults, Peer peer, Runnable onLost, Receiver receiver) {
    this.id = id;
    this.loop = loop;
    this.faults = faults;
    this.peer = peer;
    this.onLost = onLost;
    this.receiver = receiver;
  }

  // ---- The client's side, on the loop

  void open() {
    open = true;
    receiver.onOpen(this);
    flushIfAlive();
    deliver();
  }

  /** Delivers bytes; each call is a read and a batch of its own. */
  void arrive(ByteBuffer bytes) {
    arriving.add(bytes);
    deliver();
  }

  void peerEnds() {
    peerEnded = true;
    deliver();
  }

  void peerResets() {
    lose("the peer reset the connection");
  }

  /** The peer takes {@code bytes} more, then resets the connection. */
  void resetAfter(long bytes) {
    untilLoss = bytes;
    losesInside = false;
    loseIfNoneLeft();
  }

  /** As {@link #resetAfter}, but the server notices the reset inside the call of flush. */
  void failWriteAfter(long bytes) {
    untilLoss = bytes;
    losesInside = true;
  }

  private void loseIfNoneLeft() {
    if (untilLoss == 0 && !losesInside) {
      loop.execute(() -> {
        peer.gone();
        peerResets();
      });
    }
  }

  /**
   * From now on, delivers bytes even if the receiver has paused, as if they had been on their way.
   */
  void overrun() {
    overruns = true;
  }

  /** The peer takes {@code bytes} more, and no more than that. */
  void window(long bytes) {
    window = bytes;
    transfer();
  }

  /** Returns the delivered bytes for which no credit came back. */
  long uncredited() {
    return delivered - credited;
  }

  boolean isReading() {
    return reading;
  }

  /** Returns the bytes that have arrived and were not delivered. */
  long undelivered() {
    return arriving.stream().mapToLong(ByteBuffer::remaining).sum();
  }

  /** Returns how many times output was flushed, not counting flushes without output. */
  long flushes() {
    return flushes;
  }

  private void deliver() {
    if (!open || delivering) {
      return;
    }
    delivering = true;
    try {
      while (!lost && !arriving.isEmpty() && (reading || overruns)) {
        lend(arriving.remove());
        receiver.onBatchEnd();
        flushIfAlive();
      }
    } finally {
      delivering = false;
    }
    if ((reading || overruns) && !lost && arriving.isEmpty() && peerEnded && !peerEndTold) {
      peerEndTold = true;
      receiver.onEnd();
      flushIfAlive();
      endIfBothDid();
    }
  }

  private void lend(ByteBuffer bytes) {
    int size = bytes.remaining();
    int capacity = size + 2 * MARGIN;
    ByteBuffer lent =
        ++lends % 2 == 0 ? ByteBuffer.allocate(capacity) : ByteBuffer.allocateDirect(capacity);
    poison(lent);
    lent.put(MARGIN, bytes, bytes.position(), size);
    lent.position(MARGIN).limit(MARGIN + size);
    delivered += size;
    receiver.onBytes(lent);
    if (lent.hasRemaining() && !lost && !aborted) {
      throw faults.add("the receiver left " + lent.remaining() + " of the delivered bytes");
    }
    poison(lent.clear());
  }

  private static void poison(ByteBuffer memory) {
    for (int i = 0; i < memory.capacity(); i++) {
      memory.put(i, POISON);
    }
  }

  void lose(String why) {
    if (lost) {
      return;
    }
    lost = true;
    arriving.clear();
    dropOutput();
    receiver.onLost(why);
    onLost.run();
  }

  private void dropOutput() {
    output.clear();
    reserved = null;
    flushed = 0;
    pending.set(0);
  }

  // ---- The seam

  @Override
  public String id() {
    return id;
  }

  @Override
  public MemoryLoop loop() {
    return loop;
  }

  @Override
  public void pause() {
    require("pause");
    reading = false;
  }

  @Override
  public void resume() {
    require("resume");
    reading = true;
    loop.execute(this::deliver);
  }

  @Override
  public void consumed(int bytes) {
    require("consumed");
    if (bytes < 0) {
      throw faults.add("credit of " + bytes + " bytes");
    }
    credited += bytes;
    if (credited > delivered && !lost) {
      throw faults.add("credit for " + credited + " bytes, but only " + delivered + " came");
    }
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    requireOutput("reserve");
    int capacity = bytes + 2 * MARGIN;
    ByteBuffer room =
        ++lends % 2 == 0 ? ByteBuffer.allocate(capacity) : ByteBuffer.allocateDirect(capacity);
    poison(room);
    reserved = room.position(MARGIN).limit(MARGIN + bytes);
    return room;
  }

  @Override
  public void commit() {
    ByteBuffer room = reserved;
    reserved = null;
    requireOutput("commit");
    if (room == null) {
      throw faults.add("commit without a reserve");
    }
    int end = room.position();
    append(room.limit(end).position(MARGIN));
    poison(room.clear());
  }

  @Override
  public void write(ByteBuffer bytes) {
    requireOutput("write");
    append(bytes);
  }

  @Override
  public void writeFile(FileChannel file, long position, long count, Runnable release) {
    requireOutput("writeFile");
    throw faults.add("a file was written to a duplex");
  }

  private void append(ByteBuffer bytes) {
    ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
    if (copy.hasRemaining()) {
      output.add(copy);
      markReached |= pending.addAndGet(copy.remaining()) >= mark;
    }
  }

  @Override
  public void flush() {
    require("flush");
    flushes += pending.get() > flushed ? 1 : 0;
    flushed = pending.get();
    transfer();
    if (untilLoss == 0 && losesInside) {
      peer.gone();
      lose("a write failed");
    }
  }

  private void flushIfAlive() {
    if (!lost && !aborted) {
      flush();
    }
  }

  /** Moves flushed bytes to the peer, as many as it takes. */
  private void transfer() {
    long left = untilLoss;
    while (Math.min(window, untilLoss) > 0 && flushed > 0) {
      ByteBuffer first = Objects.requireNonNull(output.peek());
      long most = Math.min(window, untilLoss);
      int n = (int) Math.min(Math.min(most, flushed), first.remaining());
      ByteBuffer taken = ByteBuffer.allocate(n).put(0, first, first.position(), n);
      first.position(first.position() + n);
      if (!first.hasRemaining()) {
        output.remove();
      }
      window = window == Long.MAX_VALUE ? window : window - n;
      untilLoss = untilLoss == Long.MAX_VALUE ? untilLoss : untilLoss - n;
      flushed -= n;
      transmitted += n;
      pending.addAndGet(-n);
      peer.received(taken);
    }
    if (untilLoss < left) {
      loseIfNoneLeft();
    }
    if (markReached && pending.get() < mark) {
      markReached = false;
      belowMark.run();
      flushIfAlive();
    }
    if (ended && !endSent && !lost && !aborted && pending.get() == 0) {
      endSent = true;
      peer.ended();
      endIfBothDid();
    }
  }

  private void endIfBothDid() {
    if (endSent && peerEndTold) {
      loop.execute(() -> lose("the connection was closed"));
    }
  }

  @Override
  public long pending() {
    return pending.get();
  }

  @Override
  public void mark(int bytes, Runnable belowAgain) {
    require("mark");
    mark = bytes;
    belowMark = belowAgain;
    markReached = pending.get() >= mark;
  }

  @Override
  public boolean isOpen() {
    return !lost && !aborted;
  }

  @Override
  public long transmitted() {
    require("transmitted");
    return transmitted;
  }

  @Override
  public void end() {
    require("end");
    if (ended || lost || aborted) {
      return;
    }
    ended = true;
    flush();
    reading = true; // to see the peer's end
    loop.execute(this::deliver);
  }

  @Override
  public void abort() {
    require("abort");
    if (lost || aborted) {
      return;
    }
    aborted = true;
    dropOutput();
    peer.dropped();
    loop.execute(() -> lose("aborted"));
  }

  private void require(String call) {
    if (!loop.inLoop()) {
      throw faults.add(call + " off the loop, on " + Thread.currentThread());
    }
    if (reserved != null) {
      throw faults.add(call + " between reserve and commit");
    }
  }

  private void requireOutput(String call) {
    require(call);
    if (!open) {
      throw faults.add(call + " before the request is answered");
    }
    if (ended || aborted || lost) {
      throw faults.add(call + " after " + (ended ? "end" : aborted ? "abort" : "onLost"));
    }
  }
}
