package dev.windhover.http.host;

import java.time.Duration;
import java.time.Instant;

/**
 * What a host gives to an application for the tasks that belong to no request: its clock, and
 * threads. Every method may be called from any thread.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Background {
  /** Returns the host's time in nanoseconds since an arbitrary origin. */
  long nanoTime();

  /** Returns the host's time of day. */
  Instant now();

  /** Runs {@code task} after {@code delay}, on a thread of the host: it must not block. */
  Loop.Timer schedule(Duration delay, Runnable task);

  /** Runs {@code task} on a new virtual thread, which may block. */
  Thread start(Runnable task);
}
