package dev.windhover.testing;

import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** Work that a test does on a thread of its own because it may block. */
final class Background<T> {
  private final FutureTask<T> task;
  private final Thread thread;

  private Background(Callable<T> work) {
    this.task = new FutureTask<>(work);
    this.thread = Thread.ofVirtual().start(task);
  }

  static <T> Background<T> start(Callable<T> work) {
    return new Background<>(work);
  }

  /**
   * Waits until the socket has parked the thread, not just a lock. Nothing signals that, so this
   * polls.
   */
  Background<T> awaitBlocked() {
    return awaitBlocked(Background::isParkedBySocket);
  }

  private static boolean isParkedBySocket(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .filter(frame -> !frame.getClassName().startsWith("java."))
        .findFirst()
        .filter(frame -> frame.getClassName().startsWith("dev.windhover.websocket."))
        .filter(_ ->
            Arrays.stream(stack)
                .noneMatch(frame -> frame.getClassName().contains("AbstractQueuedSynchronizer")))
        .isPresent();
  }

  /** Waits until the thread waits inside of a class with that name's end. */
  Background<T> awaitBlockedIn(String className) {
    return awaitBlocked(
        stack -> Arrays.stream(stack).anyMatch(frame -> frame.getClassName().endsWith(className)));
  }

  private Background<T> awaitBlocked(Predicate<StackTraceElement[]> isBlocked) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!waits(isBlocked)) {
      if (thread.getState() == Thread.State.TERMINATED || System.nanoTime() - end > 0) {
        throw new AssertionError("the thread does not wait but is " + thread.getState());
      }
      Thread.onSpinWait();
    }
    return this;
  }

  private boolean waits(Predicate<StackTraceElement[]> isBlocked) {
    Thread.State state = thread.getState();
    return (state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING)
        && isBlocked.test(thread.getStackTrace());
  }

  long threadId() {
    return thread.threadId();
  }

  void interrupt() {
    thread.interrupt();
  }

  boolean isDone() {
    return task.isDone();
  }

  /** Returns the result. */
  T join() throws Exception {
    try {
      return task.get(10, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception failure) {
        throw failure;
      }
      throw new AssertionError(e.getCause());
    } catch (TimeoutException e) {
      AssertionError stuck = new AssertionError("the thread did not end in time", e);
      stuck.setStackTrace(thread.getStackTrace());
      throw stuck;
    }
  }
}
