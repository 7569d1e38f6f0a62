package dev.windhover.http.websocket;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Recipient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
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
  private static final Recipient.Encoder[] NONE = {};

  /** The members on each loop. A change replaces the map with a copy. */
  private final AtomicReference<Map<FanOut, Part>> parts = new AtomicReference<>(Map.of());

  /** Those of the members so far; servers use few settings. A change replaces the array. */
  private final AtomicReference<Recipient.Encoder[]> encoders = new AtomicReference<>(NONE);

  private final AtomicInteger size = new AtomicInteger();

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
    FanOut fanOut = recipient.fanOut();
    Part part = part(fanOut);
    Member member = new Member(part, recipient, whenFull);
    part.added(1); // a member that ends at once is taken off after that
    if (!recipient.add(member)) {
      part.added(-1);
      return false;
    }
    Recipient.Encoder encoder = recipient.encoder();
    if (encoder != null) {
      add(encoder);
    }
    fanOut.execute(member.new Join());
    return true;
  }

  /**
   * Removes {@code socket}. It still gets what was sent before.
   *
   * @return false if it is no member
   */
  public boolean leave(WebSocket socket) {
    Recipient.Membership membership = Recipient.of(socket).remove(this);
    if (membership == null) {
      return false;
    }
    membership.ended();
    return true;
  }

  /** Returns the number of members. */
  public int size() {
    return size.get();
  }

  // ---- Sending

  /** Sends a whole message to all members. */
  public void send(PreparedMessage message) {
    send(message, null, this, null);
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
    send(message, whenFull, this, null);
  }

  /**
   * Sends a whole message to all members but one.
   *
   * @param one need not be a member
   */
  public void sendExcept(WebSocket one, PreparedMessage message) {
    send(message, null, this, Objects.requireNonNull(one, "one"));
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
    send(message, WhenFull.KEEP_LATEST, new Key(this, key), null);
  }

  private void send(
      PreparedMessage message,
      @Nullable WhenFull whenFull,
      Object key,
      @Nullable WebSocket except) {
    Objects.requireNonNull(message, "message");
    Map<FanOut, Part> all = parts.get();
    encode(message, all);
    for (Part part : all.values()) {
      if (part.size.get() > 0) {
        part.fanOut.awaitRoom();
        part.fanOut.execute(part.new Send(new Delivery(message, whenFull, key), except));
      }
    }
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

  // ---- Compressing once

  private void add(Recipient.Encoder encoder) {
    Recipient.Encoder[] known;
    Recipient.Encoder[] more;
    do {
      known = encoders.get();
      for (Recipient.Encoder each : known) {
        if (each.isSame(encoder)) {
          return;
        }
      }
      more = java.util.Arrays.copyOf(known, known.length + 1);
      more[known.length] = encoder;
    } while (!encoders.compareAndSet(known, more));
  }

  /** The sender compresses, unless it is a loop: then the first member does, if it is short. */
  private void encode(PreparedMessage message, Map<FanOut, Part> all) {
    Recipient.Encoder[] known = encoders.get();
    if (known.length == 0 || all.keySet().iterator().next().isOnLoop()) {
      return;
    }
    for (Recipient.Encoder each : known) {
      each.encode(message);
    }
  }

  // ---- On each loop

  private Part part(FanOut fanOut) {
    while (true) {
      Map<FanOut, Part> known = parts.get();
      Part part = known.get(fanOut);
      if (part != null) {
        return part;
      }
      Map<FanOut, Part> more = new HashMap<>(known);
      more.put(fanOut, new Part(fanOut));
      parts.compareAndSet(known, Map.copyOf(more));
    }
  }

  /** The members on one loop. */
  private final class Part {
    final FanOut fanOut;

    /** Any thread. */
    final AtomicInteger size = new AtomicInteger();

    /** In any order; loop only. */
    final List<Member> members = new ArrayList<>();

    Part(FanOut fanOut) {
      this.fanOut = fanOut;
    }

    void added(int count) {
      size.addAndGet(count);
      Group.this.size.addAndGet(count);
    }

    /** A message for all of them, or all but one, and those that were sent right after it. */
    final class Send extends FanOut.Task {
      private final Burst burst;
      private final @Nullable WebSocket except;
      private int reached;

      Send(Delivery delivery, @Nullable WebSocket except) {
        super(delivery.message().size());
        this.burst = new Burst(delivery);
        this.except = except;
      }

      private Part part() {
        return Part.this;
      }

      @Override
      protected boolean joins(FanOut.Task before) {
        if (!(before instanceof Send first)
            || first.part() != part()
            || !Objects.equals(first.except, except)) {
          return false;
        }
        first.burst.addAll(burst);
        return true;
      }

      @Override
      protected boolean run() {
        while (reached < members.size()) {
          if (!fanOut.hasTurn()) {
            return false;
          }
          Member member = members.get(reached++);
          if (!member.recipient.equals(except)) {
            member.recipient.deliver(burst, member.whenFull);
            fanOut.delivered(burst.deliveries().size());
          }
        }
        return true;
      }
    }
  }

  /** A socket in this group. */
  private final class Member implements Recipient.Membership {
    private final Part part;
    private final Recipient recipient;
    private final WhenFull whenFull;

    // Loop only.
    private int index = -1;
    private boolean isOver;

    Member(Part part, Recipient recipient, WhenFull whenFull) {
      this.part = part;
      this.recipient = recipient;
      this.whenFull = whenFull;
    }

    @Override
    public Object group() {
      return Group.this;
    }

    @Override
    public void ended() {
      part.added(-1);
      part.fanOut.execute(new Leave());
    }

    private final class Join extends FanOut.Task {
      @Override
      protected boolean run() {
        if (!isOver) { // it may have ended before this was left
          index = part.members.size();
          part.members.add(Member.this);
        }
        return true;
      }
    }

    private final class Leave extends FanOut.Task {
      @Override
      protected boolean run() {
        isOver = true;
        if (index >= 0) {
          Member last = part.members.removeLast();
          if (last != Member.this) { // which takes the free place
            part.members.set(index, last);
            last.index = index;
          }
        }
        return true;
      }
    }
  }
}
