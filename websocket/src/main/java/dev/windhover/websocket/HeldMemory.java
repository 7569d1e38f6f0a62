package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.websocket.Ending;
import org.jspecify.annotations.Nullable;

/** What a socket holds of the server's memory. Loop only, except where it says otherwise. */
final class HeldMemory implements MemoryBudget.Holder {
  private final Session session;
  private final MemoryBudget budget;

  /** Opened when the socket holds something for the first time. */
  private MemoryBudget.@Nullable Account account;

  HeldMemory(Session session, MemoryBudget budget) {
    this.session = session;
    this.budget = budget;
  }

  /** Returns whether memory is short, so that as little as possible should be read. Any thread. */
  boolean isShort() {
    return budget.isShort();
  }

  /** Called after each turn in which bytes came or left. */
  @Override
  public void stateMemory() {
    if (!session.isOpened()) {
      return;
    }
    long heap = session.in().held() + session.out().held() + session.duplex().held();
    long direct = session.pending();
    MemoryBudget.Account known = account;
    if (known == null && heap + direct > 0) {
      known = budget.open(session.loop(), this);
      account = known;
    }
    if (known != null) {
      known.holds(heap, direct, session.out().shared());
    }
  }

  /** Nothing is held any more. */
  void end() {
    if (account != null) {
      account.close();
    }
  }

  @Override
  public long moved() {
    return session.isOpened() ? session.in().dataBytes() + session.duplex().transmitted() : 0;
  }

  /** The server's memory is used up, and this socket holds the most of it. */
  @Override
  public void evict() {
    if (!session.isOpened()) {
      return;
    }
    String why = "the server has no memory left for this socket";
    session.limitReached(Limit.MEMORY);
    boolean canSend = session.life().state().canSend();
    if (canSend && session.out().isAllOut() && session.pending() == 0) {
      session.life().tryAgainLater(why);
    } else {
      session.life().abort(Ending.By.SERVER, why);
    }
  }
}
