package dev.windhover.http.host;

/**
 * A thread on which a {@link Loop} runs. Hosts mark theirs with this interface, so that code which
 * any thread may call knows that it must not wait, whichever loop that is.
 */
public interface LoopThread {
  /** Returns whether a loop runs on the calling thread. */
  static boolean isCurrent() {
    return Thread.currentThread() instanceof LoopThread;
  }
}
