package dev.windhover.samples.hubs;

import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * What the page calls. A connection is in one {@link Room} at a time; everybody in it sees the
 * same, in the same order.
 */
public final class ChatHub extends Hub<ChatHub.Client> {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Rooms rooms;
  private final Wind wind;

  /** What this calls in pages. */
  public interface Client {
    /** You are in: this is what was said last. */
    void entered(List<Said> lately);

    /** Somebody has come. */
    void joined(String name);

    /** Somebody has gone. */
    void left(String name);

    /** Somebody says something. */
    void said(Said message);

    /** These are here now. */
    void here(List<String> names);

    /** Somebody asks a question, to be answered with yes or no. */
    boolean asked(String from, String question);
  }

  /** Where a connection is, and under which name. */
  private record Place(String roomName, Room room, String name) {}

  ChatHub(Rooms rooms, Wind wind) {
    this.rooms = rooms;
    this.wind = wind;
  }

  /**
   * Enters a room.
   *
   * @param key what a page has made up for itself, so that it gets its name back when it returns on
   *     another connection before the server knows that the old one is lost
   */
  public void enter(String roomName, String name, String key) {
    String stripped = name.strip();
    if (!roomName.matches("[a-z0-9-]{1,30}") || stripped.isEmpty() || stripped.length() > 20) {
      throw new HubException("a name has 1 to 20 characters, a room a to z, 0 to 9 and -");
    }
    leave();
    Room room = rooms.get(roomName);
    if (room == null) {
      throw new HubException("there are too many rooms");
    }
    groups().add(roomName);
    var seat = new Room.Seat(context().connectionId(), key);
    if (!room.enter(stripped, seat, clients().caller(), clients().group(roomName))) {
      groups().remove(roomName);
      throw new HubException("there is another " + stripped + " here");
    }
    context().items().put("place", new Place(roomName, room, stripped));
  }

  /** Leaves the room, if the caller is in one. */
  public void leave() {
    if (context().items().remove("place") instanceof Place(var roomName, var room, var name)) {
      groups().remove(roomName);
      room.leave(name, context().connectionId(), clients().group(roomName));
    }
  }

  /** Says something to everybody in the room. */
  public void say(String text) {
    Place here = place();
    if (!text.isBlank()) {
      here.room().say(here.name(), text, clients().group(here.roomName()));
    }
  }

  /** Asks somebody in the room, waits for the answer, and returns it. */
  public boolean ask(String name, String question) {
    Place here = place();
    String asked = here.room().connectionOf(name);
    if (asked == null) {
      throw new HubException(name + " is not here");
    }
    try {
      return clients().resultTimeout(PATIENCE).client(asked).asked(here.name(), question);
    } catch (UncheckedIOException e) {
      throw new HubException(name + " has not answered", e);
    }
  }

  /** Streams the speed of the wind in m/s, until the page has had enough. */
  public Flow.Publisher<Double> wind() {
    return wind.speeds();
  }

  @Override
  public void onDisconnected(@Nullable Throwable error) {
    leave();
  }

  private Place place() {
    if (context().items().get("place") instanceof Place place) {
      return place;
    }
    throw new HubException("enter a room first");
  }
}
