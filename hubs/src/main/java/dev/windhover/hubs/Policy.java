package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How clients are called.
 *
 * @param whenFull what happens where there is no room; null for what the hub says
 * @param latest what a call is the latest state of; null for nothing but its method
 * @param resultTimeout how long a result is awaited; null for what the hub says
 */
record Policy(
    @Nullable WhenFull whenFull, @Nullable Object latest, @Nullable Duration resultTimeout) {
  static final Policy OF_HUB = new Policy(null, null, null);

  Policy whenFull(WhenFull policy) {
    if (policy == WhenFull.WAIT) {
      throw new IllegalArgumentException("WAIT would let all clients wait for the slowest");
    }
    return new Policy(Objects.requireNonNull(policy, "policy"), null, resultTimeout);
  }

  Policy latest(Object key) {
    return new Policy(WhenFull.KEEP_LATEST, Objects.requireNonNull(key, "key"), resultTimeout);
  }

  Policy resultTimeout(Duration limit) {
    if (!limit.isPositive()) {
      throw new IllegalArgumentException("resultTimeout " + limit + " is not positive");
    }
    return new Policy(whenFull, latest, limit);
  }
}
