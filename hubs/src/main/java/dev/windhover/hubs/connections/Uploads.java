package dev.windhover.hubs.connections;

import dev.windhover.http.host.Loop;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a client posts: one request after the other, and no faster than the listener takes it. The
 * threads of the requests wait here, never a loop.
 */
final class Uploads {
  private final Loop loop;
  private final int bound;

  /** Held by the request whose body is being read; the others wait in order. */
  private final ReentrantLock turn = new ReentrantLock(true);

  private final AtomicLong waiting = new AtomicLong();
  private final Queue<Thread> parked = new ConcurrentLinkedQueue<>();
  private volatile boolean over;

  /**
   * Creates one.
   *
   * @param bound how many bytes may wait for the listener; 0 for any number
   */
  Uploads(Loop loop, int bound) {
    this.loop = loop;
    this.bound = bound;
  }

  /** Waits until the requests before have been read. {@link #leave} must follow. */
  void enter() throws InterruptedException {
    turn.lockInterruptibly();
  }

  void leave() {
    turn.unlock();
  }

  /** Bytes are about to be handed over to the loop. */
  void add(int bytes) {
    waiting.addAndGet(bytes);
  }

  /** Waits while too much waits for the listener, or until the connection is over. */
  void awaitRoom() throws InterruptedException {
    if (bound == 0 || waiting.get() < bound) {
      return;
    }
    Thread self = Thread.currentThread();
    parked.add(self);
    try {
      while (!over && waiting.get() > bound / 2) {
        LockSupport.park(this);
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
    } finally {
      parked.remove(self);
    }
  }

  /** The listener has taken bytes. Loop only. */
  void taken(int bytes) {
    if (waiting.addAndGet(-bytes) <= bound / 2) {
      parked.forEach(loop::unpark);
    }
  }

  /** Nobody takes anything any more. */
  void end() {
    over = true;
    parked.forEach(loop::unpark);
  }
}
