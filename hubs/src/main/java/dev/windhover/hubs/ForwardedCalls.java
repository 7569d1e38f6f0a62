package dev.windhover.hubs;

import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.Loop;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The results that connections of this server owe to other servers. Any thread; nothing here
 * blocks.
 */
final class ForwardedCalls {
  private static final class Forwarded {
    final Peer peer;
    final Consumer<Form> answer;
    volatile Loop.@Nullable Timer timer;

    Forwarded(Peer peer, Consumer<Form> answer) {
      this.peer = peer;
      this.answer = answer;
    }
  }

  /** As the reference says it. */
  private static final String DISCONNECTED = "Connection disconnected.";

  /** By the ids of their calls. This map takes no lock; others do. */
  private final ConcurrentNavigableMap<String, Forwarded> owed = new ConcurrentSkipListMap<>();

  /**
   * Calls a method of a client.
   *
   * @param answer given the answer, once, or a failure in its place
   */
  void ask(Peer peer, String invocationId, PreparedMessage call, Consumer<Form> answer) {
    Forwarded mine = new Forwarded(peer, answer);
    int most = peer.options().maximumClientResultsPerClient();
    if (peer.owed().incrementAndGet() > most) {
      peer.owed().decrementAndGet();
      String error =
          "connection '%s' owes %d results, the most that are allowed".formatted(peer.id(), most);
      answer.accept(failure(peer.protocol(), invocationId, error));
    } else if (owed.putIfAbsent(invocationId, mine) != null) {
      peer.owed().decrementAndGet(); // asked twice: the first one is answered
    } else if (peer.isGone()) {
      fail(invocationId, mine, DISCONNECTED);
    } else {
      watch(invocationId, mine);
      // Calls with a result are never dropped: a client without room for one is disconnected.
      peer.recipient().post(new Delivery(call, WhenFull.DISCONNECT, mine));
    }
  }

  /** Whoever asks may have given up, or have no limit: this server's holds here. */
  private void watch(String invocationId, Forwarded mine) {
    Duration limit = mine.peer.options().clientResultTimeout();
    Loop.Timer timer =
        mine.peer
            .connection()
            .connection()
            .loop()
            .schedule(
                limit,
                () ->
                    fail(
                        invocationId,
                        mine,
                        "connection '%s' has not answered within %s"
                            .formatted(mine.peer.id(), limit)));
    mine.timer = timer;
    if (!isOwed(invocationId)) { // before there was a timer to cancel
      timer.cancel();
    }
  }

  /** Takes an answer; returns false if {@code connection} does not owe it. */
  boolean answer(HubConnection connection, String invocationId, ByteBuffer record) {
    Forwarded known = owed.get(invocationId);
    if (known == null || !known.peer.connection().equals(connection)) {
      return false;
    }
    HubProtocol protocol = connection.protocol();
    settle(
        invocationId,
        known,
        () -> new Form(protocol.name(), Records.framed(protocol.recordFormat(), record)));
    return true;
  }

  /** Returns whether a connection owes the answer to another server. */
  boolean isOwed(String invocationId) {
    return owed.containsKey(invocationId);
  }

  /** The connection is gone, which {@link Peer#isGone} says already. */
  void disconnected(Peer peer) {
    if (peer.owed().get() > 0) {
      owed.forEach((id, each) -> {
        if (each.peer.equals(peer)) {
          fail(id, each, DISCONNECTED);
        }
      });
    }
  }

  private void fail(String invocationId, Forwarded known, String error) {
    settle(invocationId, known, () -> failure(known.peer.protocol(), invocationId, error));
  }

  private void settle(String invocationId, Forwarded known, Supplier<Form> answer) {
    if (owed.remove(invocationId, known)) {
      known.peer.owed().decrementAndGet();
      Loop.Timer started = known.timer;
      if (started != null) {
        started.cancel();
      }
      known.answer.accept(answer.get());
    }
  }

  /** Returns an answer that says what is wrong. */
  static Form failure(HubProtocol protocol, String invocationId, String error) {
    return new Form(
        protocol.name(), protocol.write(HubMessage.Completion.failed(invocationId, error)));
  }
}
