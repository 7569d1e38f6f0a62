package dev.windhover.hubs.redis;

import dev.windhover.http.host.Durations;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Payloads on their way to Redis, and messages that have to come back. For the carrier's thread,
 * except where a method says otherwise.
 *
 * <p>A message that clients of this server wait for is in {@link #returning} until Redis sends it
 * back, so that everybody sees one order. If Redis is lost meanwhile, or sends nothing back in
 * time, it is delivered from there; what comes back later is not in there any more, and dropped. So
 * no client of this server misses a message, or gets it twice.
 */
final class Publishing {
  /** What Redis has been sent and has not answered. More would not make it faster. */
  private static final int MOST_IN_FLIGHT = 8_192;

  private static final long MOST_BYTES_IN_FLIGHT = 4L << 20;

  /** What a payload costs in addition to its bytes: about that. */
  static final long OVERHEAD = 200;

  private final RedisOptions options;
  private final Inbound inbound;
  private final Tally tally;

  /** Runs tasks on the carrier's thread. */
  private final Executor carrier;

  // Any thread.
  private final AtomicLong waitingBytes = new AtomicLong();
  private final ConcurrentNavigableMap<Long, Outgoing> returning = new ConcurrentSkipListMap<>();

  private final Deque<Outgoing> waiting = new ArrayDeque<>();
  private final Set<Outgoing> inFlight = new HashSet<>();
  private long bytesInFlight;

  Publishing(RedisOptions options, Inbound inbound, Tally tally, Executor carrier) {
    this.options = options;
    this.inbound = inbound;
    this.tally = tally;
    this.carrier = carrier;
  }

  private static long cost(Outgoing outgoing) {
    return outgoing.payload().length + OVERHEAD;
  }

  // ---- Waiting

  /** A payload is about to be {@linkplain #add added}. Any thread. */
  void announce(Outgoing outgoing) {
    waitingBytes.addAndGet(cost(outgoing));
  }

  /**
   * Takes a payload, after those before.
   *
   * @param isUp whether Redis is there; it may have been lost since the sender looked
   */
  void add(Outgoing outgoing, boolean isUp) {
    if (isUp) {
      waiting.add(outgoing);
    } else if (isKept(outgoing)) {
      waiting.add(outgoing);
      deliverHere(outgoing);
    } else {
      drop(outgoing);
    }
  }

  /** Returns whether it waits until Redis is back. */
  private boolean isKept(Outgoing outgoing) {
    return outgoing.mayWait() && !(options.whenAway() instanceof WhenAway.Refuse);
  }

  /** Publishes what waits, as far as there is room, and drops what is too old or too much. */
  void work(@Nullable RedisSession session, Subscriptions subscriptions) {
    if (session != null) {
      for (Outgoing next; (next = waiting.peek()) != null && mayLeave(next, subscriptions); ) {
        waiting.remove();
        waitingBytes.addAndGet(-cost(next));
        publish(session, next);
      }
    }
    while (waitingBytes.get() > options.maximumWaiting() && waiting.size() > 1) {
      drop(waiting.remove());
    }
    if (session == null && options.whenAway() instanceof WhenAway.Keep(var longest)) {
      long oldest = System.nanoTime() - Durations.nanos(longest);
      for (Outgoing first; (first = waiting.peek()) != null && first.since() - oldest <= 0; ) {
        drop(waiting.remove());
      }
    }
  }

  private boolean mayLeave(Outgoing next, Subscriptions subscriptions) {
    return inFlight.size() < MOST_IN_FLIGHT
        && bytesInFlight < MOST_BYTES_IN_FLIGHT
        && !subscriptions.isOpenBefore(next.order);
  }

  private void drop(Outgoing outgoing) {
    waitingBytes.addAndGet(-cost(outgoing));
    tally.dropped();
    failed(outgoing);
  }

  /** Returns how many payloads wait. */
  int waiting() {
    return waiting.size();
  }

  /** Returns whether nothing is on its way, in either direction. */
  boolean isIdle() {
    return waiting.isEmpty() && inFlight.isEmpty() && returning.isEmpty();
  }

  // ---- On their way

  private void publish(RedisSession to, Outgoing next) {
    if (next.isAwaitedHere()) {
      returning.put(next.number(), next);
    }
    inFlight.add(next);
    bytesInFlight += cost(next);
    to.publish(
        next.channel(),
        next.payload(),
        (receivers, failure) -> carrier.execute(() -> published(next, receivers, failure)));
  }

  private void published(Outgoing outgoing, @Nullable Long receivers, @Nullable Throwable failure) {
    if (!inFlight.contains(outgoing)) {
      return; // Redis was lost meanwhile
    }
    ended(outgoing);
    if (receivers == null) {
      tally.notPublished(RedisSession.reason(failure));
      failed(outgoing);
      return;
    }
    tally.published();
    Outgoing.Reply reply = outgoing.reply();
    if (reply != null) {
      reply.published(receivers);
    }
  }

  private void ended(Outgoing outgoing) {
    inFlight.remove(outgoing);
    bytesInFlight -= cost(outgoing);
  }

  private void failed(Outgoing outgoing) {
    returning.remove(outgoing.number());
    deliverHere(outgoing);
    Outgoing.Reply reply = outgoing.reply();
    if (reply != null) {
      reply.failed();
    }
  }

  // ---- Coming back

  /** Redis has sent back a message of this server: delivers it. On the inbound thread. */
  void returned(long number) {
    Outgoing own = returning.remove(number);
    Runnable here = own == null ? null : own.claim();
    if (here != null) {
      here.run();
    }
  }

  private void deliverHere(Outgoing outgoing) {
    Runnable here = outgoing.claim();
    if (here != null) {
      inbound.execute(here);
    }
  }

  /** Delivers what has not come back in time. */
  void expire(long now) {
    long limit = Durations.nanos(options.timeLimit());
    for (Map.Entry<Long, Outgoing> first;
        (first = returning.firstEntry()) != null && now - first.getValue().since() > limit; ) {
      returning.remove(first.getKey());
      deliverHere(first.getValue());
    }
  }

  // ---- Without Redis

  /** Redis is lost: nothing comes back, and what is of no use later is dropped. */
  void lost() {
    for (Outgoing each : List.copyOf(inFlight)) {
      tally.uncertain();
      ended(each);
      failed(each);
    }
    returning.values().forEach(this::deliverHere);
    returning.clear();
    waiting.forEach(this::deliverHere);
    waiting.removeIf(each -> {
      boolean isOver = !isKept(each);
      if (isOver) {
        drop(each);
      }
      return isOver;
    });
  }

  /** Nothing is published any more. */
  void end() {
    lost();
    waiting.forEach(this::drop);
    waiting.clear();
  }
}
