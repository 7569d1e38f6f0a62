package dev.windhover.websocket;

import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Violation;

/** What ends the stream of messages from the peer; it queues behind the messages before it. */
sealed interface Outcome {
  /** The peer sent a valid Close. */
  record PeerClosed(CloseReason reason) implements Outcome {}

  /** The peer broke a rule. */
  record Violated(Violation violation) implements Outcome {}

  /** The peer's direction ended without a Close. */
  record Lost(String why) implements Outcome {}
}
