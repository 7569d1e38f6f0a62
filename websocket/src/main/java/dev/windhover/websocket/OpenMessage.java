package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.Opcode;
import org.jspecify.annotations.Nullable;

/**
 * A message that is sent in several pieces and has not ended: other messages wait for its end.
 * Belongs to its sender, a thread or a message writer, except where it says otherwise.
 */
final class OpenMessage {
  private final Object sender;

  /** Of the pieces so far; null before the first. */
  private @Nullable MessageType type;

  private boolean plain;
  private long bytes;

  /** Whether the message has begun, be it without a piece so far, and its sender owes the end. */
  volatile boolean begun;

  /** Whether its sender is about to end it; any thread. */
  volatile boolean finishing;

  /** The sender, while it waits for room in the middle of the message; any thread. */
  volatile @Nullable Thread waiting;

  OpenMessage(Object sender) {
    this.sender = sender;
  }

  boolean isOf(Object by) {
    return sender.equals(by);
  }

  /** Returns the opcode of the next piece. */
  Opcode opcode(MessageType ofPiece) {
    return type == null ? OutgoingMessage.opcodeOf(ofPiece) : Opcode.CONTINUATION;
  }

  /** A piece must go with those before it, if there are any. */
  void requireFits(MessageType ofPiece, SendAs as) {
    if (as.isPrepared()) {
      throw new IllegalStateException("a message of this sender is under way; it must end first");
    }
    if (type != null && type != ofPiece) {
      throw new IllegalArgumentException(
          "piece of type " + ofPiece + " in a message of type " + type);
    }
    if (type != null && as.isPlain() != plain) {
      throw new IllegalArgumentException(
          "DISABLE_COMPRESSION must be on all pieces of a message or on none");
    }
  }

  /** A piece is being sent; returns the size of the message so far. */
  long sent(MessageType ofPiece, SendAs as, int size) {
    begun = true;
    type = ofPiece;
    plain = as.isPlain();
    bytes += size;
    return bytes;
  }
}
