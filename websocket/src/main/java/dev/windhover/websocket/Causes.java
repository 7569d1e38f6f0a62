package dev.windhover.websocket;

import dev.windhover.http.websocket.Ending;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Violation;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What may have ended a socket: who began it, what ended the peer's messages, and whether that has
 * taken effect. Says in the end which of it counts. Any thread.
 */
final class Causes {
  private @Nullable Ending first;
  private @Nullable Outcome effective;
  private @Nullable Outcome found;

  /** Remembers who ended the socket; the first one did. */
  synchronized void blame(Ending.By by, CloseReason reason, String why) {
    if (first == null) {
      first = new Ending(by, reason, why);
    }
  }

  /** As {@link #blame}, of an end without a Close. */
  void blameAbnormal(Ending.By by, String why) {
    blame(by, CloseReason.of(CloseCode.ABNORMAL_CLOSURE), why);
  }

  /** The peer's messages have ended; what did it waits for its turn. */
  synchronized void found(Outcome what) {
    found = what;
    switch (what) {
      case Outcome.PeerClosed closed -> blame(Ending.By.PEER, closed.reason(), "the peer closed");
      case Outcome.Violated violated -> {
        Violation violation = violated.violation();
        blame(Ending.By.SERVER, violation.toCloseReason(), violation.text());
      }
      case Outcome.Lost lost -> blameAbnormal(Ending.By.CONNECTION, lost.why());
    }
  }

  /** A violation was found in a message that came before what has been found so far. */
  synchronized void foundBefore(Violation violation) {
    if (first == null || first.by() == Ending.By.PEER) {
      first = new Ending(Ending.By.SERVER, violation.toCloseReason(), violation.text());
    }
  }

  /** Returns what has ended the peer's messages, or null while nothing has. */
  synchronized @Nullable Outcome found() {
    return found;
  }

  /** Lets what ended the peer's messages take effect; returns whether it is the first to do so. */
  synchronized boolean takesEffect(Outcome what) {
    boolean isFirst = effective == null;
    if (isFirst) {
      effective = what;
    }
    return isFirst;
  }

  /** Returns how the socket ended; something must have been blamed. */
  synchronized Ending ending() {
    Ending began = Objects.requireNonNull(first);
    Outcome decisive = effective != null ? effective : found;
    if (decisive instanceof Outcome.PeerClosed closed) {
      return new Ending(began.by(), closed.reason(), began.why()); // the peer's Close decides
    }
    boolean closed = began.reason().code() != CloseCode.ABNORMAL_CLOSURE;
    if (closed && !(decisive instanceof Outcome.Violated)) {
      String why = began.why() + "; the peer did not answer our close";
      return new Ending(began.by(), began.reason(), why);
    }
    return began;
  }
}
