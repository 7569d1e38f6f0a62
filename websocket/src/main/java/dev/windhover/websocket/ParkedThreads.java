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
  private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();
  private final Loop loop;

  /** Creates one for threads that {@code loop} wakes most of the time. */
  ParkedThreads(Loop loop) {
    this.loop = loop;
  }

  boolean isEmpty() {
    return threads.isEmpty();
  }

  /** Waits until {@code isMet} says so, asked by the waiting thread. */
  void await(BooleanSupplier isMet) throws InterruptedException {
    Thread self = Thread.currentThread();
    threads.add(self);
    try {
      park(isMet);
    } finally {
      threads.remove(self);
    }
  }

  /**
   * The same, first come first served: only the one that has waited longest asks. It stays the
   * first until it {@linkplain #leave() leaves}, so that what it does meanwhile comes before what
   * the next one does. If this fails, it has left.
   */
  void awaitInTurn(BooleanSupplier isMet) throws InterruptedException {
    Thread self = Thread.currentThread();
    threads.add(self);
    boolean isTurn = false;
    try {
      park(() -> self.equals(threads.peek()) && isMet.getAsBoolean());
      isTurn = true;
    } finally {
      if (!isTurn) {
        leave();
      }
    }
  }

  /** The turn of the calling thread is over, if it has one. */
  void leave() {
    if (threads.remove(Thread.currentThread())) {
      wakeFirst();
    }
  }

  private void park(BooleanSupplier isMet) throws InterruptedException {
    while (!isMet.getAsBoolean()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      LockSupport.park(this);
    }
  }

  /** Wakes the one that has waited longest. */
  void wakeFirst() {
    Thread first = threads.peek();
    if (first != null) {
      loop.unpark(first);
    }
  }

  void wakeAll() {
    threads.forEach(loop::unpark);
  }
}
