package dev.windhover.samples.chat;

import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.SequencedSet;

/**
 * A room: who is here, and what was said last. Everybody sees everything in the same order, because
 * it happens one thing at a time; sending to the group waits for nobody.
 */
final class Room {
  private static final int KEPT = 50;

  private final Group group = new Group();
  private final SequencedSet<String> names = new LinkedHashSet<>();
  private final Deque<PreparedMessage> history = new ArrayDeque<>();
  private boolean closed;

  /** Lets somebody in, who sees what was said last; returns false if the name is taken. */
  synchronized boolean enter(String name, WebSocket socket) throws IOException {
    if (closed || !names.add(name)) {
      return false;
    }
    for (PreparedMessage said : history) {
      socket.trySend(said); // which has room: nothing else was sent
    }
    group.join(socket); // somebody who falls behind is disconnected, and comes back
    group.send(prepare(new Event.Joined(name)));
    tellWhoIsHere();
    return true;
  }

  synchronized void say(String name, String text) {
    PreparedMessage said = prepare(new Event.Said(name, text, Instant.now()));
    history.add(said);
    if (history.size() > KEPT) {
      history.remove();
    }
    group.send(said);
  }

  /** The group knows already that the socket has gone. */
  synchronized void leave(String name) {
    names.remove(name);
    group.send(prepare(new Event.Left(name)));
    tellWhoIsHere();
  }

  /** Closes an empty room; returns whether it is. */
  synchronized boolean close() {
    closed = names.isEmpty();
    return closed;
  }

  /** Only the latest list counts. */
  private void tellWhoIsHere() {
    group.sendLatest("here", prepare(new Event.Here(names)));
  }

  private static PreparedMessage prepare(Event event) {
    return PreparedMessage.text(event.toJson());
  }
}
