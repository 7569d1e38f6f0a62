package dev.windhover.hubs;

import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** The streams that a client uploads. Loop only. */
final class ClientStreams {
  private static final Logger log = Loggers.get(ClientStreams.class);

  private final Loop loop;
  private final int capacity;
  private final Runnable onRoom;

  /** Null while there has been none: most clients upload nothing. */
  private @Nullable Map<String, Upload> uploads;

  /** An item that has no room, and the size of its message. */
  private @Nullable StreamItem held;

  private int heldSize;

  /**
   * Creates it.
   *
   * @param capacity how many items of a stream may wait
   * @param onRoom is run on the loop when there is room for a held item
   */
  ClientStreams(Loop loop, int capacity, Runnable onRoom) {
    this.loop = loop;
    this.capacity = capacity;
    this.onRoom = onRoom;
  }

  /** Returns how many there are. */
  int count() {
    return uploads == null ? 0 : uploads.size();
  }

  /** Returns the first of {@code ids} that is in use, or there twice; null if none is. */
  @Nullable String takenOf(List<String> ids) {
    Set<String> seen = new HashSet<>();
    for (String id : ids) {
      if (!seen.add(id) || find(id) != null) {
        return id;
      }
    }
    return null;
  }

  /** Begins streams. */
  List<Upload> register(List<String> ids, List<Type> itemTypes) {
    if (uploads == null) {
      uploads = new HashMap<>();
    }
    List<Upload> registered = new ArrayList<>(ids.size());
    for (int i = 0; i < ids.size(); i++) {
      Upload upload = new Upload(loop, capacity, itemTypes.get(i), onRoom);
      uploads.put(ids.get(i), upload);
      registered.add(upload);
    }
    return registered;
  }

  /** Nobody reads these any more. */
  void forget(Collection<Upload> over) {
    if (uploads != null) {
      uploads.values().removeAll(over);
    }
  }

  /** Returns of what type the items of a stream are; null if there is no such stream. */
  @Nullable Type itemType(String id) {
    Upload upload = find(id);
    return upload == null ? null : upload.itemType();
  }

  private @Nullable Upload find(String id) {
    return uploads == null ? null : uploads.get(id);
  }

  // ---- What comes

  /** An item has come, in a message of {@code bytes}. It is held if there is no room for it. */
  void add(StreamItem item, int bytes) {
    Upload upload = find(item.invocationId());
    if (upload == null) {
      log.debug("an item for stream {}, which is not there", item.invocationId());
    } else if (upload.hasRoom()) {
      upload.add(item.item(), bytes);
    } else {
      held = item;
      heldSize = bytes;
    }
  }

  /** Returns whether an item is held: nothing may be read before there is room for it. */
  boolean isHolding() {
    return held != null;
  }

  /** Looks again whether there is room for the item that is held. */
  void retry() {
    StreamItem item = held;
    if (item != null) {
      held = null;
      add(item, heldSize);
    }
  }

  /** Returns how many bytes came with the items that wait. */
  long heldBytes() {
    if (uploads == null || uploads.isEmpty()) {
      return 0;
    }
    long sum = held == null ? 0 : heldSize;
    for (Upload each : uploads.values()) {
      sum += each.heldBytes();
    }
    return sum;
  }

  /**
   * A stream ends.
   *
   * @param error what went wrong; null if nothing did
   * @return false if there is no such stream
   */
  boolean end(String id, @Nullable String error) {
    Upload upload = uploads == null ? null : uploads.remove(id);
    if (upload != null) {
      upload.complete(error);
    }
    return upload != null;
  }

  /** The connection is gone. */
  void cancelAll() {
    if (uploads != null) {
      uploads.values().forEach(Upload::cancel);
    }
  }
}
