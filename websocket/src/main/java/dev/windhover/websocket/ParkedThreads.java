package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Threads that wait for a condition. Whoever makes it true wakes them, which takes no lock; they
 * look for themselves. Any thread.
 */
final class ParkedThreads {
  /**
   * A thread that waits. A wake-up is noted here, because what the thread does between its look and
   * its parking may park as well, and use up the permit.
   */
  private static final class Waiter {
    final Thread thread = Thread.currentThread();
    volatile boolean woken;

    void park(BooleanSupplier isMet) throws InterruptedException {
      while (true) {
        woken = false;
        if (isMet.getAsBoolean()) {
          return;
        }
        while (!woken) {
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
          LockSupport.park(this);
        }
      }
    }
  }

  private final Queue<Waiter> waiters = new ConcurrentLinkedQueue<>();
  private final Loop loop;

  /** Creates one for threads that {@code loop} wakes most of the time. */
  ParkedThreads(Loop loop) {
    this.loop = loop;
  }

  boolean isEmpty() {
    return waiters.isEmpty();
  }

  /** Waits until {@code isMet} says so, asked by the waiting thread. */
  void await(BooleanSupplier isMet) throws InterruptedException {
    Waiter self = new Waiter();
    waiters.add(self);
    try {
      self.park(isMet);
    } finally {
      waiters.remove(self);
    }
  }

  /**
   * The same, first come first served: only the one that has waited longest asks. It stays the
   * first until it {@linkplain #leave() leaves}, so that what it does meanwhile comes before what
   * the next one does. If this fails, it has left.
   */
  void awaitInTurn(BooleanSupplier isMet) throws InterruptedException {
    Waiter self = new Waiter();
    waiters.add(self);
    boolean isTurn = false;
    try {
      self.park(() -> self.equals(waiters.peek()) && isMet.getAsBoolean());
      isTurn = true;
    } finally {
      if (!isTurn) {
        leave(self);
      }
    }
  }

  /** The turn of the calling thread is over, if it has one. */
  void leave() {
    Waiter first = waiters.peek();
    if (first != null && first.thread.equals(Thread.currentThread())) {
      leave(first);
    }
  }

  private void leave(Waiter waiter) {
    waiters.remove(waiter);
    wakeFirst();
  }

  /** Wakes the one that has waited longest. */
  void wakeFirst() {
    Waiter first = waiters.peek();
    if (first != null) {
      wake(first);
    }
  }

  void wakeAll() {
    waiters.forEach(this::wake);
  }

  private void wake(Waiter waiter) {
    waiter.woken = true;
    loop.unpark(waiter.thread);
  }
}
