package dev.windhover.hubs.connections;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
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
  private static final int PIECE_BYTES = 8192;

  private final ClientConnection connection;

  /** How many bytes may wait for the listener; 0 for any number. */
  private final int bound;

  /** Held by the request whose body is being read; the others wait in order. */
  private final ReentrantLock turn = new ReentrantLock(true);

  private final AtomicLong waiting = new AtomicLong();
  private final Queue<Thread> parked = new ConcurrentLinkedQueue<>();
  private volatile boolean over;

  Uploads(ClientConnection connection) {
    this.connection = connection;
    this.bound = connection.options().applicationMaxBufferSize();
  }

  /**
   * Takes what a client posts, on the thread of its request, which waits while there is too much.
   *
   * @return false if nobody takes it any more
   */
  boolean post(InputStream body) throws IOException, InterruptedException {
    turn.lockInterruptibly();
    try {
      byte[] piece = new byte[PIECE_BYTES];
      for (int n; (n = body.read(piece)) > 0; ) {
        if (connection.isClosing()) {
          return false;
        }
        ByteBuffer bytes = ByteBuffer.wrap(Arrays.copyOf(piece, n));
        waiting.addAndGet(n);
        connection.loop().execute(() -> connection.posted(bytes));
        awaitRoom();
      }
      return true; // even if that was the client's goodbye
    } finally {
      turn.unlock();
    }
  }

  /** Waits while too much waits for the listener, or until the connection is over. */
  private void awaitRoom() throws InterruptedException {
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
      wakeAll();
    }
  }

  /** Nobody takes anything any more. */
  void end() {
    over = true;
    wakeAll();
  }

  private void wakeAll() {
    parked.forEach(connection.loop()::unpark);
  }
}
