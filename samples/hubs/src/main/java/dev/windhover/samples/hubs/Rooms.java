package dev.windhover.samples.hubs;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rooms, made when somebody enters them. An empty one is kept until its place is needed. */
final class Rooms {
  private static final int MOST = 100;

  private final Map<String, Room> rooms = new HashMap<>();

  /** Returns the room of that name; null if there are too many others with people in them. */
  synchronized @Nullable Room get(String name) {
    if (!rooms.containsKey(name) && rooms.size() == MOST) {
      rooms.values().removeIf(Room::close);
    }
    return rooms.size() == MOST && !rooms.containsKey(name)
        ? null
        : rooms.computeIfAbsent(name, _ -> new Room());
  }
}
