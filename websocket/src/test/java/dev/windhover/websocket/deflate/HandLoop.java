package dev.windhover.websocket.deflate;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A loop that is the test's own thread, with a time that the test moves; counts its timers. */
final class HandLoop implements Loop {
  private final List<Alarm> alarms = new ArrayList<>();
  private long now;
  private int scheduled;

  private static final class Alarm {
    final long due;
    final Runnable task;

    Alarm(long due, Runnable task) {
      this.due = due;
      this.task = task;
    }
  }

  HandLoop(long start) {
    now = start;
  }

  /** Moves to {@code time} after the last and runs what is due, in order. */
  void advance(long nanos) {
    long target = now + nanos;
    while (true) {
      Alarm next = null;
      for (Alarm alarm : alarms) {
        if (alarm.due - target <= 0 && (next == null || alarm.due - next.due < 0)) {
          next = alarm;
        }
      }
      if (next == null) {
        now = target;
        return;
      }
      alarms.remove(next);
      now = next.due;
      next.task.run();
    }
  }

  int scheduled() {
    return scheduled;
  }

  int waiting() {
    return alarms.size();
  }

  @Override
  public void execute(Runnable task) {
    task.run();
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public Instant now() {
    throw new UnsupportedOperationException("nothing here reads the time of day");
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    scheduled++;
    Alarm alarm = new Alarm(now + delay.toNanos(), task);
    alarms.add(alarm);
    return () -> alarms.remove(alarm);
  }
}
