package dev.windhover.hubs;

import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;

/** How many calls there may be of each user, over all connections. Any thread; takes no lock. */
final class UserRates {
  private record Shared(CallRate rate, int connections) {}

  private final ConcurrentNavigableMap<String, Shared> users = new ConcurrentSkipListMap<>();
  private final int callsPerSecond;

  UserRates(int callsPerSecond) {
    this.callsPerSecond = callsPerSecond;
  }

  /** A connection of {@code user} has come; returns the rate that it shares. */
  CallRate join(String user, long now) {
    while (true) {
      Shared known = users.get(user);
      if (known == null) {
        CallRate rate = new CallRate(callsPerSecond, now);
        if (users.putIfAbsent(user, new Shared(rate, 1)) == null) {
          return rate;
        }
      } else if (users.replace(user, known, new Shared(known.rate, known.connections + 1))) {
        return known.rate;
      }
    }
  }

  /** It has gone. */
  void leave(String user) {
    while (true) {
      Shared known = users.get(user);
      if (known == null) {
        return;
      }
      boolean done =
          known.connections == 1
              ? users.remove(user, known)
              : users.replace(user, known, new Shared(known.rate, known.connections - 1));
      if (done) {
        return;
      }
    }
  }

  /** Returns how many users there are. */
  int size() {
    return users.size();
  }
}
