package dev.windhover.protocol;

import java.lang.reflect.Method;

/** Counts the bytes that this thread allocates. */
public final class Allocations {
  private static final Object THREADS;
  private static final Method COUNT;

  static {
    // By reflection: the module under test reads java.base only, and its tests are patched into it.
    try {
      THREADS =
          Class.forName("java.lang.management.ManagementFactory")
              .getMethod("getThreadMXBean")
              .invoke(null);
      COUNT =
          Class.forName("com.sun.management.ThreadMXBean")
              .getMethod("getCurrentThreadAllocatedBytes");
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  private Allocations() {}

  /**
   * Returns the least that a run of {@code work} allocates in bytes, after as many warm-up runs as
   * first calls need.
   */
  public static long of(Runnable work) {
    for (int i = 0; i < 20; i++) {
      work.run();
    }
    long overhead = -now() + now();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) { // the JVM may allocate beside, as when it compiles; not each time
      long before = now();
      work.run();
      least = Math.min(least, now() - before - overhead);
    }
    return least;
  }

  private static long now() {
    try {
      return (long) COUNT.invoke(THREADS);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }
}
