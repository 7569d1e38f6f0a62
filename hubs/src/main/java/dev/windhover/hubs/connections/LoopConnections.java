package dev.windhover.hubs.connections;

import dev.windhover.http.host.Durations;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.hubs.connections.ConnectionEnding.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint's connections on one loop. One look a second is for all of those that have a time
 * limit. Loop only, except for {@link #fanOut} and {@link #memory}.
 */
final class LoopConnections {
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Fewer than a thousand connections of a loop need not be spread over 5 s. */
  private static final Duration MOST_BETWEEN_CLOSES = Duration.ofMillis(5);

  private final Loop loop;
  private final FanOut fanOut;
  private final MemoryBudget memory;
  private final Set<ClientConnection> open = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Timed> timed = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean isLooking;
  private @Nullable CompletableFuture<Void> drained;

  LoopConnections(Loop loop, FanOut fanOut, MemoryBudget memory) {
    this.loop = loop;
    this.fanOut = fanOut;
    this.memory = memory;
  }

  Loop loop() {
    return loop;
  }

  /** Returns what orders what is sent to connections of this loop; any thread. */
  FanOut fanOut() {
    return fanOut;
  }

  /** Returns the budget of the loop's host; any thread. */
  MemoryBudget memory() {
    return memory;
  }

  /** A connection has been opened. */
  void opened(ClientConnection connection) {
    open.add(connection);
  }

  /** Its listener has been told of its end. */
  void ended(ClientConnection connection) {
    open.remove(connection);
    tellIfDrained();
  }

  // ---- Stopping

  /**
   * Closes all connections, one after the other, so that their clients do not come back all at
   * once.
   *
   * @param time over how long they are spread, if they are many
   * @param drained completes when the last one has ended
   */
  void drain(Duration time, CompletableFuture<Void> drained) {
    this.drained = drained;
    List<ClientConnection> all = new ArrayList<>(open);
    all.removeIf(each -> {
      boolean nobodyWaits = !each.isAlive();
      if (nobodyWaits) {
        each.closeOrderly(Status.APP_SHUTDOWN);
      }
      return nobodyWaits;
    });
    Collections.shuffle(all);
    long step =
        Math.min(Durations.nanos(time) / Math.max(all.size(), 1), MOST_BETWEEN_CLOSES.toNanos());
    for (int i = 0; i < all.size(); i++) {
      ClientConnection each = all.get(i);
      if (i == 0 || step == 0) {
        loop.execute(() -> each.closeOrderly(Status.APP_SHUTDOWN));
      } else {
        long jitter = ThreadLocalRandom.current().nextLong(step);
        Duration delay = Duration.ofNanos(i * step + jitter);
        loop.schedule(delay, () -> each.closeOrderly(Status.APP_SHUTDOWN));
      }
    }
    tellIfDrained();
  }

  private void tellIfDrained() {
    CompletableFuture<Void> waiting = drained;
    if (waiting != null && open.isEmpty()) {
      waiting.complete(null);
    }
  }

  // ---- Time

  /** What has a time limit. */
  interface Timed {
    /**
     * Ends if the time is up.
     *
     * @return whether to look again in a second
     */
    boolean look(long now);
  }

  /** Looks at {@code one} once a second, until it says that this is no longer needed. */
  void watch(Timed one) {
    timed.add(one);
    if (!isLooking) {
      isLooking = true;
      loop.schedule(LOOK, this::look);
    }
  }

  private void look() {
    isLooking = false;
    long now = loop.nanoTime();
    for (Timed each : List.copyOf(timed)) {
      if (!each.look(now)) {
        timed.remove(each);
      }
    }
    if (!timed.isEmpty() && !isLooking) {
      isLooking = true;
      loop.schedule(LOOK, this::look);
    }
  }
}
