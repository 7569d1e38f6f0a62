package dev.windhover.samples.dashboard;

import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads the gauges and tells all viewers, 20 times a second.
 *
 * <p>Each tick replaces its predecessor where that still waits ({@link Group#sendLatest}). So a
 * slow viewer skips ticks and what it sees is recent, and the others notice nothing. That works
 * because a tick does not build on the one before: it holds the whole picture, 30 s of it.
 */
final class Board {
  static final int KEPT = 600;

  private final Group viewers = new Group();
  private final Supplier<Reading> machine;

  // Used by one run of the ticker after the other.
  private final Deque<Reading> readings = new ArrayDeque<>(Collections.nCopies(KEPT, Reading.NONE));
  private long ticks;

  Board(Supplier<Reading> machine) {
    this.machine = machine;
  }

  /** Adds a viewer, which leaves by itself when its socket ends. */
  void add(WebSocket viewer) {
    viewers.join(viewer);
  }

  /** Sends the next tick. */
  void tick(Instant now, SlowViewer.@Nullable Seen slow) {
    readings.remove();
    readings.add(machine.get());
    String json =
        """
        {"tick":%d,"at":%d,"viewers":%d,"slow":%s,"heap":%s,"cpu":%s}\
        """
            .formatted(
                ++ticks,
                now.toEpochMilli(),
                viewers.size(),
                slow == null ? "null" : slow.toJson(now),
                curve(Reading::heap),
                curve(Reading::cpu));
    viewers.sendLatest("tick", PreparedMessage.text(json));
  }

  private String curve(ToDoubleFunction<Reading> gauge) {
    return readings.stream()
        .mapToDouble(gauge)
        .mapToObj(Board::tenths)
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String tenths(double value) {
    return Double.isNaN(value) ? "null" : Double.toString(Math.round(10 * value) / 10.0);
  }
}
