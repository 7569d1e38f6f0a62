package dev.windhover.websocket;

import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.Loop;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A message, or a piece of one, in an {@link Outbox}: its payload, and how it is to be sent. Frames
 * are made of it when it leaves. Its sender creates it; from then on it belongs to the loop.
 */
final class OutgoingMessage {
  /**
   * What one takes in memory beside its payload, about: itself, a buffer and an array. With
   * thousands of small ones, that is most of it.
   */
  private static final int OWN_BYTES = 160;

  final boolean end;

  /** The message of which this is a piece; null for a whole one. */
  final @Nullable OpenMessage part;

  // These change if a later message takes the place of this one.

  Opcode opcode;
  SendAs as;

  /** The size of the payload before a {@link SendAs#PREPARED_CODED} one was compressed. */
  int size;

  /** The size of the payload. */
  private int bytes;

  /** What is to be sent next of the payload. */
  private @Nullable ByteBuffer payload;

  private @Nullable PreparedMessage prepared;

  /** What follows that, if the payload is longer than a buffer of the pool. */
  private @Nullable Deque<ByteBuffer> rest;

  /** Whether the payload's memory is that of the {@link PayloadPool}. */
  private boolean isPooled;

  /** Set if the payload is still its sender's. */
  private @Nullable Loan loan;

  /** What it counts for in the outbox, less what has left. */
  long charge;

  /** The bytes of the payload that have not left; 0 before the header has. */
  long left;

  /** Whether its first byte is out, or being compressed. */
  boolean begun;

  /** Whether it had to wait for the transport. */
  boolean waits;

  /** As what the {@link #prepared} message counts in the server's memory. */
  @Nullable Delivery counted;

  /** The message after this one in the outbox, or before it in the mailbox. */
  @Nullable OutgoingMessage next;

  /** The message before this one in the outbox. */
  @Nullable OutgoingMessage previous;

  /** In whose room it waits if it is sent with a policy. */
  private @Nullable Deliveries room;

  /** Which later message may take its place; null for none. */
  @Nullable Object key;

  /**
   * Creates one of {@code payload}, which belongs to its sender until {@link #copy} or {@link
   * #lend} is called.
   *
   * @param prepared whose payload it is, or what was compressed of that; null for any other
   */
  OutgoingMessage(
      ByteBuffer payload,
      MessageType type,
      boolean end,
      SendAs as,
      @Nullable PreparedMessage prepared,
      @Nullable OpenMessage part) {
    this.opcode = part == null ? opcodeOf(type) : part.opcode(type);
    this.end = end;
    this.part = part;
    takes(payload, as, prepared);
  }

  private void takes(ByteBuffer original, SendAs how, @Nullable PreparedMessage of) {
    as = how;
    prepared = of;
    payload = original;
    bytes = original.remaining();
    size = of == null ? bytes : of.size();
  }

  /**
   * Leaves the payload to its sender, and takes a copy, unless it never changes.
   *
   * @param chunk the most bytes that are handed to the transport at once
   * @param isCompressed whether the payload may be compressed
   */
  void copy(int chunk, boolean isCompressed) {
    boolean suitsPool = isCompressed ? bytes <= chunk : chunk == PayloadPool.BUFFER_BYTES;
    ByteBuffer original = payload();
    if (prepared == null
        && (!suitsPool || bytes < PayloadPool.LEAST_BYTES || !copyToPool(original))) {
      payload = ByteBuffer.allocate(bytes).put(original).flip();
    }
  }

  private boolean copyToPool(ByteBuffer original) {
    Deque<ByteBuffer> buffers = PayloadPool.copy(original);
    if (buffers.isEmpty()) {
      return false;
    }
    isPooled = true;
    payload = buffers.poll();
    rest = buffers.isEmpty() ? null : buffers;
    return true;
  }

  /** Borrows the payload: its sender waits until it has left. */
  Loan lend() {
    Loan lent = new Loan();
    loan = lent;
    return lent;
  }

  /** Lets it wait in a room of its own, where a later one with that key may take its place. */
  void waitsIn(Deliveries own, @Nullable Object replacedBy) {
    room = own;
    key = replacedBy;
  }

  /** A later message takes the place of this one, which has not begun. */
  void replace(PreparedMessage by, SendAs how, ByteBuffer original) {
    opcode = opcodeOf(by.type());
    takes(original, how, by);
  }

  /** Returns in whose room it waits; null for that of all senders. */
  @Nullable Deliveries room() {
    return room;
  }

  @Nullable PreparedMessage prepared() {
    return prepared;
  }

  /** Returns what kind of message this whole one is. */
  MessageType type() {
    return opcode == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }

  /** Returns the size of the payload. */
  int bytes() {
    return bytes;
  }

  /** Returns how much memory waits with it, its sender's included, without {@link #prepared}. */
  long memory() {
    return prepared == null ? (long) OWN_BYTES + bytes : OWN_BYTES;
  }

  /** Returns the bytes of {@link #prepared}, unless it waits in a room of its own. */
  int shared() {
    return prepared == null || room != null ? 0 : bytes;
  }

  /** Returns how much memory {@link #prepared} takes: with a compressed form, which it keeps. */
  long preparedMemory() {
    return as == SendAs.PREPARED_CODED ? (long) size + bytes : size;
  }

  /** Returns what is to be sent next of the payload. */
  ByteBuffer payload() {
    return Objects.requireNonNull(payload);
  }

  boolean isLent() {
    return loan != null;
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

  /** Begins to leave; returns false if its sender has withdrawn it. */
  boolean begin() {
    begun = true;
    if (room != null) {
      room.begun(this);
      payload = payload().duplicate().rewind();
    }
    return loan == null || loan.begin();
  }

  /** Returns whether the transport may take the payload's memory as it is, and release it. */
  boolean isPooled() {
    return isPooled;
  }

  /** Gives {@link #payload()} to the transport; returns what releases it. */
  Runnable handOver() {
    ByteBuffer buffer = payload();
    payload = rest == null ? null : rest.poll();
    isPooled = payload != null;
    return () -> PayloadPool.give(buffer);
  }

  /** All of it is out, or nothing more of it will be. */
  void done(boolean isOut, Loop loop) {
    if (isPooled) {
      PayloadPool.give(payload());
      if (rest != null) {
        rest.forEach(PayloadPool::give);
      }
    } else if (loan != null) {
      loan.end(isOut, loop);
    }
  }

  /**
   * What has become of a payload that its sender has lent, because it is larger than what may wait
   * in the outbox. The sender and the loop race for it.
   */
  static final class Loan {
    private enum Fate {
      WAITING,
      LEAVING,
      OUT,
      DROPPED,
      WITHDRAWN
    }

    private final Thread sender = Thread.currentThread();
    private final AtomicReference<Fate> fate = new AtomicReference<>(Fate.WAITING);

    private boolean begin() {
      return fate.compareAndSet(Fate.WAITING, Fate.LEAVING);
    }

    private void end(boolean isOut, Loop loop) {
      if (fate.get() != Fate.WITHDRAWN) {
        fate.set(isOut ? Fate.OUT : Fate.DROPPED);
        loop.unpark(sender);
      }
    }

    /** The sender takes its payload back; returns false if that is leaving already. */
    boolean withdraw() {
      return fate.compareAndSet(Fate.WAITING, Fate.WITHDRAWN);
    }

    /** Returns whether the sender has its payload back. */
    boolean isOver() {
      Fate now = fate.get();
      return now == Fate.OUT || now == Fate.DROPPED;
    }

    boolean isOut() {
      return fate.get() == Fate.OUT;
    }
  }
}
