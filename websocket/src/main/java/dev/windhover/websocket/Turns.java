package dev.windhover.websocket;

import dev.windhover.http.MessageType;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * Whose message is under way in a {@link SendQueue}, how far it is, and who waits to begin the
 * next, first come first served. The queue's lock guards it.
 */
final class Turns {
  /** What must hold for a message to begin. */
  @FunctionalInterface
  interface Requirement {
    void check() throws IOException;
  }

  private final Condition changed;
  private final Requirement open;
  private final Deque<Object> waiting = new ArrayDeque<>();
  private @Nullable Object sender;

  /** Whether the sender has begun its message, be it without a piece so far, and owes the end. */
  private boolean begun;

  /** Of the pieces so far. */
  private @Nullable MessageType type;

  private long bytes;

  /**
   * Creates one where nobody sends.
   *
   * @param changed signalled when {@code open} may not hold any more, and by this class
   */
  Turns(Condition changed, Requirement open) {
    this.changed = changed;
    this.open = open;
  }

  /** Returns whether somebody sends a message, or waits to. */
  boolean isWanted() {
    return sender != null || !waiting.isEmpty();
  }

  /** Waits until the turn is that of {@code by}, which may be a thread or a message writer. */
  void take(Object by) throws IOException, InterruptedException {
    open.check();
    if (by.equals(sender)) {
      return;
    }
    if (isWanted()) {
      waiting.addLast(by);
      try {
        while (sender != null || !by.equals(waiting.peekFirst())) {
          changed.await();
          open.check();
        }
      } finally {
        waiting.remove(by);
        changed.signalAll();
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

  /** Returns whether the message goes on: a piece of it was sent. */
  boolean isContinued() {
    return type != null;
  }

  void requireType(MessageType ofPiece) {
    if (type != null && type != ofPiece) {
      throw new IllegalArgumentException(
          "piece of type " + ofPiece + " in a message of type " + type);
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
    if (!waiting.isEmpty()) {
      changed.signalAll();
    }
  }
}
