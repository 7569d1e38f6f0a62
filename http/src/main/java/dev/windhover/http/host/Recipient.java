package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WhenFull;
import org.jspecify.annotations.Nullable;

/**
 * A socket as a group sees it. Any thread may call it, except where a method says otherwise.
 *
 * <p>Implemented by Windhover's engines; methods may be added.
 */
public interface Recipient {
  /** A socket's place in a group. */
  interface Membership {
    /** Returns the group; compared by identity. */
    Object group();

    /** Returns whether it is over. Any thread. */
    boolean hasEnded();

    /** The socket can be sent nothing more, and is no member any more. Any thread. */
    void ended();
  }

  /** Compresses messages for all sockets with the same settings. */
  interface Encoder {
    /** Returns whether {@code other} does the same. */
    boolean isSame(Encoder other);

    /** Stores the compressed form in the message. Not on a loop. */
    void encode(PreparedMessage message);
  }

  /**
   * Returns {@code socket} as a group sees it.
   *
   * @throws IllegalArgumentException if no engine of ours made it
   */
  static Recipient of(WebSocket socket) {
    if (socket instanceof Recipient recipient) {
      return recipient;
    }
    throw new IllegalArgumentException(
        "a group takes sockets that a handler has accepted, not a " + socket.getClass().getName());
  }

  /** Returns what puts everything in order that is sent to many sockets of this one's loop. */
  FanOut fanOut();

  /** Returns what compresses this socket's messages; null if they are not compressed. */
  @Nullable Encoder encoder();

  /**
   * Makes the socket a member.
   *
   * @return false if it is one already, or can be sent nothing more
   */
  boolean add(Membership membership);

  /** Ends the membership in {@code group} and returns it; null if there is none. */
  @Nullable Membership remove(Object group);

  /**
   * Sends a message to this one alone, after all that the calling thread has sent before, here or
   * to many. A sender waits only if it is faster than the loop; see {@link FanOut#awaitRoom}.
   */
  default void post(Delivery delivery) {
    FanOut fanOut = fanOut();
    fanOut.awaitRoom();
    Encoder encoder = encoder();
    if (encoder != null && !LoopThread.isCurrent()) {
      encoder.encode(delivery.message());
    }
    fanOut.execute(new ToOne(this, delivery));
  }

  /**
   * Sends messages as far as there is room, and skips them if the socket can be sent nothing more.
   * Loop only, from a {@link FanOut.Task}.
   *
   * @param whenFull for messages that do not say it themselves
   */
  void deliver(Burst burst, WhenFull whenFull);
}
