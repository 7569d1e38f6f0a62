package dev.windhover.http.websocket;

/**
 * What happens to a message whose receiver has no room for it, because it reads more slowly than it
 * is sent to. Given to a {@link Group} when a socket joins or when a message is sent, or to {@link
 * WebSocket#send(PreparedMessage, WhenFull)}.
 *
 * <p>These messages have a queue's room of their own: there is room for one that does not take
 * those that wait, together with what the transport holds, above the high mark of {@code sendQueue}
 * (1 MiB by default), and for a larger one while none waits. What a handler sends with the other
 * methods takes nothing from it, and waits for nothing in it but its turn: a socket whose own
 * handler sends a long answer does not count as slow.
 *
 * <p>What is dropped is a whole message of this kind, before its first byte has left. {@link
 * WebSocket#droppedMessages()} counts them.
 */
public enum WhenFull {
  /**
   * The receiver is disconnected: messages of this kind that wait are dropped, and a Close with
   * 1013 (try again later) is sent. The default for sends to many: a receiver gets every message or
   * learns that it has missed some.
   */
  DISCONNECT,

  /**
   * The oldest waiting messages that were sent with this policy are dropped until there is room: a
   * slow receiver gets the latest messages, with gaps. If none of them waits, the message itself is
   * dropped.
   */
  DROP_OLDEST,

  /** The message is dropped: a slow receiver gets what it has been promised first, then gaps. */
  DROP_NEWEST,

  /**
   * The message takes the place of the previous one with the same key if that has not begun to
   * leave, whether or not the queue is full; see {@link Group#sendLatest}. If there is none and no
   * room, the oldest message with this policy or {@link #DROP_OLDEST} is dropped.
   *
   * <p>A socket to which such a message is sent is kept short of output from then on: the library
   * hands over 16 KiB ahead of time instead of 64 KiB and, where the system can be told (epoll,
   * io_uring), the system holds 16 KiB that it has not sent instead of 128 KiB.
   */
  KEEP_LATEST,

  /**
   * The sender waits for room, as with {@link WebSocket#send(PreparedMessage, SendFlag...)}. Only
   * for a message to a single socket: a group would wait for its slowest member.
   */
  WAIT
}
