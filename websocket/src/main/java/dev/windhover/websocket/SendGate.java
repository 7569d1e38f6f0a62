package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.WebSocketState;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Who may send on a socket, and how much. Before senders leave a message in the {@link Outbox},
 * they claim room for it here, in the one count of what waits. A sender that finds no room, or a
 * message of another sender under way, parks; those that park are served in order. No lock is
 * taken. Any thread, except where it says otherwise.
 */
final class SendGate {
  /** Set in {@link #waiting} when nothing more may be claimed: a Close follows what is there. */
  private static final long SEALED = 1L << 62;

  // What a claim may be answered with instead of its size.
  private static final long NO_ROOM = -1;
  private static final long CLOSED = -2;

  private static final VarHandle WAITING = handle("waiting", long.class);
  private static final VarHandle OPEN = handle("open", OpenMessage.class);
  private static final VarHandle PARKED = handle("parked", ParkedThreads.class);

  private final Session session;
  private final SendMarks marks;

  /** The bytes of messages that were claimed and have not left; and {@link #SEALED}. */
  private volatile long waiting;

  /** Those of {@link #waiting} that wait for the end of {@link #open}; written by the loop. */
  private volatile long keptBack;

  /** Messages that claim no room wait for the end of {@link #open}; written by the loop. */
  private volatile boolean keepsOthersBack;

  /** The message in pieces that is under way. */
  private volatile @Nullable OpenMessage open;

  /** The threads that wait for their turn or for room; made for the first. */
  private volatile @Nullable ParkedThreads parked;

  /** The high mark was reached, and the low one has not been since. */
  private volatile boolean full;

  /** Somebody was refused because of {@link #open}, and hears of its end. */
  private volatile boolean endAwaited;

  /** What is wrong with the message that has failed the socket. */
  private volatile @Nullable String fault;

  private volatile boolean stopped;

  SendGate(Session session, SendMarks marks) {
    this.session = session;
    this.marks = marks;
  }

  private static VarHandle handle(String field, Class<?> type) {
    return ConstantBootstraps.fieldVarHandle(
        MethodHandles.lookup(), field, VarHandle.class, SendGate.class, type);
  }

  // ---- What waits

  /** Returns the bytes of messages that wait. */
  long waits() {
    return waiting & ~SEALED;
  }

  /** Returns whether nothing waits and all may send. */
  boolean isClear() {
    return waiting == 0 && open == null;
  }

  /** Returns what must leave before a piece of {@code message} has room. */
  long ahead(@Nullable OpenMessage message) {
    return message != null && message.begun ? waits() - keptBack : waits();
  }

  /** Returns whether messages wait for the end of another. */
  boolean keepsBack() {
    return keptBack > 0;
  }

  /** Returns whether all that waits is kept back. */
  boolean isAllKeptBack() {
    return waits() == keptBack;
  }

  /** More bytes wait for the end of the message under way. Loop only. */
  void keepBack(long charge) {
    long sum = keptBack + charge;
    keptBack = sum;
    awaitEndOfOpen();
    wakeWithin(); // less is ahead of it than it seemed
  }

  /** A message that has claimed no room waits for the end of the message under way. Loop only. */
  void keepOtherBack() {
    keepsOthersBack = true;
    awaitEndOfOpen();
  }

  /** None wait for that any more. Loop only. */
  void keepNoneBack() {
    keptBack = 0;
    keepsOthersBack = false;
  }

  /** Bytes that were claimed have left, or never will. */
  void release(long charge) {
    WAITING.getAndAdd(this, -charge);
  }

  // ---- Taking a turn, and room

  /**
   * Waits until {@code by} may send.
   *
   * @return the message under way of that sender, or null if it is to send a whole one
   */
  @Nullable OpenMessage enter(Object by, MessageType type, boolean end, SendAs as)
      throws WebSocketClosedException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    requireOpen();
    OpenMessage own = ownPiece(by, type, as);
    return own != null || end ? own : begin(by);
  }

  private @Nullable OpenMessage ownPiece(Object by, MessageType type, SendAs as) {
    OpenMessage own = openOf(by);
    if (own != null) {
      own.requireFits(type, as);
    }
    return own;
  }

  /** Waits until no other message is under way, and begins one of {@code by}. */
  OpenMessage begin(Object by) throws WebSocketClosedException, InterruptedException {
    OpenMessage message = new OpenMessage(by, session, this);
    if (isAnybodyParked() || !OPEN.compareAndSet(this, null, message)) {
      requireNotOwn();
      parked()
          .awaitInTurn(() -> {
            if (!canSend() || OPEN.compareAndSet(this, null, message)) {
              return true;
            }
            awaitEndOfOpen();
            return false;
          });
      leave();
      if (!message.equals(open)) {
        throw closed();
      }
    }
    return message;
  }

  /**
   * Returns the message under way of {@code by}, or null if it is to send a whole one.
   *
   * @throws IllegalStateException if another's is under way, and this is a piece
   */
  @Nullable OpenMessage enterAtOnce(Object by, MessageType type, boolean end, SendAs as) {
    OpenMessage own = ownPiece(by, type, as);
    if (own != null || end) {
      return own;
    }
    OpenMessage message = new OpenMessage(by, session, this);
    if (!OPEN.compareAndSet(this, null, message)) {
      isOpenAbandoned(); // then nobody will be refused again
      throw new IllegalStateException("a message of another sender is under way");
    }
    return message;
  }

  /** Returns the message under way, if it is of {@code by}. */
  @Nullable OpenMessage openOf(Object by) {
    OpenMessage message = open;
    return message != null && message.isOf(by) ? message : null;
  }

  /** Ends a message, so that the next one may begin. */
  void end(OpenMessage message) {
    if (OPEN.compareAndSet(this, message, null)) {
      wakeNext();
      if (endAwaited) {
        endAwaited = false;
        full = true;
        session.loop().execute(this::wakeWhereThereIsRoom);
      }
    }
  }

  /** The calling thread has left its message: the next one's may follow. */
  void leave() {
    ParkedThreads waiters = parked;
    if (waiters != null) {
      waiters.leave();
    }
  }

  /** Returns whether a message was begun, and nobody is about to end it. */
  boolean hasUnfinishedMessage() {
    OpenMessage message = open;
    return message != null && message.begun && !message.finishing;
  }

  /** Claims room, whether there is any or not. */
  void claimAtOnce(long frame) throws WebSocketClosedException {
    long before;
    do {
      before = waiting;
      if ((before & SEALED) != 0) {
        throw closed();
      }
    } while (!WAITING.compareAndSet(this, before, before + frame));
  }

  /**
   * Waits for room for a frame, within {@code message} or, if that is null, by itself. If this
   * fails, the sender has left.
   *
   * @return what was claimed: less than the frame if that could never wait whole
   */
  long claim(@Nullable OpenMessage message, long frame, boolean end)
      throws WebSocketClosedException, InterruptedException {
    long charge = NO_ROOM;
    try {
      if (message != null) {
        message.finishing = end;
      }
      charge = tryClaim(message, frame, false);
      if (charge == NO_ROOM) {
        charge = message != null ? awaitRoomWithin(message, frame) : awaitTurnAndRoom(frame);
      }
    } finally {
      if (charge < 0) {
        giveUp(message);
      }
    }
    if (charge == CLOSED) {
      throw closed();
    }
    return charge;
  }

  /**
   * A sender that has claimed room has failed, and sends nothing. It has left; others may go on as
   * soon as the loop has looked.
   *
   * @param message that of which this was a piece, or null
   */
  void disclaim(@Nullable OpenMessage message, long charge) {
    release(charge);
    giveUp(message);
  }

  private void giveUp(@Nullable OpenMessage message) {
    leave();
    if (message != null) {
      message.finishing = false;
      if (!message.begun) {
        end(message);
      }
    }
  }

  /**
   * Claims room for a frame. One that could not wait whole, not even at the low mark, claims what
   * is left.
   *
   * @param waited whether its sender has had to wait, and so goes on at the low mark
   * @return what was claimed, or else {@link #NO_ROOM} or {@link #CLOSED}
   */
  private long tryClaim(@Nullable OpenMessage message, long frame, boolean waited) {
    while (true) {
      long before = waiting;
      if ((before & SEALED) != 0 || stopped) {
        return CLOSED;
      }
      if (message == null && (open != null || (!waited && isAnybodyParked()))) {
        return NO_ROOM; // its turn is yet to come
      }
      long ahead = message == null || !message.begun ? before : before - keptBack;
      long left = marks.capacity() - ahead;
      boolean fits = frame <= left;
      boolean isLarge = frame > marks.capacity() - marks.lowRoom();
      if ((waited && ahead > marks.lowRoom()) || (!fits && !(isLarge && left > 0))) {
        return NO_ROOM;
      }
      long charge = Math.min(frame, left);
      if (WAITING.compareAndSet(this, before, before + charge)) {
        return charge;
      }
    }
  }

  /**
   * Claims room for a whole message if it has its turn and room at once. Whoever is refused hears
   * of the next chance.
   *
   * @return whether all of it was claimed
   */
  boolean tryClaim(long frame) throws WebSocketClosedException {
    boolean turnAwaited = false;
    boolean roomAwaited = false;
    while (true) {
      long before = waiting;
      if ((before & SEALED) != 0 || stopped) {
        throw closed();
      }
      if (open == null && !isAnybodyParked() && fits(before, frame)) {
        if (WAITING.compareAndSet(this, before, before + frame)) {
          return true;
        }
      } else if (open != null ? turnAwaited : roomAwaited) {
        return false;
      } else if (open != null) { // awaited first, then looked again: it may have ended meanwhile
        turnAwaited = true;
        endAwaited = true;
        if (isOpenAbandoned()) {
          return false;
        }
      } else {
        roomAwaited = true;
        tellFull();
      }
    }
  }

  /** Returns whether a whole message of that size has room. */
  boolean fits(long frame) {
    return fits(waits(), frame);
  }

  /** What is refused is heard of again: either something waits, or the transport's mark runs. */
  private boolean fits(long waits, long frame) {
    long pending = session.pending();
    return waits + pending + frame <= marks.high() || (waits == 0 && pending < marks.share());
  }

  private long awaitTurnAndRoom(long frame) throws InterruptedException {
    requireNotOwn();
    long[] charge = new long[1];
    parked()
        .awaitInTurn(() -> {
          charge[0] = tryClaim(null, frame, true);
          if (charge[0] != NO_ROOM) {
            return true;
          }
          if (open == null) {
            tellFull();
          } else {
            awaitEndOfOpen();
          }
          return false;
        });
    return charge[0];
  }

  /** Waits for room in the middle of a message, where nobody else is served first. */
  private long awaitRoomWithin(OpenMessage message, long frame) throws InterruptedException {
    tellFull(); // before there can be a wake-up, which it could use up
    message.waiting = Thread.currentThread();
    try {
      long charge;
      while ((charge = tryClaim(message, frame, true)) == NO_ROOM) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        LockSupport.park(this);
      }
      return charge;
    } finally {
      message.waiting = null;
    }
  }

  private boolean isAnybodyParked() {
    ParkedThreads waiters = parked;
    return waiters != null && !waiters.isEmpty();
  }

  private ParkedThreads parked() {
    ParkedThreads known = parked;
    if (known != null) {
      return known;
    }
    ParkedThreads made = new ParkedThreads(session.loop());
    return PARKED.compareAndSet(this, null, made) ? made : parked();
  }

  // ---- Those that wait for the end of another's message

  private void requireNotOwn() {
    OpenMessage message = open;
    if (message != null && message.isOwn()) {
      throw new IllegalStateException("a message of this sender is under way");
    }
  }

  /** The calling thread, or a message that is kept back, waits for the end of {@link #open}. */
  private void awaitEndOfOpen() {
    OpenMessage message = open;
    if (message != null) {
      message.awaitEnd();
    }
  }

  private boolean isOpenAbandoned() {
    OpenMessage message = open;
    return message != null && message.isAbandoned();
  }

  /** Returns whether {@code message} is under way and can still end. */
  boolean isUnderWay(OpenMessage message) {
    return message.equals(open) && canSend();
  }

  /** Returns whether anybody waits for the end of the message under way. */
  boolean isEndAwaited() {
    return isAnybodyParked() || keepsBack() || keepsOthersBack;
  }

  /** The message under way fails the socket, because its senders would wait in vain. Loop only. */
  void fail(String why) {
    fault = why;
    session.sendingFailed(why);
  }

  // ---- Full, and not full any more

  /** Returns whether the high mark was reached, and the low one has not been since. */
  boolean isFull() {
    return full;
  }

  /** Whoever is refused from now on hears of room again. */
  void refill() {
    full = true;
  }

  /** Returns whether a sender that may wait finds room. */
  boolean hasRoom() {
    return waits() < marks.capacity();
  }

  /** The high mark is reached, which is told once until the low one is. */
  void tellFull() {
    if (!full) {
      full = true;
      session.loop().execute(() -> session.limitReached(Limit.SEND_QUEUE));
    }
  }

  /** Wakes those for whom there is room, and tells of it. Loop only. */
  void wakeWhereThereIsRoom() {
    long waits = waits();
    if (open != null && waits - keptBack <= marks.lowRoom()) {
      wakeWithin();
    }
    if (parked != null && waits <= marks.lowRoom()) {
      wakeNext();
    }
    if (full && waits - keptBack + session.pending() <= marks.writable()) {
      full = false;
      session.writable();
    }
  }

  private void wakeNext() {
    ParkedThreads waiters = parked;
    if (waiters != null) {
      waiters.wakeFirst();
    }
  }

  private void wakeWithin() {
    OpenMessage message = open;
    Thread sender = message == null ? null : message.waiting;
    if (sender != null) {
      session.loop().unpark(sender);
    }
  }

  // ---- The end

  /** Nothing more is let in: a Close follows what is there. */
  void seal() {
    WAITING.getAndBitwiseOr(this, SEALED);
    ParkedThreads waiters = parked;
    if (waiters != null) {
      waiters.wakeAll();
    }
    wakeWithin();
  }

  boolean isSealed() {
    return (waiting & SEALED) != 0;
  }

  /** Nothing more is let in, whatever the state says. */
  void stop() {
    stopped = true;
    seal();
  }

  void requireOpen() throws WebSocketClosedException {
    if (!canSend()) {
      throw closed();
    }
  }

  private boolean canSend() {
    return session.life().state().canSend() && !stopped;
  }

  /** Returns what a sender is told that comes too late. */
  WebSocketClosedException closed() {
    String known = fault;
    if (known != null) {
      return new WebSocketClosedException("cannot send: " + known);
    }
    return new WebSocketClosedException(
        session.life().state() == WebSocketState.CLOSE_SENT
            ? "cannot send: the socket is closing"
            : "cannot send: the socket has ended");
  }
}
