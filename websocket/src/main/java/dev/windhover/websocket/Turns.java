package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.Opcode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Whose message is under way in a {@link SendQueue}, how far it is, and who waits to begin the
 * next, first come first served. The queue's lock guards it.
 */
final class Turns {
  private final SendState state;

  /** Made when somebody has to wait. */
  private @Nullable Deque<Object> waiting;

  private @Nullable Object sender;

  /** Whether the sender has begun its message, be it without a piece so far, and owes the end. */
  private boolean begun;

  /** Of the pieces so far. */
  private @Nullable MessageType type;

  /** Whether its sender wants the message uncompressed, and whether it goes out compressed. */
  private boolean plain;

  private boolean coded;

  private long bytes;

  /**
   * Creates one where nobody sends.
   *
   * @param state that must be open for a message to begin
   */
  Turns(SendState state) {
    this.state = state;
  }

  /** Returns whether somebody sends a message, or waits to. */
  boolean isWanted() {
    return sender != null || isAwaited();
  }

  private boolean isAwaited() {
    return waiting != null && !waiting.isEmpty();
  }

  /** Waits until the turn is that of {@code by}, which may be a thread or a message writer. */
  void take(Object by) throws IOException, InterruptedException {
    state.requireOpen();
    if (by.equals(sender)) {
      return;
    }
    if (isWanted()) {
      Deque<Object> queue = waiting;
      if (queue == null) {
        queue = new ArrayDeque<>();
        waiting = queue;
      }
      queue.addLast(by);
      try {
        while (sender != null || !by.equals(queue.peekFirst())) {
          state.awaitChange();
          state.requireOpen();
        }
      } finally {
        queue.remove(by);
        state.changed();
      }
    }
    sender = by;
  }

  /** Takes the turn for {@code by} if that needs no waiting, and returns whether it has it. */
  boolean tryTake(Object by) {
    Object current = sender;
    if (current == null) {
      sender = by;
    }
    return current == null || by.equals(current);
  }

  /** The sender has begun its message. */
  void begin() {
    begun = true;
  }

  /** Returns whether a message was begun and has not ended. */
  boolean isBegun() {
    return begun;
  }

  /** Returns whether that message is one of {@code by}. */
  boolean isBegunBy(Object by) {
    return begun && by.equals(sender);
  }

  /** Returns whether the message goes on: a piece of it was sent. */
  boolean isContinued() {
    return type != null;
  }

  /** Returns the opcode of the next piece. */
  Opcode opcode(MessageType ofPiece) {
    return isContinued() ? Opcode.CONTINUATION : opcodeOf(ofPiece);
  }

  /** Returns the opcode of a message's first frame. */
  static Opcode opcodeOf(MessageType type) {
    return switch (type) {
      case TEXT -> Opcode.TEXT;
      case BINARY -> Opcode.BINARY;
      case CLOSE ->
          throw new IllegalArgumentException("a message cannot be of type CLOSE; use closeOutput");
    };
  }

  void requireType(MessageType ofPiece) {
    if (type != null && type != ofPiece) {
      throw new IllegalArgumentException(
          "piece of type " + ofPiece + " in a message of type " + type);
    }
  }

  /**
   * Says how the message is sent, before its first piece.
   *
   * @param wantsPlain what its sender asked for
   * @param isCoded what comes of it
   */
  void sendAs(boolean wantsPlain, boolean isCoded) {
    plain = wantsPlain;
    coded = isCoded;
  }

  /** Returns whether the message goes out compressed. */
  boolean isCoded() {
    return coded;
  }

  /** A whole message cannot be a piece of another. */
  void requireNotBegun() {
    if (begun) {
      throw new IllegalStateException("a message of this sender is under way; it must end first");
    }
  }

  void requireFlag(boolean wantsPlain) {
    if (type != null && wantsPlain != plain) {
      throw new IllegalArgumentException(
          "DISABLE_COMPRESSION must be on all pieces of a message or on none");
    }
  }

  /** A piece was sent; returns the size of the message so far. */
  long sent(MessageType ofPiece, int size) {
    begun = true;
    type = ofPiece;
    bytes += size;
    return bytes;
  }

  /** The message has ended, or was not begun: the next one may. */
  void release() {
    sender = null;
    begun = false;
    type = null;
    bytes = 0;
    if (isAwaited()) {
      state.changed();
    }
  }
}
