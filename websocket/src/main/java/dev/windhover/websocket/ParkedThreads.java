package dev.windhover.websocket;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Threads that wait for a condition. Whoever makes it true wakes them, which takes no lock; they
 * look for themselves. Any thread.
 */
final class ParkedThreads {
  private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();

  boolean isEmpty() {
    return threads.isEmpty();
  }

  /** Waits until {@code isMet} says so, asked by the waiting thread. */
  void await(BooleanSupplier isMet) throws InterruptedException {
    await(isMet, false);
  }

  /** The same, first come first served: only the one that has waited longest asks. */
  void awaitInTurn(BooleanSupplier isMet) throws InterruptedException {
    await(isMet, true);
  }

  private void await(BooleanSupplier isMet, boolean inTurn) throws InterruptedException {
    Thread self = Thread.currentThread();
    threads.add(self);
    try {
      while (!((!inTurn || self.equals(threads.peek())) && isMet.getAsBoolean())) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        LockSupport.park(this);
      }
    } finally {
      threads.remove(self);
      if (inTurn) {
        wakeFirst(); // it may be the next one's turn as well
      }
    }
  }

  /** Wakes the one that has waited longest. */
  void wakeFirst() {
    Thread first = threads.peek();
    if (first != null) {
      LockSupport.unpark(first);
    }
  }

  void wakeAll() {
    threads.forEach(LockSupport::unpark);
  }
}
