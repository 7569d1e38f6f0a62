package dev.windhover.websocket;

import dev.windhover.http.websocket.Ending;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Violation;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What may have ended a socket. Immutable: what happens makes new ones.
 *
 * @param first who began the end
 * @param found what ended the peer's messages
 * @param effective the same, once it has taken effect
 */
record Causes(@Nullable Ending first, @Nullable Outcome found, @Nullable Outcome effective) {
  /** What ends the peer's messages; it comes after the messages before it. */
  sealed interface Outcome {
    /** The peer sent a valid Close. */
    record PeerClosed(CloseReason reason) implements Outcome {}

    /** The peer broke a rule. */
    record Violated(Violation violation) implements Outcome {}

    /** The peer's direction ended without a Close. */
    record Lost(String why) implements Outcome {}
  }

  /** Nothing has happened so far. */
  static final Causes NONE = new Causes(null, null, null);

  /** The socket was ended by {@code by}, unless somebody else was first. */
  Causes blame(Ending.By by, CloseReason reason, String why) {
    return first != null ? this : new Causes(new Ending(by, reason, why), found, effective);
  }

  /** As {@link #blame}, of an end without a Close. */
  Causes blameAbnormal(Ending.By by, String why) {
    return blame(by, CloseReason.of(CloseCode.ABNORMAL_CLOSURE), why);
  }

  /** The peer's messages have ended, unless they had before; what ended them waits for its turn. */
  Causes find(Outcome what) {
    if (found != null) {
      return this;
    }
    Causes with = new Causes(first, what, effective);
    return switch (what) {
      case Outcome.PeerClosed closed ->
          with.blame(Ending.By.PEER, closed.reason(), "the peer closed");
      case Outcome.Violated violated -> {
        Violation violation = violated.violation();
        yield with.blame(Ending.By.SERVER, violation.toCloseReason(), violation.text());
      }
      case Outcome.Lost lost -> with.blameAbnormal(Ending.By.CONNECTION, lost.why());
    };
  }

  /** A violation was found in a message that came before what has been found so far. */
  Causes findBefore(Violation violation) {
    boolean isFirst = first == null || first.by() == Ending.By.PEER;
    return new Causes(isFirst ? null : first, null, effective)
        .find(new Outcome.Violated(violation));
  }

  /** What has ended the peer's messages takes effect, unless something did before. */
  Causes takeEffect() {
    return effective != null ? this : new Causes(first, found, found);
  }

  /**
   * Returns how the socket ends, as far as that is decided; null if nothing has been blamed.
   * Whether the peer answers our Close is not decided yet.
   */
  @Nullable Ending soFar() {
    return first != null && effective instanceof Outcome.PeerClosed closed
        ? new Ending(first.by(), closed.reason(), first.why())
        : first;
  }

  /** Returns how the socket ended, with its connection; something must have been blamed. */
  Ending ending() {
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
