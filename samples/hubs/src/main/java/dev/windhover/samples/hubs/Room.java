package dev.windhover.samples.hubs;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A room: who is here, and what was said last. Everybody sees everything in the same order, because
 * it happens one thing at a time; calling clients waits for nobody.
 */
final class Room {
  private static final int KEPT = 50;

  private final Map<String, Seat> seats = new LinkedHashMap<>();
  private final Deque<Said> lately = new ArrayDeque<>();
  private boolean closed;

  /** Which connection a name belongs to, and what the page proves that with. */
  record Seat(String connectionId, String key) {}

  /** Lets somebody in; returns false if the name is another's. */
  synchronized boolean enter(
      String name, Seat seat, ChatHub.Client caller, ChatHub.Client everybody) {
    Seat before = seats.get(name);
    if (closed || (before != null && !before.key().equals(seat.key()))) {
      return false;
    }
    seats.put(name, seat);
    caller.entered(List.copyOf(lately));
    if (before == null) {
      everybody.joined(name);
    }
    tellWhoIsHere(everybody);
    return true;
  }

  synchronized void say(String name, String text, ChatHub.Client everybody) {
    var said = new Said(name, text, Instant.now());
    lately.add(said);
    if (lately.size() > KEPT) {
      lately.remove();
    }
    everybody.said(said);
  }

  /** Does nothing if another connection has the name by now. */
  synchronized void leave(String name, String connectionId, ChatHub.Client everybody) {
    Seat seat = seats.get(name);
    if (seat != null && seat.connectionId().equals(connectionId)) {
      seats.remove(name);
      everybody.left(name);
      tellWhoIsHere(everybody);
    }
  }

  synchronized @Nullable String connectionOf(String name) {
    Seat seat = seats.get(name);
    return seat == null ? null : seat.connectionId();
  }

  /** Closes an empty room; returns whether it is. */
  synchronized boolean close() {
    closed = seats.isEmpty();
    return closed;
  }

  private void tellWhoIsHere(ChatHub.Client everybody) {
    everybody.here(List.copyOf(seats.keySet()));
  }
}
