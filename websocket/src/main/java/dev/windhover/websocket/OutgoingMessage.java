package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.Opcode;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A message, or a piece of one, in an {@link Outbox}: its payload, and what is to be done with it.
 * Frames are made of it when it leaves. Made by its sender, then the loop's alone, except where it
 * says otherwise.
 */
class OutgoingMessage {
  final Opcode opcode;
  final boolean end;
  final SendAs as;

  /** The size of the payload before a {@link SendAs#PREPARED_CODED} one was compressed. */
  final int size;

  /** The message of which this is a piece; null for a whole one. */
  final @Nullable OpenMessage part;

  final ByteBuffer payload;

  /** What it counts for in the outbox, less what has left. */
  long charge;

  /** The bytes of its frame that have not left. */
  long left;

  /** Whether its first byte is out, or being compressed. */
  boolean begun;

  /** Behind this in the outbox; before it in the mailbox. */
  @Nullable OutgoingMessage next;

  OutgoingMessage(
      Opcode opcode,
      boolean end,
      SendAs as,
      int size,
      @Nullable OpenMessage part,
      ByteBuffer payload,
      long charge) {
    this.opcode = opcode;
    this.end = end;
    this.as = as;
    this.size = size;
    this.part = part;
    this.payload = payload;
    this.charge = charge;
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

  /** Begins to leave; false if it was withdrawn. */
  boolean begin() {
    begun = true;
    return true;
  }

  /** All of it is out, or nothing more of it will be. */
  void done(boolean isOut) {}

  /** One whose payload waits in the {@link PayloadPool}. */
  static final class Pooled extends OutgoingMessage {
    private boolean handedOver;

    Pooled(
        Opcode opcode,
        boolean end,
        SendAs as,
        int size,
        @Nullable OpenMessage part,
        ByteBuffer payload,
        long charge) {
      super(opcode, end, as, size, part, payload, charge);
    }

    /** The payload is the transport's, which releases it. */
    Runnable handOver() {
      handedOver = true;
      ByteBuffer buffer = payload;
      return () -> PayloadPool.give(buffer);
    }

    @Override
    void done(boolean isOut) {
      if (!handedOver) {
        PayloadPool.give(payload);
      }
    }
  }

  /**
   * One whose payload is still its sender's, who waits until all of it is out: it is larger than
   * what may wait in the outbox.
   */
  static final class Borrowed extends OutgoingMessage {
    /** What has become of it; the loop and the sender race for it. */
    private enum Fate {
      WAITING,
      LEAVING,
      OUT,
      DROPPED,
      WITHDRAWN
    }

    private static final VarHandle FATE;

    static {
      try {
        FATE = MethodHandles.lookup().findVarHandle(Borrowed.class, "fate", Fate.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    private final Thread sender = Thread.currentThread();
    private volatile Fate fate = Fate.WAITING;

    Borrowed(
        Opcode opcode,
        boolean end,
        SendAs as,
        int size,
        @Nullable OpenMessage part,
        ByteBuffer payload,
        long charge) {
      super(opcode, end, as, size, part, payload, charge);
    }

    @Override
    boolean begin() {
      super.begin();
      return FATE.compareAndSet(this, Fate.WAITING, Fate.LEAVING);
    }

    @Override
    void done(boolean isOut) {
      if (fate != Fate.WITHDRAWN) {
        fate = isOut ? Fate.OUT : Fate.DROPPED;
        LockSupport.unpark(sender);
      }
    }

    /**
     * The sender takes it back; false if it is leaving already, or is a piece: others may follow
     * it.
     */
    boolean withdraw() {
      return part == null && FATE.compareAndSet(this, Fate.WAITING, Fate.WITHDRAWN);
    }

    /** Returns whether the sender has its payload back. */
    boolean isOver() {
      return fate == Fate.OUT || fate == Fate.DROPPED;
    }

    boolean isOut() {
      return fate == Fate.OUT;
    }
  }
}
