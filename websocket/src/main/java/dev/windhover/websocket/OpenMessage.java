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

  /** Who began it or sent its latest piece; any thread. */
  private volatile Thread user = Thread.currentThread();

  /** Whether several threads have used it: a message writer is passed around. */
  private volatile boolean shared;

  // ---- For those that wait for its end: any thread

  /** When a call of its sender ended, in the loop's time. */
  private volatile long touched;

  /** Whether its sender is within a call, which waits for nobody but the peer. */
  private volatile boolean inCall;

  /** Whether its end is awaited within a limit, and since when. */
  private volatile boolean watched;

  private volatile long awaited;

  // ---- Its pieces

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

  /** Creates one that begins {@code now}, in the loop's time. */
  OpenMessage(Object sender, long now) {
    this.sender = sender;
    this.touched = now;
  }

  boolean isOf(Object by) {
    return sender.equals(by);
  }

  /** Returns whether the calling thread would wait for itself if it waited for the end. */
  boolean isOwn() {
    return !shared && Thread.currentThread().equals(user);
  }

  /** Returns whether nobody is left to end it. */
  boolean isAbandoned() {
    return sender instanceof Thread thread && !thread.isAlive();
  }

  /** Returns whose it is, for a log. */
  String whose() {
    Thread thread = user;
    String name = thread.getName();
    String of = "thread " + (name.isEmpty() ? "#" + thread.threadId() : '"' + name + '"');
    return sender instanceof Thread ? of : "a message writer of " + of;
  }

  /** Its sender begins to send a piece, which may take long. */
  void enterCall() {
    inCall = true;
  }

  /** Its sender has sent a piece, or failed to. */
  void leaveCall(long now) {
    touched = now;
    inCall = false;
  }

  /** Its end is awaited from {@code now} on; returns false if it was before. */
  boolean watch(long now) {
    if (watched) {
      return false;
    }
    watched = true;
    awaited = now;
    return true;
  }

  /** Its end is not awaited any more. */
  void unwatch() {
    watched = false;
  }

  /** Returns how long it has been awaited without a sign of its sender. */
  long idleNanos(long now) {
    return inCall ? 0 : Math.min(now - touched, now - awaited);
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
    Thread current = Thread.currentThread();
    if (!current.equals(user)) {
      user = current;
      shared = true;
    }
    type = ofPiece;
    plain = as.isPlain();
    bytes += size;
    return bytes;
  }
}
