package dev.windhover.samples.events;

import dev.windhover.http.EventStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Ticks to all streams that were added, and keeps some ticks for clients that reconnect. */
final class Clock {
  private static final int KEPT = 60;

  private final Set<EventStream> streams = ConcurrentHashMap.newKeySet();
  private final ArrayDeque<Tick> recent = new ArrayDeque<>();
  private long ticks;

  private record Tick(long id, Instant time) {
    /**
     * A client that does not keep up is disconnected; it reconnects and then gets what it missed.
     */
    void sendTo(EventStream stream) {
      try {
        if (!stream.send("tick", Long.toString(id), time.toString())) {
          stream.close();
        }
      } catch (IOException gone) {
        // its ended() completes, which removes it
      }
    }
  }

  synchronized void tick() {
    Tick tick = new Tick(++ticks, Instant.now());
    recent.add(tick);
    if (recent.size() > KEPT) {
      recent.remove();
    }
    streams.forEach(tick::sendTo);
  }

  /** Sends what {@code stream} missed, if it was here before, and then each tick. */
  synchronized void add(EventStream stream) {
    long last = number(stream.lastEventId());
    recent.stream().filter(tick -> last > 0 && tick.id > last).forEach(tick -> tick.sendTo(stream));
    streams.add(stream);
    stream.ended().thenRun(() -> streams.remove(stream));
  }

  /** Returns the number of a tick, or 0: clients may say anything. */
  private static long number(@Nullable String id) {
    return id != null && id.matches("\\d{1,18}") ? Long.parseLong(id) : 0;
  }

  /** Returns how many streams are open. */
  int listeners() {
    return streams.size();
  }
}
