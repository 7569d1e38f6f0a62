package dev.windhover.websocket;

import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.WebSocketState;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where a socket is in its life, and what that leaves to be sent. The lock of its {@link SendQueue}
 * guards it; {@link #get} and {@link #canSend} may be asked without.
 */
final class SendState {
  private final ReentrantLock lock;

  /** Of this, of the turn or of the room; made when somebody has to wait. */
  private @Nullable Condition changed;

  private volatile WebSocketState state = WebSocketState.OPEN;
  private boolean gone;
  private boolean endsBehind;

  /** Creates that of an open socket. */
  SendState(ReentrantLock lock) {
    this.lock = lock;
  }

  /** Lets the lock go until {@link #changed()}, or for no reason. */
  @SuppressWarnings("WaitNotInLoop") // who calls it loops
  void awaitChange() throws InterruptedException {
    if (changed == null) {
      changed = lock.newCondition();
    }
    changed.await();
  }

  /** What somebody may wait for has changed. */
  void changed() {
    if (changed != null) {
      changed.signalAll();
    }
  }

  WebSocketState get() {
    return state;
  }

  /** Returns whether messages may be sent. */
  boolean canSend() {
    return state.canSend();
  }

  /** Returns whether nothing new can be sent at all. */
  boolean isGone() {
    return gone;
  }

  /** Returns whether the connection is to be ended behind what is queued. */
  boolean endsBehind() {
    return endsBehind;
  }

  void requireOpen() throws WebSocketClosedException {
    if (!state.canSend()) {
      throw closed();
    }
  }

  void requireNotGone() throws WebSocketClosedException {
    if (gone) {
      throw closed();
    }
  }

  private WebSocketClosedException closed() {
    return new WebSocketClosedException(
        state == WebSocketState.CLOSE_SENT
            ? "cannot send: the socket is closing"
            : "cannot send: the socket has ended");
  }

  /**
   * Our Close is being queued.
   *
   * @param end whether the connection ends behind it, whatever the peer does
   */
  void sentClose(boolean end) {
    state = state.on(WebSocketState.Event.SENT_CLOSE);
    endsBehind = end || state == WebSocketState.CLOSED;
    changed();
  }

  /** The peer's Close has taken effect; returns whether the connection is to be ended. */
  boolean receivedClose() {
    state = state.on(WebSocketState.Event.RECEIVED_CLOSE);
    boolean closed = state == WebSocketState.CLOSED;
    endsBehind |= closed;
    changed();
    return closed;
  }

  /** Nothing new can be sent any more; what is queued still goes out if {@code end}. */
  void connectionEnded(boolean end) {
    state = state.on(WebSocketState.Event.CONNECTION_ENDED);
    gone = true;
    endsBehind |= end;
    changed();
  }

  /** Waits until the socket is closed or aborted. */
  void awaitTerminal() throws InterruptedException {
    while (!state.isTerminal()) {
      awaitChange();
    }
  }
}
