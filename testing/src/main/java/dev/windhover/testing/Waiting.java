package dev.windhover.testing;

import dev.windhover.http.host.Durations;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A lock, with waiting for the state that it guards, never longer than a test may take. */
final class Waiting {
  /** Real time: far longer than any step takes, far shorter than a person would wait. */
  static final long SECONDS = 10;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Runs {@code change} under the lock and wakes the threads that wait. */
  void change(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns the result of {@code question}, which runs under the lock. */
  <T extends @Nullable Object> T locked(Supplier<T> question) {
    lock.lock();
    try {
      return question.get();
    } finally {
      lock.unlock();
    }
  }

  /** Returns whether {@code condition}, which is checked under the lock, became true in time. */
  boolean await(BooleanSupplier condition) {
    return await(condition, Duration.ofSeconds(SECONDS));
  }

  boolean await(BooleanSupplier condition, Duration timeout) {
    long end = System.nanoTime() + Durations.nanos(timeout);
    lock.lock();
    try {
      while (!condition.getAsBoolean()) {
        long left = end - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        changed.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting", e);
    } finally {
      lock.unlock();
    }
  }
}
