package dev.windhover.websocket;

import dev.windhover.http.host.Durations;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.Opcode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A message that is sent in several pieces and has not ended: other messages wait for its end.
 * Belongs to its sender, a thread or a message writer, except where it says otherwise.
 */
final class OpenMessage {
  /** How often its sender is looked at while others wait for the end. */
  private static final long LOOK_NANOS = Duration.ofSeconds(1).toNanos();

  private final Object sender;
  private final Session session;
  private final SendGate gate;

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

  /** Creates one that begins now. */
  OpenMessage(Object sender, Session session, SendGate gate) {
    this.sender = sender;
    this.session = session;
    this.gate = gate;
    this.touched = now();
  }

  private long now() {
    return session.loop().nanoTime();
  }

  boolean isOf(Object by) {
    return sender.equals(by);
  }

  /** Returns whether the calling thread would wait for itself if it waited for the end. */
  boolean isOwn() {
    return !shared && Thread.currentThread().equals(user);
  }

  /** Its sender begins to send a piece, which may take long. */
  void enterCall() {
    inCall = true;
  }

  /** Its sender has sent a piece, or failed to. */
  void leaveCall() {
    touched = now();
    inCall = false;
  }

  // ---- The limit

  /** Others wait for its end from now on, which is watched if it was not before. Any thread. */
  void awaitEnd() {
    if (!isAbandoned() && !watched) {
      watched = true;
      awaited = now();
      lookIn(LOOK_NANOS);
    }
  }

  /** Returns whether nobody is left to end it: then it fails the socket soon. Any thread. */
  boolean isAbandoned() {
    if (hasSender()) {
      return false;
    }
    session.loop().execute(this::look);
    return true;
  }

  private boolean hasSender() {
    return !(sender instanceof Thread thread) || thread.isAlive();
  }

  private void lookIn(long nanos) {
    session.schedule(Math.min(nanos, Durations.nanos(limit())), this::look);
  }

  private Duration limit() {
    return session.settings().limits().unfinishedSendTimeout();
  }

  /** Fails the socket if those that wait would wait in vain. Loop only. */
  private void look() {
    if (!gate.isUnderWay(this)) {
      return;
    }
    long now = now();
    long idle = inCall ? 0 : Math.min(now - touched, now - awaited);
    long left = Durations.nanos(limit()) - idle;
    if (!hasSender()) {
      gate.fail("message of " + whose() + " was not finished, and the thread has ended");
    } else if (!gate.isEndAwaited()) {
      watched = false;
      if (gate.isEndAwaited()) { // somebody came before that, and relies on this
        awaitEnd();
      }
    } else if (left <= 0) {
      gate.fail("message of " + whose() + " was not finished within " + limit());
    } else {
      lookIn(Math.min(left, LOOK_NANOS));
    }
  }

  /** Returns whose it is, for a log. */
  private String whose() {
    Thread thread = user;
    String name = thread.getName();
    String of = "thread " + (name.isEmpty() ? "#" + thread.threadId() : '"' + name + '"');
    return sender instanceof Thread ? of : "a message writer of " + of;
  }

  // ---- Its pieces

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
