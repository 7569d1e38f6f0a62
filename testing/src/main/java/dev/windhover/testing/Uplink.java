package dev.windhover.testing;

import dev.windhover.http.host.Durations;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/** Carries a client's bytes to the server, with the faults that a test injects. Loop only. */
final class Uplink {
  private static final long NEVER = Long.MAX_VALUE;

  private final HandClock clock;
  private final Consumer<ByteBuffer> arrive;
  private final Runnable ended;

  private int cut = Integer.MAX_VALUE;
  private long untilCorrupt = NEVER;
  private long untilHold = NEVER;
  private final Deque<Runnable> held = new ArrayDeque<>();
  private Duration delay = Duration.ZERO;
  private int underWay;
  private long lastDue;

  Uplink(HandClock clock, Consumer<ByteBuffer> arrive, Runnable ended) {
    this.clock = clock;
    this.arrive = arrive;
    this.ended = ended;
    this.lastDue = clock.nanoTime();
  }

  void cutEvery(int bytes) {
    cut = bytes;
  }

  void corruptAt(long index) {
    untilCorrupt = index;
  }

  void holdAfter(long bytes) {
    untilHold = bytes;
  }

  void release() {
    untilHold = NEVER;
    for (Runnable step; (step = held.poll()) != null; ) {
      launch(step);
    }
  }

  void delay(Duration by) {
    delay = by;
  }

  /** Sends {@code bytes}, which now belong to this object. */
  void send(ByteBuffer bytes) {
    corrupt(bytes);
    while (bytes.hasRemaining()) {
      int most = untilHold == 0 ? cut : (int) Math.min(cut, untilHold);
      ByteBuffer piece = bytes.slice(bytes.position(), Math.min(bytes.remaining(), most));
      bytes.position(bytes.position() + piece.remaining());
      pass(() -> arrive.accept(piece));
      if (untilHold != NEVER && untilHold > 0) {
        untilHold -= piece.remaining();
      }
    }
  }

  private void corrupt(ByteBuffer bytes) {
    if (untilCorrupt == NEVER) {
      return;
    }
    if (untilCorrupt < bytes.remaining()) {
      int index = bytes.position() + (int) untilCorrupt;
      bytes.put(index, (byte) ~bytes.get(index));
      untilCorrupt = NEVER;
    } else {
      untilCorrupt -= bytes.remaining();
    }
  }

  /** Ends this direction after what was sent. */
  void end() {
    pass(ended);
  }

  private void pass(Runnable step) {
    if (untilHold == 0) {
      held.add(step);
    } else {
      launch(step);
    }
  }

  /** Runs {@code step} when it is due, but never before an earlier step. */
  private void launch(Runnable step) {
    long now = clock.nanoTime();
    long due = now + Durations.nanos(delay);
    if (underWay > 0 && due - lastDue < 0) {
      due = lastDue;
    }
    if (underWay == 0 && due - now <= 0) {
      step.run();
      return;
    }
    lastDue = due;
    underWay++;
    clock.schedule(
        Duration.ofNanos(due - now),
        () -> {
          underWay--;
          step.run();
        });
  }
}
