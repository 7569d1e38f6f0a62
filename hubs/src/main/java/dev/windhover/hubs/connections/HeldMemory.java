package dev.windhover.hubs.connections;

import dev.windhover.http.host.MemoryBudget;
import org.jspecify.annotations.Nullable;

/**
 * What a connection holds of the server's memory: what has come and was not taken, and what waits
 * for the client. A socket counts its own. Loop only.
 */
final class HeldMemory implements MemoryBudget.Holder {
  /** What a connection costs anyway; most never hold more, and need no account. */
  private static final int LEAST_COUNTED = 4 * 1024;

  private final ClientConnection connection;
  private final Inbound inbound;
  private final MemoryBudget.Account account;

  private HeldMemory(ClientConnection connection, Inbound inbound, MemoryBudget budget) {
    this.connection = connection;
    this.inbound = inbound;
    this.account = budget.open(connection.loop(), this);
  }

  /** Opens an account for a connection without one; null while it holds but little. */
  static @Nullable HeldMemory open(
      ClientConnection connection,
      Inbound inbound,
      @Nullable OutgoingQueue queue,
      MemoryBudget budget) {
    long queued = queue == null ? 0 : queue.held() + queue.heldShared();
    return inbound.held() + queued < LEAST_COUNTED
        ? null
        : new HeldMemory(connection, inbound, budget);
  }

  /** Called after each turn in which bytes came or left. */
  @Override
  public void stateMemory() {
    if (connection.isQueued()) {
      OutgoingQueue queue = connection.queue();
      account.holds(inbound.held() + queue.held(), 0, queue.heldShared());
    } else {
      account.holds(inbound.held(), 0, 0);
    }
  }

  @Override
  public long moved() {
    return inbound.taken() + (connection.isQueued() ? connection.queue().left() : 0);
  }

  /** The server's memory is used up, and this connection holds the most of it. */
  @Override
  public void evict() {
    connection.evicted();
  }

  /** Nothing is held any more. */
  void end() {
    account.close();
  }
}
