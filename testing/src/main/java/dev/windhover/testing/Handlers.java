package dev.windhover.testing;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import jdk.management.VirtualThreadSchedulerMXBean;
import org.jspecify.annotations.Nullable;

/** The threads that run handlers, and the application's own tasks. */
final class Handlers {
  private static final VirtualThreadSchedulerMXBean SCHEDULER =
      ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);

  /**
   * How many times in a row, without doubt, no thread must be seen running. Looking at several
   * threads is not a snapshot: a thread that was seen waiting may then be woken by another one,
   * which in turn waits before it is looked at. Each look takes the threads in random order. So if
   * one of them is always running, a look misses it with a probability of at most 1/2, whatever the
   * threads do.
   */
  private static final int LOOKS = 64;

  private static final long BETWEEN_LOOKS = TimeUnit.MICROSECONDS.toNanos(10);

  /** In case of doubt, for how long no thread must be seen running. */
  private static final long IN_DOUBT = TimeUnit.MILLISECONDS.toNanos(250);

  /** What each thread runs. */
  private final Map<Thread, String> threads = new ConcurrentHashMap<>();

  private final Thread loop;

  Handlers(Thread loop) {
    this.loop = loop;
  }

  Thread start(String id, Runnable task) {
    return start("request-" + id, "the handler of request " + id, task);
  }

  Thread startTask(Runnable task) {
    return start("task", "a task of the application", task);
  }

  Thread startHandler(String name, Runnable task) {
    return start(name, "the handler " + name, task);
  }

  private Thread start(String name, String what, Runnable task) {
    Thread thread = Thread.ofVirtual().name(name).unstarted(task);
    threads.put(thread, what);
    thread.start();
    return thread;
  }

  /**
   * Returns null when all threads have ended or wait for something, including the loop, which might
   * otherwise wake one. If one is still running when {@link System#nanoTime()} reaches {@code end},
   * returns that thread.
   */
  @Nullable Thread awaitIdle(long end) {
    long worked = System.nanoTime();
    for (int looks = 0; looks < LOOKS; ) {
      Thread busy = oneAtWork();
      long now = System.nanoTime();
      if (busy != null) {
        if (now - end > 0) {
          return busy;
        }
        worked = now;
        looks = 0;
        LockSupport.parkNanos(BETWEEN_LOOKS);
      } else if (isInDoubt() && now - worked < IN_DOUBT) {
        LockSupport.parkNanos(BETWEEN_LOOKS);
      } else {
        looks++;
      }
    }
    return null;
  }

  private @Nullable Thread oneAtWork() {
    threads.keySet().removeIf(thread -> thread.getState() == Thread.State.TERMINATED);
    Thread[] all = Stream.concat(Stream.of(loop), threads.keySet().stream()).toArray(Thread[]::new);
    for (int i = all.length; i > 0; i--) {
      int drawn = ThreadLocalRandom.current().nextInt(i);
      Thread thread = all[drawn];
      all[drawn] = all[i - 1];
      if (thread.getState() == Thread.State.RUNNABLE && !thread.equals(Thread.currentThread())) {
        return thread;
      }
    }
    return null;
  }

  /**
   * Returns whether a thread that seems to wait may already have been woken. If it was woken while
   * it was about to wait, that shows only when the scheduler runs it again, and a thread of the JDK
   * passes on a lock that has become free. But the scheduler may also run threads that are not
   * handlers, and the lock may belong to a thread that waits.
   */
  private boolean isInDoubt() {
    return SCHEDULER.getMountedVirtualThreadCount() != 0
        || threads.keySet().stream().anyMatch(thread -> thread.getState() == Thread.State.BLOCKED);
  }

  /**
   * Waits until all handlers have ended. A handler that does not end in time is a fault and is
   * interrupted.
   */
  void join(Faults faults) {
    threads.forEach((thread, what) -> {
      try {
        if (!thread.join(Duration.ofSeconds(Waiting.SECONDS))) {
          AssertionError stuck = faults.add(what + " did not end");
          stuck.setStackTrace(thread.getStackTrace());
          thread.interrupt();
        }
        threads.remove(thread);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
  }
}
