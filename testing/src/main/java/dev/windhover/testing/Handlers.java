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

/** The threads that run handlers. */
final class Handlers {
  private static final VirtualThreadSchedulerMXBean SCHEDULER =
      ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);

  /**
   * How many times, with no doubt, none must be seen at work. One look at several threads is not a
   * look at one moment: in between, one that was seen waiting may be woken by one that then waits
   * itself. A look takes them in random order, so if there is one at work at any time, it sees none
   * of them with a chance of 1/2 at most, whatever they do.
   */
  private static final int LOOKS = 64;

  private static final long BETWEEN_LOOKS = TimeUnit.MICROSECONDS.toNanos(10);

  /** How long none must have been seen at work when it cannot be told otherwise. */
  private static final long IN_DOUBT = TimeUnit.MILLISECONDS.toNanos(250);

  private final Map<Thread, String> ids = new ConcurrentHashMap<>();
  private final Thread loop;

  Handlers(Thread loop) {
    this.loop = loop;
  }

  Thread start(String id, Runnable task) {
    Thread thread = Thread.ofVirtual().name("request-" + id).unstarted(task);
    ids.put(thread, id);
    thread.start();
    return thread;
  }

  /**
   * Returns null when all have ended or wait for something, the loop too, which may be about to
   * wake one; and one that is still at work when {@link System#nanoTime()} has come to {@code end}.
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
    ids.keySet().removeIf(thread -> thread.getState() == Thread.State.TERMINATED);
    Thread[] threads = Stream.concat(Stream.of(loop), ids.keySet().stream()).toArray(Thread[]::new);
    for (int i = threads.length; i > 0; i--) {
      int drawn = ThreadLocalRandom.current().nextInt(i);
      Thread thread = threads[drawn];
      threads[drawn] = threads[i - 1];
      if (thread.getState() == Thread.State.RUNNABLE && !thread.equals(Thread.currentThread())) {
        return thread;
      }
    }
    return null;
  }

  /**
   * Returns whether one that seems to wait may have been woken. One that was woken while it went to
   * wait shows that only when the scheduler looks at it again, and a lock that became free is
   * passed on by a thread of the JDK. But the scheduler may also run what is no handler, and the
   * lock may belong to one that waits.
   */
  private boolean isInDoubt() {
    return SCHEDULER.getMountedVirtualThreadCount() != 0
        || ids.keySet().stream().anyMatch(thread -> thread.getState() == Thread.State.BLOCKED);
  }

  /** Waits until all have ended; who does not end in time is a fault, and interrupted. */
  void join(Faults faults) {
    ids.forEach((thread, id) -> {
      try {
        if (!thread.join(Duration.ofSeconds(Waiting.SECONDS))) {
          AssertionError stuck = faults.add("the handler of request " + id + " did not end");
          stuck.setStackTrace(thread.getStackTrace());
          thread.interrupt();
        }
        ids.remove(thread);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
  }
}
