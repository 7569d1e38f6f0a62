package dev.windhover.websocket;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import dev.windhover.websocket.OutgoingMessage.Borrowed;
import dev.windhover.websocket.OutgoingMessage.Pooled;
import dev.windhover.websocket.deflate.Compression;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The messages that a socket sends, in one order, whichever threads send them, within a bound.
 *
 * <p>A sender claims room in {@link #waiting}, the one count of what waits, and leaves its message
 * in the mailbox; without room it parks. The connection's loop empties the mailbox into a queue of
 * its own, and makes frames of the messages as the transport takes them. No lock is taken on either
 * side. A socket without traffic holds nothing here but empty fields.
 *
 * <p>A message in pieces keeps other messages back until it ends: their senders wait ({@link
 * #send}), or they wait themselves ({@link #offer}).
 */
final class Outbox {
  /** Set in {@link #waiting} when nothing more may be claimed: a Close follows what is there. */
  private static final long SEALED = 1L << 62;

  /** So often a turn of the loop hands over what the transport takes at once, 64 KiB each. */
  private static final int MOST_ROUNDS = 16;

  // What a claim may be answered with instead of its size.
  private static final long NO_ROOM = -1;
  private static final long NOTHING_MORE = -2;

  private static final VarHandle WAITING;
  private static final VarHandle MAILBOX;
  private static final VarHandle OPEN;
  private static final VarHandle PARKED;
  private static final VarHandle CLOSING;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      WAITING = lookup.findVarHandle(Outbox.class, "waiting", long.class);
      MAILBOX = lookup.findVarHandle(Outbox.class, "mailbox", OutgoingMessage.class);
      OPEN = lookup.findVarHandle(Outbox.class, "open", OpenMessage.class);
      CLOSING = lookup.findVarHandle(Outbox.class, "closing", CloseReason.class);
      PARKED = lookup.findVarHandle(Outbox.class, "parked", ParkedThreads.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Session session;
  private final SendMarks marks;
  private final @Nullable MessageCompressor compressor;

  // ---- Any thread

  /** The bytes of messages that were claimed and have not left; and {@link #SEALED}. */
  private volatile long waiting;

  /** What was sent since the loop last looked, the latest first. */
  private volatile @Nullable OutgoingMessage mailbox;

  /** The message in pieces that is under way. */
  private volatile @Nullable OpenMessage open;

  /** Those of {@link #waiting} that wait for its end; written by the loop. */
  private volatile long keptBack;

  /** Who waits to begin a message; made when somebody has to. */
  private volatile @Nullable ParkedThreads parked;

  /** The high mark was reached, which was told, and the low one was not since. */
  private volatile boolean overHigh;

  /** Odd while bytes are on their way from {@link #waiting} to the transport. */
  private volatile int moves;

  /** Our Close, which follows all that waits. */
  private volatile @Nullable CloseReason closing;

  /** The connection is to be ended after all that waits. */
  private volatile boolean endsAfter;

  /** Nothing new can be sent at all. */
  private volatile boolean gone;

  // ---- Loop only

  private @Nullable OutgoingMessage first;
  private @Nullable OutgoingMessage last;
  private @Nullable OutgoingMessage firstKeptBack;
  private @Nullable OutgoingMessage lastKeptBack;

  /** The message in pieces that is under way where the loop has got to. */
  private @Nullable OpenMessage underWay;

  /** How much may be written directly before the transport is asked again what it holds. */
  private long room;

  private boolean draining;
  private boolean drainAgain;
  private boolean drainScheduled;
  private boolean closeWritten;
  private boolean isOver;
  private boolean endTold;

  Outbox(Session session, SendMarks marks, @Nullable MessageCompressor compressor) {
    this.session = session;
    this.marks = marks;
    this.compressor = compressor;
  }

  // ---- What waits

  /** Returns the bytes that wait here. */
  private long waits() {
    return waiting & ~SEALED;
  }

  private long pending() {
    Duplex duplex = session.duplexOrNull();
    return duplex == null ? 0 : duplex.pending();
  }

  /** Returns the bytes of messages that wait here and in the transport. Any thread. */
  @SuppressWarnings("ThreadPriorityCheck") // the loop may need this core to go on
  long bufferedAmount() {
    while (true) {
      int before = moves;
      long sum = waits() + pending();
      if ((before & 1) == 0 && before == moves) {
        return sum;
      }
      if (session.loop().inLoop()) {
        return sum; // from within a call that is moving them
      }
      Thread.yield();
    }
  }

  /** Returns what must leave for a piece of {@code message} to have room. */
  private long ahead(@Nullable OpenMessage message) {
    return message != null && message.begun ? waits() - keptBack : waits();
  }

  /** Returns whether nothing waits to be sent here. Loop only. */
  boolean isEmpty() {
    return waits() == 0;
  }

  /** Claims room, whether there is any or not. */
  private void claim(long charge) throws WebSocketClosedException {
    long before;
    do {
      before = waiting;
      if ((before & SEALED) != 0) {
        throw closed();
      }
    } while (!WAITING.compareAndSet(this, before, before + charge));
  }

  private void release(long charge) {
    WAITING.getAndAdd(this, -charge);
  }

  // ---- Sending by a thread that may wait

  /**
   * Sends one frame of a message, and waits for its turn and for room.
   *
   * @param by whose message it is: a thread, or a message writer
   * @param size of the payload before it was compressed, if it was
   * @return whether there is room for more
   */
  boolean send(Object by, ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    requireOpen();
    OpenMessage message = open;
    if (message != null && message.isOf(by)) {
      message.requireFits(type, as);
    } else {
      message = end ? null : begin(by);
    }
    OutgoingMessage sent;
    boolean queued = false;
    try {
      if (message != null) {
        message.finishing = end;
      }
      Opcode opcode = message == null ? OutgoingMessage.opcodeOf(type) : message.opcode(type);
      sent = claimRoom(message, opcode, payload, size, end, as);
      queued = true;
    } finally {
      if (!queued) {
        leaveTurn();
      }
      if (!queued && message != null) {
        message.finishing = false;
        if (!message.begun) {
          endOf(message);
        }
      }
    }
    long whole = message == null ? size : message.sent(type, as, size);
    post(sent);
    leaveTurn(); // the next sender's message comes after this one
    if (end && message != null) {
      endOf(message);
    }
    if (sent instanceof Borrowed borrowed) {
      awaitOut(borrowed);
    }
    if (end) {
      session.sent(type, whole);
    }
    return waits() < marks.capacity();
  }

  /** Begins a message of {@code by}, as soon as no other is under way; its pieces follow. */
  void startMessage(Object by) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    requireOpen();
    begin(by).begun = true;
  }

  private OpenMessage begin(Object by) throws IOException, InterruptedException {
    OpenMessage message = new OpenMessage(by);
    if (isAnybodyParked() || !OPEN.compareAndSet(this, null, message)) {
      parked().awaitInTurn(() -> !canSend() || OPEN.compareAndSet(this, null, message));
      leaveTurn();
      if (!message.equals(open)) {
        throw closed();
      }
    }
    return message;
  }

  private OpenMessage beginAtOnce(Object by) {
    OpenMessage message = new OpenMessage(by);
    if (!OPEN.compareAndSet(this, null, message)) {
      throw new IllegalStateException("a message of another sender is under way");
    }
    return message;
  }

  private void endOf(OpenMessage message) {
    if (OPEN.compareAndSet(this, message, null)) {
      wakeNext();
    }
  }

  /** Returns the message with room claimed for it. */
  private OutgoingMessage claimRoom(
      @Nullable OpenMessage message,
      Opcode opcode,
      ByteBuffer payload,
      int size,
      boolean end,
      SendAs as)
      throws IOException, InterruptedException {
    long frame = frameSize(payload);
    long charge = tryClaim(message, frame, false);
    if (charge == NO_ROOM) {
      charge = message != null ? awaitRoomWithin(message, frame) : awaitTurnAndRoom(frame);
    }
    if (charge == NOTHING_MORE) {
      throw closed();
    }
    if (charge == frame) {
      return owned(opcode, end, as, size, message, payload, charge);
    }
    tellFull();
    return new Borrowed(opcode, end, as, size, message, payload, charge);
  }

  private long frameSize(ByteBuffer payload) {
    int length = payload.remaining();
    return (long) session.conversation().headerSize(length) + length;
  }

  /**
   * Claims room for a frame, within {@code message} or, if that is null, by itself. A frame that
   * could not wait here whole, not even at the low mark, claims what is left and is lent.
   *
   * @param waited whether its sender has had to wait, and so goes on at the low mark
   * @return what was claimed, or else {@link #NO_ROOM} or {@link #NOTHING_MORE}
   */
  private long tryClaim(@Nullable OpenMessage message, long frame, boolean waited) {
    while (true) {
      long before = waiting;
      if ((before & SEALED) != 0 || gone) {
        return NOTHING_MORE;
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

  private long awaitTurnAndRoom(long frame) throws InterruptedException {
    var claim =
        new BooleanSupplier() {
          private long charge = NO_ROOM;

          @Override
          public boolean getAsBoolean() {
            charge = tryClaim(null, frame, true);
            if (charge == NO_ROOM && open == null) {
              tellFull();
            }
            return charge != NO_ROOM;
          }
        };
    parked().awaitInTurn(claim);
    return claim.charge;
  }

  /** Waits for room in the middle of a message, where nobody else is served first. */
  private long awaitRoomWithin(OpenMessage message, long frame) throws InterruptedException {
    tellFull();
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

  /** Returns a message with a payload of its own, which leaves the sender's to the sender. */
  private OutgoingMessage owned(
      Opcode opcode,
      boolean end,
      SendAs as,
      int size,
      @Nullable OpenMessage part,
      ByteBuffer payload,
      long charge) {
    if (as.isPrepared()) {
      return new OutgoingMessage(opcode, end, as, size, part, payload, charge);
    }
    int bytes = payload.remaining();
    ByteBuffer pooled = bytes <= marks.largestChunk() ? PayloadPool.take(bytes) : null;
    return pooled != null
        ? new Pooled(opcode, end, as, size, part, pooled.put(payload).flip(), charge)
        : new OutgoingMessage(
            opcode, end, as, size, part, ByteBuffer.allocate(bytes).put(payload).flip(), charge);
  }

  /** Waits until the loop has taken all of a payload, which is the caller's again then. */
  private void awaitOut(Borrowed message) throws IOException, InterruptedException {
    boolean interrupted = false;
    while (!message.isOver()) {
      if (Thread.interrupted() && !interrupted) {
        if (message.withdraw()) {
          session.onLoop(this::drain); // which finds it in the way
          throw new InterruptedException();
        }
        interrupted = true;
        session.abortSending("a sender was interrupted in the middle of a frame");
      }
      LockSupport.park(this);
    }
    if (interrupted) {
      throw new InterruptedException();
    }
    if (!message.isOut()) {
      throw closed();
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
    ParkedThreads made = new ParkedThreads();
    return PARKED.compareAndSet(this, null, made) ? made : parked();
  }

  private void leaveTurn() {
    ParkedThreads waiters = parked;
    if (waiters != null) {
      waiters.leave();
    }
  }

  private void wakeNext() {
    ParkedThreads waiters = parked;
    if (waiters != null) {
      waiters.wakeFirst();
    }
  }

  /** Wakes everybody: nothing more can be sent. */
  private void wakeAll() {
    ParkedThreads waiters = parked;
    if (waiters != null) {
      waiters.wakeAll();
    }
    wakeWithin();
  }

  private void wakeWithin() {
    OpenMessage message = open;
    Thread sender = message == null ? null : message.waiting;
    if (sender != null) {
      LockSupport.unpark(sender);
    }
  }

  // ---- Sending by who may not wait

  /**
   * Sends one frame of a message without waiting, from the loop or another thread.
   *
   * @return whether what waits is below the high mark
   * @throws IllegalStateException if it is not, and that was told before
   */
  boolean offer(Object by, ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException {
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || session.loop().inLoop();
    requireOpen();
    if (inLoop && end && isIdle() && (compressor == null || compressor.standsAlone(size, as))) {
      return writeAtOnce(payload, size, type, as, delivering);
    }
    OpenMessage message = open;
    if (message != null && message.isOf(by)) {
      requireRoom(message);
      message.requireFits(type, as);
    } else {
      requireRoom(null);
      message = end ? null : beginAtOnce(by);
    }
    long frame = frameSize(payload);
    Opcode opcode = message == null ? OutgoingMessage.opcodeOf(type) : message.opcode(type);
    claim(frame);
    long whole = message == null ? size : message.sent(type, as, size);
    OutgoingMessage sent = owned(opcode, end, as, size, message, payload, frame);
    if (end && message != null) {
      endAfter(message);
    }
    boolean below;
    if (inLoop) {
      takeMail();
      admit(sent);
      if (!delivering || bufferedAmount() >= marks.high()) { // else with the rest of the batch
        drain();
      }
      below = isBelowHigh();
    } else {
      below = isBelowHigh(); // before the loop can drain it and miss who is to be told
      post(sent);
    }
    if (end) {
      session.sent(type, whole);
    }
    return below;
  }

  /** The message ends with a piece that is about to be left. */
  private void endAfter(OpenMessage message) {
    if (bufferedAmount() > ahead(message)) {
      overHigh = true; // those kept back may have been refused since room was told
    }
    if (OPEN.compareAndSet(this, message, null)) {
      wakeNext();
    }
  }

  /**
   * What waits for the end of a message cannot keep the message from its end, or nothing would
   * leave. Those who wait for it are refused at the mark: they may have been told of room that is
   * ahead of it.
   */
  private void requireRoom(@Nullable OpenMessage own) {
    long amount = own != null ? ahead(own) + pending() : bufferedAmount();
    boolean always = own == null && keptBack > 0;
    if (amount >= marks.high() && (overHigh || always)) {
      throw new IllegalStateException(
          "send queue of "
              + amount
              + " bytes is over its high mark of "
              + marks.high()
              + "; wait for onWritable");
    }
  }

  private boolean isBelowHigh() {
    if (bufferedAmount() < marks.high()) {
      return true;
    }
    tellFull();
    return false;
  }

  /** The high mark is reached: told once until the low one is. Any thread. */
  private void tellFull() {
    if (!overHigh) {
      overHigh = true;
      session.loop().execute(session::full);
    }
  }

  // ---- Past the queue

  /** Returns whether nothing waits here and nobody is within a message. Loop only. */
  private boolean isIdle() {
    return waiting == 0 && open == null && session.isOpened() && !draining;
  }

  /** Writes a message straight into the transport's output. */
  private boolean writeAtOnce(
      ByteBuffer payload, int size, MessageType type, SendAs as, boolean delivering) {
    Duplex duplex = session.duplex();
    long frame = 14L + payload.remaining();
    long left = room;
    if (left <= frame) {
      long pending = duplex.pending();
      requireRoom(null);
      left = marks.high() - pending;
    }
    room = left - frame;
    session.conversation().frame(OutgoingMessage.opcodeOf(type), true, as.reservedBits(), payload);
    if (!delivering) {
      drainSoon();
    }
    boolean below = room > 0 || duplex.pending() < marks.high();
    if (!below) {
      tellFull();
    }
    session.sent(type, size);
    return below;
  }

  private void drainSoon() {
    if (!drainScheduled) {
      drainScheduled = true;
      session
          .loop()
          .execute(() -> {
            drainScheduled = false;
            drain();
          });
    }
  }

  // ---- The mailbox

  /** Leaves a message for the loop. */
  private void post(OutgoingMessage message) {
    OutgoingMessage before;
    do {
      before = mailbox;
      message.next = before;
    } while (!MAILBOX.compareAndSet(this, before, message));
    if (before == null) {
      session.loop().execute(this::drain);
    }
  }

  /** Takes what was left, in the order in which it was. */
  private void takeMail() {
    if (mailbox == null) {
      return;
    }
    OutgoingMessage latest = (OutgoingMessage) MAILBOX.getAndSet(this, null);
    OutgoingMessage earliest = null;
    while (latest != null) {
      OutgoingMessage before = latest.next;
      latest.next = earliest;
      earliest = latest;
      latest = before;
    }
    while (earliest != null) {
      OutgoingMessage next = earliest.next;
      earliest.next = null;
      admit(earliest);
      earliest = next;
    }
  }

  /** Puts a message where it belongs: at the end, or with those that are kept back. */
  private void admit(OutgoingMessage message) {
    if (underWay != null && !underWay.equals(message.part)) {
      if (lastKeptBack == null) {
        firstKeptBack = message;
      } else {
        lastKeptBack.next = message;
      }
      lastKeptBack = message;
      long sum = keptBack + message.charge; // by the loop alone
      keptBack = sum;
      wakeWithin(); // less is ahead of it than it seemed
      return;
    }
    if (last == null) {
      first = message;
    } else {
      last.next = message;
    }
    last = message;
    boolean ends = underWay != null && message.end;
    underWay = message.end ? null : message.part;
    if (ends) {
      OutgoingMessage kept = firstKeptBack;
      firstKeptBack = null;
      lastKeptBack = null;
      keptBack = 0;
      while (kept != null) {
        OutgoingMessage next = kept.next;
        kept.next = null;
        admit(kept);
        kept = next;
      }
    }
  }

  // ---- To the transport

  /** Hands over as much as the transport takes, and flushes. Loop only. */
  void drain() {
    if (!session.isOpened()) {
      return;
    }
    if (draining) {
      drainAgain = true;
      return;
    }
    draining = true;
    room = 0; // what the transport holds is to be asked again
    int slice = Compression.SLICE_BYTES;
    int rounds = 0;
    do {
      drainAgain = false;
      takeMail();
      slice = handOver(slice);
      session.duplex().flush();
    } while (drainAgain && ++rounds < MOST_ROUNDS);
    draining = false;
    if (drainAgain) {
      drainSoon(); // a peer that takes whatever comes is not the only one of this loop
    }
    if (isOver && !endTold) {
      endTold = true;
      session.conversation().endOutput();
      session.duplex().end();
    }
    session.handedOver();
    wakeWhereThereIsRoom();
  }

  private void wakeWhereThereIsRoom() {
    long waits = waits();
    if (open != null && waits - keptBack <= marks.lowRoom()) {
      wakeWithin();
    }
    if (parked != null && waits <= marks.lowRoom()) {
      wakeNext();
    }
    if (overHigh && waits - keptBack + pending() <= marks.low()) {
      overHigh = false;
      session.writable();
    }
  }

  /** All that was delivered together was looked at: what it brought about leaves. Loop only. */
  void batchEnd() {
    if (waiting == 0 && mailbox == null && !overHigh && !endsAfter) {
      session.conversation().flushPong();
      session.duplex().flush();
      room = 0;
      session.handedOver();
    } else {
      drain();
    }
  }

  /**
   * Hands over as much as the transport takes now.
   *
   * @param slice how much may still be compressed in this turn
   * @return how much of that is left
   */
  private int handOver(int slice) {
    int left = slice;
    Duplex duplex = session.duplex();
    Conversation conversation = session.conversation();
    conversation.flushPong();
    int before = moves;
    moves = before + 1;
    try {
      for (OutgoingMessage next; (next = first) != null && duplex.pending() < marks.share(); ) {
        if (!next.begun && !next.begin()) {
          taken(next); // it was withdrawn
        } else if (compressor != null && compressor.compresses(next)) {
          int size = next.payload.remaining();
          if (left > 0 && compressor.write(next, conversation, left)) {
            taken(next);
          }
          left -= size - next.payload.remaining();
          if (left <= 0 && first != null) {
            drainSoon();
            break;
          }
        } else {
          write(next, conversation);
        }
      }
    } finally {
      moves = before + 2;
    }
    if (first == null) {
      writeClose(conversation);
    }
    return left;
  }

  /** Writes a message as it is: whole, or a chunk of it. */
  private void write(OutgoingMessage message, Conversation conversation) {
    ByteBuffer payload = message.payload;
    int size = payload.remaining();
    if (message.left == 0) { // nothing of it is out
      long frame = frameSize(payload);
      if (message instanceof Pooled pooled) {
        conversation.header(message.opcode, message.end, message.as.reservedBits(), size);
        conversation.payload(payload, pooled.handOver());
        taken(message);
        return;
      }
      if (size <= marks.largestChunk()) {
        conversation.frame(message.opcode, message.end, message.as.reservedBits(), payload);
        taken(message);
        return;
      }
      message.left = frame;
      conversation.header(message.opcode, message.end, message.as.reservedBits(), size);
      left(message, frame - size);
    }
    int chunk = Math.min(size, marks.largestChunk());
    int limit = payload.limit();
    conversation.payload(payload.limit(payload.position() + chunk));
    payload.limit(limit);
    left(message, chunk);
    if (!payload.hasRemaining()) {
      taken(message);
    }
  }

  /** So many bytes of a message have left. */
  private void left(OutgoingMessage message, long bytes) {
    message.left -= bytes;
    long before = message.charge;
    message.charge = Math.min(before, message.left);
    release(before - message.charge);
  }

  /** The first message has left. */
  private void taken(OutgoingMessage message) {
    first = message.next;
    if (first == null) {
      last = null;
    }
    release(message.charge);
    message.done(true);
    if (message.end && compressor != null) {
      compressor.messageEnded(message.as);
    }
  }

  /** Writes our Close after all that was sent before it, and ends the output where that is due. */
  private void writeClose(Conversation conversation) {
    CloseReason reason = closing;
    // A sender that has claimed its room comes before the Close, if it is still to leave its
    // message.
    boolean isSealed = (waiting & SEALED) != 0;
    if (reason != null && isSealed && !closeWritten && waits() == keptBack && mailbox == null) {
      closeWritten = true;
      conversation.close(reason);
      dropKeptBack();
      endCompression();
    }
    isOver |= endsAfter && (closing == null || closeWritten) && !conversation.isInsideFrame();
  }

  // ---- The end

  /**
   * Says which Close is to be sent, before the state does: whoever finds the state changed, and
   * ends the output, finds the Close that is to come first. Any thread.
   *
   * @return false if another was claimed already
   */
  boolean claimClose(CloseReason reason) {
    return CLOSING.compareAndSet(this, null, reason);
  }

  /** The state does not allow the claimed Close any more. Any thread. */
  void disclaimClose() {
    closing = null;
  }

  /**
   * Seals what is here, and sends the claimed Close after it; called once. Any thread.
   *
   * @param end whether the connection ends after it, whatever the peer does
   */
  void close(boolean end) {
    if (end) {
      endsAfter = true;
    }
    WAITING.getAndBitwiseOr(this, SEALED);
    wakeAll();
    if (session.inLoop() && session.isOpened() && !draining) {
      takeMail();
      if (first == null) {
        writeClose(session.conversation()); // before the answer to a Ping that came after this
      }
    }
    session.loop().execute(this::drain);
  }

  /** The connection ends after what is here: both Closes are through. Any thread. */
  void endAfterAll() {
    endsAfter = true;
    session.loop().execute(this::drain);
  }

  /**
   * Nothing new can be sent. What is here still leaves if {@code end}, but for what is lent; else
   * it is dropped. Any thread.
   */
  void stop(boolean end) {
    gone = true;
    WAITING.getAndBitwiseOr(this, SEALED);
    if (end) {
      endsAfter = true;
    }
    wakeAll();
    session.onLoop(() -> drop(end));
  }

  private void drop(boolean keepsWhole) {
    takeMail();
    boolean cut = first instanceof Borrowed && first.begun;
    OutgoingMessage each = first;
    first = null;
    last = null;
    while (each != null) {
      OutgoingMessage next = each.next;
      each.next = null;
      if (!keepsWhole || cut || each instanceof Borrowed) {
        release(each.charge);
        each.done(false);
      } else if (last == null) {
        first = each;
        last = each;
      } else {
        last.next = each;
        last = each;
      }
      each = next;
    }
    if (cut || !keepsWhole) {
      session.conversation().abandonFrame();
      dropKeptBack();
      closeWritten = true; // there is no other way to say it
      endCompression();
    }
    if (keepsWhole) {
      drain();
    }
  }

  private void dropKeptBack() {
    for (OutgoingMessage each = firstKeptBack; each != null; each = each.next) {
      release(each.charge);
      each.done(false);
    }
    firstKeptBack = null;
    lastKeptBack = null;
    keptBack = 0;
    underWay = null;
  }

  private void endCompression() {
    if (compressor != null) {
      compressor.end();
    }
  }

  /** Returns whether a message was begun, and nobody is about to end it. Any thread. */
  boolean hasUnfinishedMessage() {
    OpenMessage message = open;
    return message != null && message.begun && !message.finishing;
  }

  private void requireOpen() throws WebSocketClosedException {
    if (!canSend()) {
      throw closed();
    }
  }

  private boolean canSend() {
    return session.state().canSend() && !gone;
  }

  private WebSocketClosedException closed() {
    return new WebSocketClosedException(
        session.state() == WebSocketState.CLOSE_SENT
            ? "cannot send: the socket is closing"
            : "cannot send: the socket has ended");
  }
}
