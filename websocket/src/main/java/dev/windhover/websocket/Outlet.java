package dev.windhover.websocket;

import dev.windhover.http.host.Duplex;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;

/**
 * Where a {@link SendQueue} meets its duplex: moves on what is queued, a chunk at a time and only
 * as many as the transport takes; with nothing queued, whole frames go past the queue, straight
 * into the duplex's output. Loop only, where nothing else is said.
 */
final class Outlet {
  /**
   * Frames up to this size are gathered in the output buffer; the payload of larger ones follows.
   */
  private static final int GATHER_BYTES = 32 * 1024;

  private static final FrameWriter writer = FrameWriter.server();

  private final SendQueue queue;
  private final Duplex duplex;
  private final SendListener session;
  private final SendMarks marks;

  /** How much may be written directly before the transport is asked again what it still holds. */
  private int room;

  private boolean running;
  private boolean again;
  private boolean scheduled;
  private boolean drained;

  /** Set under the queue's lock, or on the loop; cleared on the loop under the lock. */
  private volatile boolean overHigh;

  Outlet(SendQueue queue, Duplex duplex, SendListener session, SendMarks marks) {
    this.queue = queue;
    this.duplex = duplex;
    this.session = session;
    this.marks = marks;
  }

  // ---- Past the queue

  /**
   * Writes a message; returns whether what waits is below the high mark.
   *
   * @throws IllegalStateException if it was not, and that was told before
   */
  boolean message(ByteBuffer payload, Opcode opcode, int reservedBits) {
    int size = payload.remaining();
    int headerSize = writer.headerSize(size);
    int left = room;
    if (left <= headerSize + size) {
      long pending = duplex.pending();
      requireRoom(pending, false);
      left = (int) (marks.high() - pending);
    }
    room = left - headerSize - size;
    boolean gather = size <= GATHER_BYTES;
    ByteBuffer out = duplex.reserve(gather ? headerSize + size : headerSize);
    writer.header(out, opcode, true, reservedBits, size);
    if (gather) {
      writer.payload(payload, out);
      duplex.commit();
    } else {
      duplex.commit();
      duplex.write(payload);
    }
    if (room <= 0) {
      full();
      return false;
    }
    return true;
  }

  void control(Opcode opcode, ByteBuffer payload) {
    ByteBuffer out = duplex.reserve(writer.headerSize(125) + payload.remaining());
    writer.frame(out, opcode, true, payload);
    duplex.commit();
    room = 0;
  }

  // ---- From the queue

  /** Returns whether all was handed over, and the connection is being ended. */
  boolean isDrained() {
    return drained;
  }

  /** Hands over as much as the duplex takes, and flushes. */
  void drain() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    room = 0; // what the transport holds is to be asked again
    boolean ended;
    do {
      again = false;
      ended = handOver();
      duplex.flush();
    } while (again);
    running = false;
    if (ended && !drained) {
      drained = true;
      session.drained();
    }
    session.handedOver();
    if (overHigh && queue.isLow()) {
      session.writable();
    }
  }

  /** Returns whether all is handed over and the connection is to be ended. */
  private boolean handOver() {
    while (duplex.pending() < marks.share()) {
      ByteBuffer chunk = queue.next();
      if (chunk == null) {
        return queue.isEnd();
      }
      duplex.write(chunk);
      queue.recycle(chunk);
    }
    return false;
  }

  /** Drains soon: the host will not flush what was written directly. */
  void drainBehind() {
    if (!scheduled) {
      scheduled = true;
      duplex
          .loop()
          .execute(() -> {
            scheduled = false;
            drain();
          });
    }
  }

  // ---- The high mark

  /**
   * Refuses what comes at the high mark once that was told, or {@code always}. What waits may have
   * grown since the last answer, by a Ping or by what TLS adds: who was told that there is room may
   * send.
   */
  void requireRoom(long amount, boolean always) {
    if (amount >= marks.high() && (overHigh || always)) {
      throw new IllegalStateException(
          "send queue of "
              + amount
              + " bytes is over its high mark of "
              + marks.high()
              + "; wait for onWritable");
    }
  }

  /** Returns whether {@code amount} is below the high mark; if not, that is told. Any thread. */
  boolean isBelowHigh(long amount) {
    if (amount < marks.high()) {
      return true;
    }
    full();
    return false;
  }

  /** The high mark is reached: told once until the queue is below the low one again. Any thread. */
  void full() {
    if (!overHigh) {
      overHigh = true;
      duplex.loop().execute(session::full); // not under the lock
    }
  }

  /** Room is to be told when there is some, as if the high mark had been reached. Any thread. */
  void tellWritable() {
    overHigh = true;
  }

  /** Returns whether {@code amount} is low again; under the queue's lock. */
  boolean settle(long amount) {
    boolean isLow = amount <= marks.low();
    if (isLow) {
      overHigh = false;
    }
    return isLow;
  }
}
