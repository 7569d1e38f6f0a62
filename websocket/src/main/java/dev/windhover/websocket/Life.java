package dev.windhover.websocket;

import dev.windhover.http.host.Memberships;
import dev.windhover.http.websocket.Ending;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Violation;
import dev.windhover.protocol.WebSocketState;
import dev.windhover.websocket.Causes.Outcome;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Where a socket is in its life, as its application sees it, how it ends, and why. The {@link
 * #state()} changes at once when the application closes, or when the peer's Close has reached it;
 * that of the conversation follows when the frames do. Any thread may call it, except where a
 * method says otherwise; it takes no lock.
 */
final class Life {
  private static final VarHandle STATE = handle("state", WebSocketState.class);
  private static final VarHandle CAUSES = handle("causes", Causes.class);
  private static final VarHandle ENDED = handle("ended", CompletableFuture.class);
  private static final VarHandle WAITERS = handle("waiters", ParkedThreads.class);

  private final Session session;
  private final Memberships groups = new Memberships();

  private volatile WebSocketState state = WebSocketState.OPEN;
  private volatile Causes causes = Causes.NONE;

  /** How it ended, once its connection has. */
  private volatile @Nullable Ending ending;

  /** Made when somebody asks for it. */
  private volatile @Nullable CompletableFuture<Void> ended;

  private volatile boolean over;

  /** Who waits for the end in {@link #awaitTerminal}; made when somebody does. */
  private volatile @Nullable ParkedThreads waiters;

  Life(Session session) {
    this.session = session;
  }

  private static VarHandle handle(String field, Class<?> type) {
    return ConstantBootstraps.fieldVarHandle(
        MethodHandles.lookup(), field, VarHandle.class, Life.class, type);
  }

  // ---- The state

  /** Returns where in its life the socket is, to the application. */
  WebSocketState state() {
    return state;
  }

  /**
   * Returns whether our Close is out and the peer's has had no effect: nothing that the application
   * may still send depends on it.
   */
  boolean isCloseSent() {
    return state == WebSocketState.CLOSE_SENT;
  }

  /** Returns the groups that it is in. */
  Memberships groups() {
    return groups;
  }

  /** Returns the state before the {@code event}. */
  private WebSocketState change(WebSocketState.Event event) {
    WebSocketState before;
    WebSocketState after;
    do {
      before = state;
      after = before.on(event);
    } while (!STATE.compareAndSet(this, before, after));
    ParkedThreads parked = waiters;
    if (parked != null && after.isTerminal()) {
      parked.wakeAll();
    }
    if (before.canSend() && !after.canSend()) {
      groups.end();
    }
    return before;
  }

  /** Waits until the socket is closed or aborted. */
  void awaitTerminal() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    ParkedThreads parked = waiters;
    if (parked == null) {
      WAITERS.compareAndSet(this, null, new ParkedThreads(session.loop()));
      parked = Objects.requireNonNull(waiters);
    }
    parked.await(() -> state.isTerminal());
  }

  // ---- What happened

  /** Writes down what happened; returns what was known before. */
  private Causes change(UnaryOperator<Causes> how) {
    Causes before;
    do {
      before = causes;
    } while (!CAUSES.compareAndSet(this, before, how.apply(before)));
    return before;
  }

  /** The socket is ended by {@code by}, unless somebody else was first. */
  void blame(Ending.By by, CloseReason reason, String why) {
    change(was -> was.blame(by, reason, why));
  }

  /** The peer's messages have ended, unless they had before; that waits for its turn. */
  void found(Outcome what) {
    change(was -> was.find(what));
  }

  /** The receiving thread found a message over the limit; a Close may have come after it. */
  void foundBefore(Violation violation) {
    change(was -> was.findBefore(violation));
  }

  /** Returns whether the peer's messages have ended, after those that are kept. */
  boolean hasFoundEnd() {
    return causes.found() != null;
  }

  /** Returns what the peer's Close said, once it has taken effect. */
  @Nullable CloseReason received() {
    return causes.effective() instanceof Outcome.PeerClosed closed ? closed.reason() : null;
  }

  /** Returns how the socket ends or has ended; null while it is open. */
  @Nullable Ending ending() {
    Ending known = ending;
    if (known != null) {
      return known;
    }
    Causes now = causes;
    boolean isEnding =
        state != WebSocketState.OPEN || now.effective() != null || session.in().isDiscarding();
    return isEnding ? now.soFar() : null;
  }

  /**
   * Lets the end of the peer's messages take effect, once, if it was found: the application has
   * taken everything before it, or time is up. Returns whether it did.
   */
  boolean takeEffect() {
    Causes before = change(Causes::takeEffect);
    Outcome what = before.found();
    if (what == null || before.effective() != null) {
      return false;
    }
    switch (what) {
      case Outcome.PeerClosed _ -> {
        boolean wasSent = change(WebSocketState.Event.RECEIVED_CLOSE) == WebSocketState.CLOSE_SENT;
        session.onLoop(session.conversation()::takeEffect);
        if (wasSent) {
          session.out().endAfterAll();
        }
        awaitClosing();
        if (session.in() instanceof ListenerPump listener) {
          session.onLoop(() -> {
            listener.closed();
            answerClose();
          });
        }
      }
      case Outcome.Violated violated -> {
        if (!closeOutput(violated.violation().toCloseReason(), true)) {
          endConnection(true); // our Close is out already; there is no second one
          awaitClosing();
        }
      }
      case Outcome.Lost _ -> {
        endConnection(true);
        awaitClosing();
      }
    }
    return true;
  }

  // ---- Closing

  /** Answers the peer's Close with its own code, if nobody has. */
  void answerClose() {
    CloseReason reason = received();
    if (reason != null) {
      closeOutput(CloseReason.of(reason.code()), true);
    }
  }

  /**
   * Sends a Close, if none is out, and returns whether it did.
   *
   * @param end whether the connection ends after it, whatever the peer does
   */
  boolean closeOutput(CloseReason reason, boolean end) {
    Outbox out = session.out();
    if (!state.canSend() || !out.claimClose(reason)) {
      return false;
    }
    WebSocketState before = change(WebSocketState.Event.SENT_CLOSE);
    if (!before.canSend()) {
      out.disclaimClose();
      return false;
    }
    out.close(end || before == WebSocketState.CLOSE_RECEIVED);
    awaitClosing();
    return true;
  }

  private void awaitClosing() {
    session.onLoop(() -> {
      if (state != WebSocketState.CLOSE_RECEIVED && !session.isLost()) {
        session.awaitClosing();
      }
    });
  }

  /** The server stops: says so to the peer. */
  void goAway() {
    CloseReason reason = new CloseReason(CloseCode.GOING_AWAY, "the server is stopping");
    if (state.canSend()) {
      blame(Ending.By.SERVER, reason, reason.text());
    }
    closeOutput(reason, false);
  }

  /**
   * The server cannot go on with it: it reads too slowly for what it is sent and must not miss, or
   * holds too much memory. Loop only.
   */
  void tryAgainLater(String why) {
    CloseReason reason = new CloseReason(CloseCode.TRY_AGAIN_LATER, why);
    blame(Ending.By.SERVER, reason, why);
    closeOutput(reason, true); // before the handler wakes, and ends with a Close of its own
    session.dropInput();
  }

  // ---- Without a Close

  /** Nothing new can be sent. What is queued still goes out if {@code end}, else is dropped. */
  private void endConnection(boolean end) {
    change(WebSocketState.Event.CONNECTION_ENDED);
    session.out().stop(end);
  }

  /** Drops the connection. */
  void abort(Ending.By by, String why) {
    change(was -> was.blameAbnormal(by, why));
    endConnection(false);
    session.onLoop(() -> {
      if (session.isOpened()) {
        session.duplex().abort();
      }
    });
  }

  /** The connection is gone. Loop only. */
  void lost(String why) {
    change(was -> was.blameAbnormal(Ending.By.CONNECTION, why));
    session.conversation().lost();
    endConnection(false);
  }

  /** Decides how it ended, and returns that: the connection is gone. Loop only. */
  Ending end(String why) {
    Ending known = causes.ending();
    ending = known;
    if (!hasFoundEnd()) {
      found(new Outcome.Lost(why));
      session.in().settle();
    }
    return known;
  }

  // ---- Over

  /** Everybody has been told. Loop only. */
  void over() {
    over = true;
    CompletableFuture<Void> awaited = ended;
    if (awaited != null) {
      awaited.complete(null);
    }
  }

  /** Returns a future that completes when all is over. */
  CompletableFuture<Void> ended() {
    CompletableFuture<Void> awaited = ended;
    if (awaited == null) {
      ENDED.compareAndSet(this, null, new CompletableFuture<Void>());
      awaited = Objects.requireNonNull(ended);
    }
    if (over) {
      awaited.complete(null);
    }
    return awaited;
  }
}
