package dev.windhover.http;

/** What an application does by itself: as a {@link Runnable}, but it may throw any exception. */
@FunctionalInterface
public interface Task {
  /**
   * Runs the task.
   *
   * @throws Exception which is logged as an error
   */
  void run() throws Exception;
}
