package dev.windhover.hubs.redis;

import dev.windhover.http.host.Loggers;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;

/**
 * Delivers to clients, in order, on a thread of its own: delivering waits for event loops that are
 * busy, and the thread that reads from Redis must not. Any thread.
 */
final class Inbound {
  private static final Logger log = Loggers.get(Inbound.class);
  private static final long IDLE = Duration.ofSeconds(1).toNanos();

  private record Task(Runnable work, long bytes) {}

  private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicLong waiting = new AtomicLong();
  private final long most;
  private final Thread thread;
  private volatile boolean isParked;
  private volatile boolean isClosed;

  /** Creates one that takes up to {@code most} bytes. */
  Inbound(long most) {
    this.most = most;
    this.thread = Thread.ofPlatform().daemon().name("windhover-redis-in").start(this::run);
  }

  /** Delivers {@code work} that keeps so many bytes; returns false if there is no room. */
  boolean offer(long bytes, Runnable work) {
    if (waiting.addAndGet(bytes) > most && waiting.get() > bytes) {
      waiting.addAndGet(-bytes);
      return false;
    }
    add(new Task(work, bytes));
    return true;
  }

  /** Delivers {@code work}, whose memory counts elsewhere. */
  void execute(Runnable work) {
    add(new Task(work, 0));
  }

  private void add(Task task) {
    tasks.add(task);
    if (isParked) {
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    while (!isClosed) {
      Task task = tasks.poll();
      if (task == null) {
        isParked = true;
        if (tasks.isEmpty()) {
          LockSupport.parkNanos(this, IDLE);
        }
        isParked = false;
        continue;
      }
      run(task);
    }
  }

  private void run(Task task) {
    try {
      task.work().run();
    } catch (Throwable e) { // without this thread, nothing would be delivered any more
      log.error("a message of another server could not be delivered", e);
    } finally {
      waiting.addAndGet(-task.bytes());
    }
  }

  /** Delivers nothing any more. */
  void close() {
    isClosed = true;
    LockSupport.unpark(thread);
  }
}
