package dev.windhover.server;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** How many connections there are, upgraded ones apart from the others. Safe for all threads. */
final class ConnectionCount {
  private final ServerLimits limits;
  private final AtomicInteger plain = new AtomicInteger();
  private final AtomicInteger upgraded = new AtomicInteger();

  ConnectionCount(ServerLimits limits) {
    this.limits = limits;
  }

  /** Returns a place for a connection, which counts until it leaves; null if there is none. */
  @Nullable Place enter() {
    return take(plain, limits.maxConnections()) ? new Place() : null;
  }

  private static boolean take(AtomicInteger count, int most) {
    int before = count.getAndUpdate(taken -> taken < most ? taken + 1 : taken);
    return before < most;
  }

  /** One connection's. */
  final class Place {
    private boolean isUpgraded;
    private boolean hasLeft;

    private Place() {}

    /**
     * Counts the connection as an upgraded one from now on.
     *
     * @return false if there is no room among these
     */
    synchronized boolean upgrade() {
      if (hasLeft || isUpgraded) {
        return true;
      }
      if (!take(upgraded, limits.maxUpgradedConnections())) {
        return false;
      }
      plain.decrementAndGet();
      isUpgraded = true;
      return true;
    }

    /** The upgrade came to nothing. */
    synchronized void goBack() {
      if (!hasLeft && isUpgraded) {
        upgraded.decrementAndGet();
        plain.incrementAndGet();
        isUpgraded = false;
      }
    }

    /** The connection has ended. */
    synchronized void leave() {
      if (!hasLeft) {
        hasLeft = true;
        (isUpgraded ? upgraded : plain).decrementAndGet();
      }
    }
  }
}
