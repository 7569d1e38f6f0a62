package dev.windhover.hubs;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Lets the calls of a connection begin in the order in which they came, so many at a time. Calls
 * with streams do not count: they begin when all before them have begun, and then run beside the
 * others.
 *
 * <p>The loop adds calls. A thread that has run one takes the next, so that a client which sends
 * many at once costs one thread, not one for each.
 */
final class CallQueue {
  /** So much waits before the client is not read any more: some calls ahead of those that run. */
  private static final long MOST_WAITING = 32 * 1024;

  /** What a waiting call costs in addition to its message: about that. */
  private static final int CALL_COST = 1024;

  private final int most;
  private final Consumer<Runnable> threads;
  private final Runnable onRoom;

  private final Queue<Call> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicLong waitingCost = new AtomicLong();

  /** How many calls that count are running, or about to. */
  private final AtomicInteger running = new AtomicInteger();

  /** The loop waits for room. */
  private volatile boolean full;

  /**
   * Creates an empty one.
   *
   * @param most how many calls run at a time
   * @param threads starts a thread, which may block
   * @param onRoom is called by any thread, when there is room again
   */
  CallQueue(int most, Consumer<Runnable> threads, Runnable onRoom) {
    this.most = most;
    this.threads = threads;
    this.onRoom = onRoom;
  }

  // ---- The loop's side

  /**
   * Returns whether there is room for a call. Once there was none, there is none until half of it
   * is free, and then {@link #onRoom} says so.
   */
  boolean hasRoom() {
    if (!full && waitingCost.get() < MOST_WAITING) {
      return true;
    }
    full = true; // before looking again: a thread that takes a call looks in the other order
    if (waitingCost.get() > MOST_WAITING / 2) {
      return false;
    }
    full = false;
    return true;
  }

  /** Adds a call whose message has {@code bytes}. */
  void add(Call call, int bytes) {
    call.cost = (long) bytes + CALL_COST;
    waitingCost.addAndGet(call.cost);
    waiting.add(call);
    if (!call.counts()) {
      startUncounted();
    } else if (begin()) {
      startWorker();
    }
  }

  /** Begins a call that the loop runs itself; false if it must wait for others. */
  boolean tryBegin() {
    return waiting.isEmpty() && begin();
  }

  /** A call has ended that {@link #tryBegin} has begun, or that gave up its place. Any thread. */
  void end() {
    running.decrementAndGet();
    if (!waiting.isEmpty() && begin()) {
      startWorker();
    }
  }

  /** Drops the calls that have not begun. Any thread. */
  void clear() {
    for (Call call; (call = waiting.poll()) != null; ) {
      call.dropped();
    }
  }

  /** Returns what the waiting calls cost, in bytes. */
  long waitingCost() {
    return waitingCost.get();
  }

  // ---- The threads' side

  private boolean begin() {
    while (true) {
      int now = running.get();
      if (now >= most) {
        return false;
      }
      if (running.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  private void startWorker() {
    threads.accept(this::work);
  }

  private void work() {
    while (true) {
      Call next = waiting.poll();
      if (next == null) {
        running.decrementAndGet();
        if (waiting.isEmpty() || !begin()) {
          return;
        }
        continue; // one came just now
      }
      taken(next);
      if (!next.counts()) {
        threads.accept(next);
        continue;
      }
      startUncounted();
      next.run();
      if (next.hasReleased()) {
        return; // another thread has its place
      }
    }
  }

  /** Starts those that do not count, as far as all before them have begun. */
  private void startUncounted() {
    for (Call next; (next = waiting.peek()) != null && !next.counts(); ) {
      if (waiting.remove(next)) {
        taken(next);
        threads.accept(next);
      }
    }
  }

  private void taken(Call call) {
    long left = waitingCost.addAndGet(-call.cost);
    if (full && left <= MOST_WAITING / 2) {
      full = false;
      onRoom.run();
    }
  }
}
