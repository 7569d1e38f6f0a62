package dev.windhover.http.websocket;

import dev.windhover.http.host.Recipient;
import dev.windhover.http.host.Recipients;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Sockets that are sent the same messages: a room, a topic, all who watch a page.
 *
 * <pre>{@code
 * Group room = new Group();
 * app.mapWebSocket("/chat", socket -> {
 *   room.join(socket);
 *   for (Message message : socket) {
 *     room.send(PreparedMessage.of(message));
 *   }
 * });
 * }</pre>
 *
 * <p>Any thread may call a group, even an event loop, and no call waits for a member: a message is
 * stored once, compressed once, and handed to each event loop, which puts it into its members'
 * queues. A sender waits only if it is faster than the event loops. What happens to a member that
 * reads more slowly than it is sent to is its {@linkplain WhenFull policy}. It is given when the
 * member joins ({@link WhenFull#DISCONNECT} if it is not), or for a single message when that is
 * sent.
 *
 * <p>A socket leaves by itself when it can be sent nothing more: we have sent a Close, for example
 * because its handler has ended, or the connection is gone. It may be in any number of groups, in
 * either form.
 *
 * <p>What one thread does happens in that order for each socket, whether it sends to groups or to
 * the socket itself: a socket gets what was sent after it joined, and what was sent before it left
 * or was closed. A message that a handler sends in pieces is not interrupted; the group's messages
 * follow it.
 */
public final class Group {
  /** A group's members take messages as they are. */
  private static final Object FORM = MessageType.class;

  private final Recipients members = new Recipients();

  /** Creates an empty group. */
  public Group() {}

  // ---- Members

  /**
   * Adds {@code socket}, which is disconnected if it falls behind; see {@link #join(WebSocket,
   * WhenFull)}.
   */
  public boolean join(WebSocket socket) {
    return join(socket, WhenFull.DISCONNECT);
  }

  /**
   * Adds {@code socket}: it gets what is sent from now on.
   *
   * @param whenFull what happens to messages for which it has no room, unless the message says so
   * @return false if nothing changed: it is a member already, or can be sent nothing more
   * @throws IllegalArgumentException for {@link WhenFull#WAIT}; for a socket that no handler has
   *     accepted, such as a test's client
   */
  public boolean join(WebSocket socket, WhenFull whenFull) {
    requireForMany(whenFull);
    Recipient recipient = Recipient.of(socket);
    return members.enter() && members.add(recipient, FORM, whenFull) != null;
  }

  /**
   * Removes {@code socket}. It still gets what was sent before.
   *
   * @return false if it is no member
   */
  public boolean leave(WebSocket socket) {
    return members.remove(Recipient.of(socket)) != null;
  }

  /** Returns the number of members. */
  public int size() {
    return members.size();
  }

  // ---- Sending

  /** Sends a whole message to all members. */
  public void send(PreparedMessage message) {
    send(message, null, this, Set.of());
  }

  /**
   * Sends a whole text message to all members.
   *
   * @throws IllegalArgumentException if {@code text} has a lone surrogate
   */
  public void sendText(CharSequence text) {
    send(PreparedMessage.text(text));
  }

  /**
   * Sends a whole message to all members, whatever they have joined with.
   *
   * @param whenFull what happens where there is no room; with {@link WhenFull#KEEP_LATEST}, all
   *     messages of this group that are sent without a key replace one another
   * @throws IllegalArgumentException for {@link WhenFull#WAIT}
   */
  public void send(PreparedMessage message, WhenFull whenFull) {
    requireForMany(whenFull);
    send(message, whenFull, this, Set.of());
  }

  /**
   * Sends a whole message to all members but one.
   *
   * @param one need not be a member
   */
  public void sendExcept(WebSocket one, PreparedMessage message) {
    Objects.requireNonNull(one, "one");
    send(message, null, this, one instanceof Recipient recipient ? Set.of(recipient) : Set.of());
  }

  /**
   * Sends the latest state of something to all members, whatever they have joined with: {@link
   * WhenFull#KEEP_LATEST}. It replaces the previous one with the same key where that has not begun
   * to leave, and takes its place in the order of what is sent. A member that reads as fast as it
   * is sent to gets every message; another skips some, and what it reads is recent.
   *
   * @param key names what this is the state of, for example a symbol; compared by {@code equals}
   *     within this group
   */
  public void sendLatest(Object key, PreparedMessage message) {
    Objects.requireNonNull(key, "key");
    send(message, WhenFull.KEEP_LATEST, new Key(this, key), Set.of());
  }

  private void send(
      PreparedMessage message,
      @Nullable WhenFull whenFull,
      Object key,
      Set<? extends Recipient> except) {
    Objects.requireNonNull(message, "message");
    members.send(form -> message, whenFull, key, except);
  }

  /** A group's keys are its own. */
  private record Key(Group group, Object key) {}

  private static void requireForMany(WhenFull whenFull) {
    if (whenFull == WhenFull.WAIT) {
      throw new IllegalArgumentException(
          "WAIT is for a message to one socket: a group would wait for its slowest member");
    }
    Objects.requireNonNull(whenFull, "whenFull");
  }
}
