package dev.windhover.websocket;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The messages in an {@link Outbox} that may be dropped or replaced, because none of them has begun
 * to leave. They leave it in the order in which they came, so that looking for one costs nothing.
 * Loop only.
 */
final class DroppableMessages {
  private final Deque<OutgoingMessage> oldestFirst = new ArrayDeque<>();

  /** By key. */
  private final Map<Object, OutgoingMessage> latest = new HashMap<>();

  void add(OutgoingMessage message) {
    oldestFirst.add(message);
    if (message.key != null) {
      latest.put(message.key, message);
    }
  }

  /** Returns the one with that key, or null. */
  @Nullable OutgoingMessage latest(Object key) {
    return latest.get(key);
  }

  /** Takes the oldest one, or returns null. */
  @Nullable OutgoingMessage poll() {
    OutgoingMessage oldest = oldestFirst.poll();
    if (oldest != null && oldest.key != null) {
      latest.remove(oldest.key);
    }
    return oldest;
  }

  /** {@code message} begins to leave: if it is here, it is the first. */
  void begun(OutgoingMessage message) {
    if (message.equals(oldestFirst.peek())) {
      poll();
    }
  }
}
