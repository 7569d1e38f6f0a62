package dev.windhover.hubs.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What this server wants to hear, what Redis has confirmed, and who waits for that. For the
 * carrier's thread, except where a method says otherwise.
 */
final class Subscriptions {
  /** A channel or pattern that is wanted. */
  private static final class Subscription {
    final String channel;
    final boolean isPattern;

    /** When it was asked for, among all that the carrier was asked. */
    final long order;

    boolean isOver;
    boolean isConfirmed;

    Subscription(String channel, boolean isPattern, long order) {
      this.channel = channel;
      this.isPattern = isPattern;
      this.order = order;
    }
  }

  private record Waiter(Subscription subscription, CompletableFuture<Boolean> done, long due) {}

  private final Map<String, Subscription> wanted = new LinkedHashMap<>();

  /** Those that any thread may know to be confirmed. This set takes no lock; others do. */
  private final NavigableSet<String> confirmed = new ConcurrentSkipListSet<>();

  /** How many confirmations of a channel are to come. */
  private final Map<String, Integer> asked = new HashMap<>();

  private final Deque<Waiter> waiters = new ArrayDeque<>();

  /** In their order; with some that are confirmed meanwhile. */
  private final Deque<Subscription> unconfirmed = new ArrayDeque<>();

  private @Nullable RedisSession session;
  private int open;

  /** Returns whether what is sent to {@code channel} arrives here. Any thread. */
  boolean isConfirmed(String channel) {
    return confirmed.contains(channel);
  }

  /** Wants a channel or pattern for good. */
  void want(String channel, boolean isPattern, long order) {
    if (!wanted.containsKey(channel)) {
      begin(new Subscription(channel, isPattern, order));
    }
  }

  /**
   * Wants a channel, or does not, as {@code isWanted} says now.
   *
   * @param done completed with true when the channel is confirmed; with false if that has failed
   *     for now, or the channel is not wanted any more
   * @param due when {@code done} is completed in any case
   */
  void change(
      String channel,
      BooleanSupplier isWanted,
      long order,
      CompletableFuture<Boolean> done,
      long due) {
    Subscription known = wanted.get(channel);
    if (!isWanted.getAsBoolean()) {
      if (known != null) {
        // Whoever becomes a member after the next line sees that the channel is not confirmed.
        boolean was = confirmed.remove(channel);
        if (isWanted.getAsBoolean()) {
          if (was) {
            confirmed.add(channel);
          }
        } else {
          end(known);
        }
      }
      done.complete(false);
      return;
    }
    if (known == null) {
      known = new Subscription(channel, false, order);
      begin(known);
    }
    if (known.isConfirmed || session == null) {
      done.complete(known.isConfirmed);
    } else {
      waiters.add(new Waiter(known, done, due));
    }
  }

  private void begin(Subscription subscription) {
    wanted.put(subscription.channel, subscription);
    RedisSession known = session;
    if (known != null) {
      asks(subscription);
      if (subscription.isPattern) {
        known.subscribePattern(subscription.channel);
      } else {
        known.subscribe(List.of(subscription.channel));
      }
    }
  }

  private void asks(Subscription subscription) {
    asked.merge(subscription.channel, 1, Integer::sum);
    unconfirmed.add(subscription);
    open++;
  }

  private void end(Subscription subscription) {
    wanted.remove(subscription.channel);
    subscription.isOver = true;
    tellWaiters(subscription, false);
    if (session != null) {
      if (!subscription.isConfirmed) {
        open--;
      }
      session.unsubscribe(subscription.channel);
    }
  }

  /** Subscribes to all that is wanted. */
  void restore(RedisSession with) {
    lost();
    session = with;
    Collection<String> channels = new ArrayList<>(wanted.size());
    for (Subscription each : wanted.values()) {
      asks(each);
      if (each.isPattern) {
        with.subscribePattern(each.channel);
      } else {
        channels.add(each.channel);
      }
    }
    with.subscribe(channels);
  }

  /** Redis has confirmed {@code channel}. */
  void confirmed(String channel) {
    int left = asked.merge(channel, -1, Integer::sum);
    if (left <= 0) {
      asked.remove(channel);
      Subscription known = wanted.get(channel);
      if (left == 0 && known != null && !known.isConfirmed) {
        known.isConfirmed = true;
        open--;
        confirmed.add(channel);
        tellWaiters(known, true);
      }
    }
  }

  private void tellWaiters(Subscription of, boolean isConfirmed) {
    waiters.removeIf(waiter -> {
      boolean isTold = waiter.subscription.equals(of);
      if (isTold) {
        waiter.done.complete(isConfirmed);
      }
      return isTold;
    });
  }

  /** Nothing is subscribed to any more. */
  void lost() {
    session = null;
    confirmed.clear();
    asked.clear();
    unconfirmed.clear();
    open = 0;
    wanted.values().forEach(each -> each.isConfirmed = false);
    waiters.forEach(waiter -> waiter.done.complete(false));
    waiters.clear();
  }

  /** Returns whether all that is wanted is confirmed. */
  boolean isComplete() {
    return open == 0;
  }

  /** Returns whether something was asked for before {@code order} that is not confirmed. */
  boolean isOpenBefore(long order) {
    Subscription first;
    while ((first = unconfirmed.peek()) != null && (first.isConfirmed || first.isOver)) {
      unconfirmed.remove();
    }
    return first != null && first.order < order;
  }

  /** Lets nobody wait for longer than was agreed. */
  void expire(long now) {
    for (Waiter first; (first = waiters.peek()) != null && first.due - now <= 0; ) {
      waiters.remove();
      first.done.complete(false);
    }
  }

  /** Returns whether somebody waits. */
  boolean hasWaiters() {
    return !waiters.isEmpty();
  }
}
