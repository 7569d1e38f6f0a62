package dev.windhover.websocket;

import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.protocol.Conversation;
import java.nio.ByteBuffer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The messages of an {@link Outbox} that wait for the transport, in the order in which they leave,
 * and the frames that are made of them then. While a message in pieces is under way, the messages
 * of others are kept back. Loop only, except where it says otherwise.
 */
final class SendQueue {
  private final Session session;
  private final SendMarks marks;
  private final SendGate gate;
  private final @Nullable MessageCompressor compressor;

  private final Chain chain = new Chain();

  /** The messages that wait for the end of {@link #underWay}; made for the first. */
  private @Nullable Chain keptBack;

  /** The message in pieces that is under way at the end of {@link #chain}. */
  private @Nullable OpenMessage underWay;

  /** The memory of the messages here, without payloads that may wait for other sockets as well. */
  private long held;

  /** Those payloads, as far as they have no room of their own. */
  private long shared;

  /** What comes now does not leave any more, or not if it is lent. */
  private boolean dropsAll;

  private boolean dropsLent;

  /** Odd while bytes are on their way from the counts of rooms to that of the transport. */
  private volatile int moves;

  SendQueue(
      Session session, SendMarks marks, SendGate gate, @Nullable MessageCompressor compressor) {
    this.session = session;
    this.marks = marks;
    this.gate = gate;
    this.compressor = compressor;
  }

  boolean isEmpty() {
    return chain.first == null;
  }

  /** Returns the message that leaves next, or is leaving. */
  @Nullable OutgoingMessage first() {
    return chain.first;
  }

  /** Returns how much memory the messages take, without {@link #shared}. */
  long held() {
    return held;
  }

  /** Returns the bytes of prepared messages that wait in the room of all senders. */
  long shared() {
    return shared;
  }

  /** Returns a number that is odd while bytes are moving, and then changes. Any thread. */
  int moves() {
    return moves;
  }

  boolean dropsAll() {
    return dropsAll;
  }

  // ---- In

  /** Adds a message: at the end, or to those that are kept back. */
  void add(OutgoingMessage message) {
    held += message.memory();
    shared += message.shared();
    if (dropsAll || (dropsLent && message.isLent())) {
      ended(message, false);
    } else {
      admit(message);
    }
  }

  private void admit(OutgoingMessage message) {
    if (underWay != null && !underWay.equals(message.part)) {
      Chain kept = keptBack == null ? new Chain() : keptBack;
      kept.add(message);
      keptBack = kept;
      if (message.room() != null) {
        gate.keepOtherBack();
      } else {
        gate.keepBack(message.charge);
      }
      return;
    }
    chain.add(message);
    underWay = message.end ? null : message.part;
    Chain kept = keptBack;
    if (underWay == null && kept != null) {
      keptBack = null;
      gate.keepNoneBack();
      for (OutgoingMessage each; (each = kept.poll()) != null; ) {
        admit(each);
      }
    }
  }

  /**
   * What is here has to wait. A prepared message counts in the server's memory from now on, once
   * for all sockets of the loop.
   */
  void countPrepared() {
    countPrepared(chain);
    if (keptBack != null) {
      countPrepared(keptBack);
    }
  }

  private void countPrepared(Chain in) {
    for (OutgoingMessage each = in.last; each != null && !each.waits; each = each.previous) {
      each.waits = true; // and so do all before it
      PreparedMessage prepared = each.prepared();
      if (prepared != null && each.counted == null) {
        each.counted = session.fanOut().waits(prepared, each.preparedMemory());
      }
    }
  }

  // ---- Out

  /**
   * Hands over as much as the transport takes now.
   *
   * @param slice how much may still be compressed in this turn
   * @param share how much the transport may hold for more to be handed over
   * @return how much of the slice is left; if none is, messages may wait although there is room
   */
  int handOver(int slice, int share) {
    int left = slice;
    Duplex duplex = session.duplex();
    Conversation conversation = session.conversation();
    int before = moves;
    moves = before + 1;
    try {
      OutgoingMessage next;
      while (left > 0 && (next = chain.first) != null && duplex.pending() < share) {
        if (!next.begun && !next.begin()) {
          taken(next); // it was withdrawn
        } else if (compressor != null && compressor.compresses(next)) {
          int size = next.payload().remaining();
          boolean isOut = compressor.write(next, conversation, left);
          left -= size - next.payload().remaining();
          if (isOut) {
            taken(next);
          }
        } else {
          write(next, conversation);
        }
      }
    } finally {
      moves = before + 2;
    }
    return left;
  }

  /** Writes a message as it is: whole, or a chunk of it. */
  private void write(OutgoingMessage message, Conversation conversation) {
    ByteBuffer payload = message.payload();
    int size = payload.remaining();
    if (message.left == 0) { // nothing of it is out
      if (!message.isPooled() && size <= marks.largestChunk()) {
        conversation.frame(message.opcode, message.end, message.as.reservedBits(), payload);
        taken(message);
        return;
      }
      conversation.header(message.opcode, message.end, message.as.reservedBits(), message.bytes());
      message.left = message.bytes();
      left(message, 0); // the header is out
    }
    if (message.isPooled()) {
      conversation.payload(payload, message.handOver());
      left(message, size);
    } else {
      int chunk = Math.min(size, marks.largestChunk());
      int limit = payload.limit();
      conversation.payload(payload.limit(payload.position() + chunk));
      payload.limit(limit);
      left(message, chunk);
    }
    if (message.left == 0) {
      taken(message);
    }
  }

  /** These bytes of a message's payload have left, and its header. */
  private void left(OutgoingMessage message, long bytes) {
    message.left -= bytes;
    long before = message.charge;
    message.charge = Math.min(before, message.left);
    release(message, before - message.charge);
  }

  /** The first message has left. */
  private void taken(OutgoingMessage message) {
    chain.poll();
    ended(message, true);
    if (message.room() != null) {
      session.sent(message.type(), message.size);
    }
    if (message.end && compressor != null) {
      compressor.messageEnded(message.as);
    }
  }

  /** A message waits no more: all of it is out, or nothing more of it will be. */
  private void ended(OutgoingMessage message, boolean isOut) {
    release(message, message.charge);
    held -= message.memory();
    shared -= message.shared();
    Delivery counted = message.counted;
    if (counted != null) {
      session.fanOut().waitsNoMore(counted);
    }
    message.done(isOut, session.loop());
  }

  private void release(OutgoingMessage message, long charge) {
    Deliveries room = message.room();
    if (room != null) {
      room.release(charge);
    } else {
      gate.release(charge);
    }
  }

  // ---- Dropped

  /** Drops a message, wherever it is. */
  void drop(OutgoingMessage message) {
    if (!chain.remove(message) && keptBack != null) {
      keptBack.remove(message);
    }
    ended(message, false);
  }

  /** Drops the messages that meet a condition, and returns how many did. */
  int dropIf(Predicate<OutgoingMessage> condition) {
    int count = dropIf(chain, condition);
    return keptBack == null ? count : count + dropIf(keptBack, condition);
  }

  private int dropIf(Chain from, Predicate<OutgoingMessage> condition) {
    int count = 0;
    for (OutgoingMessage each = from.first; each != null; ) {
      OutgoingMessage after = each.next;
      if (condition.test(each)) {
        from.remove(each);
        ended(each, false);
        count++;
      }
      each = after;
    }
    return count;
  }

  /** Nothing is under way any more that others would have to wait for, and nothing will be. */
  void dropKeptBack() {
    if (keptBack != null) {
      dropIf(keptBack, _ -> true);
      keptBack = null;
    }
    gate.keepNoneBack();
    underWay = null;
  }

  /**
   * Nothing new can be sent. What is lent is dropped, and so is everything else if {@code all} or
   * if that cuts a frame.
   *
   * @return whether everything was dropped
   */
  boolean end(boolean all) {
    OutgoingMessage leaving = chain.first;
    boolean cut = leaving != null && leaving.isLent() && leaving.begun;
    dropsLent = true;
    dropsAll |= all || cut;
    dropIf(message -> dropsAll || message.isLent());
    if (dropsAll) {
      dropKeptBack();
    }
    return dropsAll;
  }

  /** Messages in order; a queue that costs nothing while it is empty. */
  private static final class Chain {
    private @Nullable OutgoingMessage first;
    private @Nullable OutgoingMessage last;

    void add(OutgoingMessage message) {
      message.next = null;
      message.previous = last;
      if (last == null) {
        first = message;
      } else {
        last.next = message;
      }
      last = message;
    }

    /** Removes one from wherever it is; returns false if it is not in this chain. */
    boolean remove(OutgoingMessage message) {
      OutgoingMessage before = message.previous;
      OutgoingMessage after = message.next;
      if ((before == null && first != message) || (after == null && last != message)) {
        return false;
      }
      if (before == null) {
        first = after;
      } else {
        before.next = after;
      }
      if (after == null) {
        last = before;
      } else {
        after.previous = before;
      }
      message.previous = null;
      message.next = null;
      return true;
    }

    @Nullable OutgoingMessage poll() {
      OutgoingMessage message = first;
      if (message != null) {
        remove(message);
      }
      return message;
    }
  }
}
