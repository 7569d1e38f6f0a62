package dev.windhover.hubs.redis;

import dev.windhover.http.host.Loggers;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;

/** Counts what passes and what does not, and logs each kind of trouble once. Any thread. */
final class Tally {
  private static final Logger log = Loggers.get(RedisBackplane.class);

  private final AtomicLong published = new AtomicLong();
  private final AtomicLong received = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicLong uncertain = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong overflowed = new AtomicLong();

  /** What was logged, and is not to be logged again before Redis was away. */
  private final Set<String> logged = new ConcurrentSkipListSet<>();

  Counts counts() {
    return new Counts(
        published.get(),
        received.get(),
        dropped.get(),
        uncertain.get(),
        refused.get(),
        overflowed.get());
  }

  void published() {
    published.incrementAndGet();
  }

  void received() {
    received.incrementAndGet();
  }

  /** Other servers do not get a message. */
  void dropped() {
    dropped.incrementAndGet();
  }

  /** Redis was lost, and may or may not have passed on a payload. */
  void uncertain() {
    uncertain.incrementAndGet();
  }

  /** Redis has refused a payload. */
  void notPublished(String reason) {
    dropped.incrementAndGet();
    warnOnce("publish", "a payload could not be published: " + reason);
  }

  /** Another server has published what cannot be used. */
  void refused(String reason) {
    refused.incrementAndGet();
    warnOnce("refused", "another server has published what is refused: " + reason);
  }

  /** What has come is awaited by nobody any more, which is ordinary. */
  void late(String what) {
    refused.incrementAndGet();
    if (logged.add(what)) {
      log.info("{} awaited by nobody (logged once; later ones are counted)", what);
    }
  }

  /** The event loops are too slow for a payload. */
  void overflowed() {
    overflowed.incrementAndGet();
    warnOnce(
        "overflow",
        "messages from Redis are dropped, because the event loops are too slow for them");
  }

  /** From now on, each kind is logged again. */
  void forget() {
    logged.clear();
  }

  private void warnOnce(String kind, String text) {
    if (logged.add(kind)) {
      log.warn("{} (logged once; later ones are counted)", text);
    } else {
      log.debug("{}", text);
    }
  }
}
