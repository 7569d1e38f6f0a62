package dev.windhover.websocket;

import dev.windhover.http.host.Duplex;
import java.nio.ByteBuffer;

/**
 * Moves what a {@link SendQueue} has on to the duplex, a chunk at a time and only as many as the
 * transport takes. Loop only.
 */
final class Drain {
  private final SendQueue queue;
  private final Duplex duplex;
  private final SendListener session;
  private final SendMarks marks;
  private final DirectOutput direct;
  private boolean running;
  private boolean again;
  private boolean scheduled;
  private boolean drained;

  Drain(
      SendQueue queue, Duplex duplex, SendListener session, SendMarks marks, DirectOutput direct) {
    this.queue = queue;
    this.duplex = duplex;
    this.session = session;
    this.marks = marks;
    this.direct = direct;
  }

  /** Returns whether all was handed over, and the connection is being ended. */
  boolean isDrained() {
    return drained;
  }

  /** Hands over as much as the duplex takes, and flushes. */
  void run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    direct.forget();
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
    if (marks.isOverHigh() && queue.isLow()) {
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

  /** Runs soon: the host will not flush what was written directly. */
  void runBehind() {
    if (!scheduled) {
      scheduled = true;
      duplex
          .loop()
          .execute(() -> {
            scheduled = false;
            run();
          });
    }
  }
}
