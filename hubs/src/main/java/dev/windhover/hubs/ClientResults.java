package dev.windhover.hubs;

import dev.windhover.hubs.ClientResult.Outcome;
import dev.windhover.hubs.protocol.HubMessage;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The results that the connections of a hub owe. Any thread; nothing here blocks. */
final class ClientResults {
  /** By the ids of their calls. This map takes no lock; others do. */
  private final ConcurrentNavigableMap<String, ClientResult> awaited =
      new ConcurrentSkipListMap<>();

  private final AtomicLong calls = new AtomicLong();

  /**
   * Calls a method of a client.
   *
   * @param settled called once, when the wait for the result has ended, by any thread
   * @throws IllegalStateException if the connection owes too many results
   */
  ClientResult ask(
      Peer peer,
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      Duration limit,
      Consumer<ClientResult> settled) {
    int most = peer.options().maximumClientResultsPerClient();
    if (peer.owed().incrementAndGet() > most) {
      peer.owed().decrementAndGet();
      throw new IllegalStateException(
          "connection '%s' owes %d results, the most that are allowed".formatted(peer.id(), most));
    }
    String id = "s" + calls.incrementAndGet(); // clients' own are numbers
    ClientResult result = new ClientResult(id, peer.id(), peer, type, limit, settled);
    awaited.put(id, result);
    if (peer.isGone()) {
      settle(result, new Outcome.Disconnected());
      return result;
    }
    result.startTimer(
        peer.connection().connection().loop(), () -> settle(result, new Outcome.TimedOut()));
    try {
      peer.connection().send(new HubMessage.Invocation(id, method, arguments));
    } catch (RuntimeException e) {
      cancel(result);
      throw e;
    }
    return result;
  }

  /**
   * A connection of another server is asked.
   *
   * @param id unique among all servers
   * @param settled as in {@link #ask}
   */
  ClientResult asked(
      String id, String connectionId, Type type, Duration limit, Consumer<ClientResult> settled) {
    ClientResult result = new ClientResult(id, connectionId, null, type, limit, settled);
    awaited.put(id, result);
    return result;
  }

  /** Returns the result that a connection of another server owes; null if none does. */
  @Nullable ClientResult owedElsewhere(String id) {
    ClientResult result = awaited.get(id);
    return result != null && result.peer() == null ? result : null;
  }

  /** Returns the type of a result that {@code connection} owes; null if it does not. */
  @Nullable Type type(HubConnection connection, String id) {
    ClientResult result = awaited.get(id);
    return result != null && result.isOwedBy(connection) ? result.type() : null;
  }

  /**
   * Takes an answer; one that nobody waits for is ignored.
   *
   * @return false if another connection owes it
   */
  boolean answer(HubConnection connection, String id, Outcome outcome) {
    ClientResult result = awaited.get(id);
    if (result == null) {
      return true;
    }
    if (!result.isOwedBy(connection)) {
      return false;
    }
    settle(result, outcome);
    return true;
  }

  /** Nobody waits for it any more. */
  void cancel(ClientResult result) {
    settle(result, new Outcome.Cancelled());
  }

  /** The connection is gone, which {@link Peer#isGone} says already. */
  void disconnected(Peer peer) {
    if (peer.owed().get() > 0) {
      for (ClientResult each : awaited.values()) {
        if (peer.equals(each.peer())) {
          settle(each, new Outcome.Disconnected());
        }
      }
    }
  }

  /** Returns how many are awaited. */
  int size() {
    return awaited.size();
  }

  /** Ends the wait for {@code result}, the first time. */
  void settle(ClientResult result, Outcome outcome) {
    if (awaited.remove(result.invocationId(), result)) {
      Peer peer = result.peer();
      if (peer != null) {
        peer.owed().decrementAndGet();
      }
      result.settle(outcome);
    }
  }
}
