package dev.windhover.http.host;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds code of the application that holds a loop: a listener, or a handler that declared itself
 * non-blocking, which computes or waits for long in one call. All other connections of that loop
 * wait for it.
 *
 * <p>A thread of the watch gives each loop small tasks. If one is not run in time, it looks at the
 * loop's thread. It does not judge by the time alone, since on a busy machine any thread may have
 * to wait for a processor that long. Either the thread has used the processor for the whole time
 * without getting any further, or it was seen blocked or waiting at the same place at both ends of
 * it.
 */
public final class LoopWatch {
  /** So often in the threshold's time the loops are looked at. */
  private static final int LOOKS = 4;

  private static final List<String> LIBRARY =
      List.of(
          "java.",
          "jdk.",
          "sun.",
          "io.netty.",
          "dev.windhover.protocol.",
          "dev.windhover.http.",
          "dev.windhover.websocket.",
          "dev.windhover.server.");

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final long threshold;
  private final List<Watched> loops;
  private final Predicate<String> isHost;
  private final Consumer<Held> told;
  private final Set<String> known = new HashSet<>(); // the watch's thread only
  private final Thread thread;
  private volatile boolean stopped;

  /**
   * A loop.
   *
   * @param loop runs tasks on {@code thread}
   * @param steps counts what the loop has done, so that a loop with much to do is not taken for one
   *     that is held; any thread may ask
   */
  public record Loop(Thread thread, Executor loop, LongSupplier steps) {}

  /**
   * Code that holds a loop.
   *
   * @param place the application's class and method that the loop has called
   * @param stack the loop's stack, with the innermost call first
   */
  public record Held(String place, List<StackTraceElement> stack) {
    /** Returns the stack as something that can be logged. */
    public Throwable where() {
      Throwable where = new Throwable("a call of " + place);
      where.setStackTrace(stack.toArray(StackTraceElement[]::new));
      return where;
    }
  }

  private LoopWatch(
      Duration threshold, List<Loop> loops, Predicate<String> isHost, Consumer<Held> told) {
    this.threshold = Durations.nanos(threshold);
    this.loops = loops.stream().map(Watched::new).toList();
    this.isHost = isHost;
    this.told = told;
    this.thread = Thread.ofPlatform().daemon().name("windhover-watch").unstarted(this::run);
  }

  /**
   * Watches {@code loops} until {@link #stop()}.
   *
   * @param threshold how long a call may take
   * @param isHost whether a class of this name belongs to the host, and not to the application
   * @param told called once for each place, on the watch's thread
   */
  public static LoopWatch start(
      Duration threshold, List<Loop> loops, Predicate<String> isHost, Consumer<Held> told) {
    LoopWatch watch = new LoopWatch(threshold, loops, isHost, told);
    watch.thread.start();
    return watch;
  }

  /** Ends the watch. */
  public void stop() {
    stopped = true;
    LockSupport.unpark(thread);
  }

  private void run() {
    while (!stopped) {
      for (Watched loop : loops) {
        loop.look();
      }
      LockSupport.parkNanos(this, threshold / LOOKS);
    }
  }

  private void found(StackTraceElement[] stack) {
    String place = placeIn(stack);
    if (place != null && known.add(place)) {
      told.accept(new Held(place, List.of(stack)));
    }
  }

  /** Returns the first code of the application that the loop has called; null if there is none. */
  private @Nullable String placeIn(StackTraceElement[] stack) {
    for (int i = stack.length - 1; i >= 0; i--) {
      String name = stack[i].getClassName();
      if (!isHost.test(name) && LIBRARY.stream().noneMatch(name::startsWith)) {
        return name + "." + stack[i].getMethodName();
      }
    }
    return null;
  }

  /** One of the loops, as the watch has seen it last. */
  private final class Watched {
    private final Loop loop;
    private volatile boolean answered = true;

    // The watch's thread only.
    private long steps;
    private long cpu;
    private int looksAtWaiting;
    private StackTraceElement @Nullable [] waiting;

    Watched(Loop loop) {
      this.loop = loop;
    }

    void look() {
      long stepsNow = loop.steps().getAsLong();
      if (answered || stepsNow != steps) {
        begin(stepsNow);
      } else if (threads.getThreadCpuTime(loop.thread().threadId()) - cpu >= threshold) {
        found(loop.thread().getStackTrace());
      } else {
        lookAtWaiting();
      }
    }

    private void begin(long stepsNow) {
      steps = stepsNow;
      cpu = threads.getThreadCpuTime(loop.thread().threadId());
      waiting = null;
      if (answered) {
        answered = false;
        try {
          loop.loop().execute(() -> answered = true);
        } catch (RejectedExecutionException e) {
          stopped = true; // the loops have ended
        }
      }
    }

    private void lookAtWaiting() {
      Thread.State state = loop.thread().getState();
      StackTraceElement[] stack = loop.thread().getStackTrace();
      if (!isWaiting(state, stack)) {
        waiting = null;
      } else if (waiting == null || !Arrays.equals(waiting, stack)) {
        waiting = stack;
        looksAtWaiting = 0;
      } else if (++looksAtWaiting >= LOOKS) {
        found(stack);
      }
    }

    /** To the JVM, a thread that waits for the network is running. */
    private static boolean isWaiting(Thread.State state, StackTraceElement[] stack) {
      return switch (state) {
        case BLOCKED, WAITING, TIMED_WAITING -> true;
        case RUNNABLE ->
            stack.length > 0
                && stack[0].isNativeMethod()
                && stack[0].getClassName().startsWith("sun.nio.ch.");
        case NEW, TERMINATED -> false;
      };
    }
  }
}
