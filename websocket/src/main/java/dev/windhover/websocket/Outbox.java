package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Conversation;
import dev.windhover.websocket.deflate.Compression;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The messages that a socket sends, in one order, whichever threads send them, within a bound.
 *
 * <p>A {@link Sender} passes the {@link SendGate}, and leaves its message in the mailbox. The
 * connection's loop empties the mailbox into the {@link SendQueue}, lets the messages leave as the
 * transport takes them, and our Close after them. No lock is taken on either side. A socket without
 * traffic holds nothing here but empty fields.
 */
final class Outbox {
  /** In one turn, the loop refills the transport, 64 KiB each time, at most this often. */
  private static final int MOST_ROUNDS = 16;

  private static final VarHandle MAILBOX = handle("mailbox", OutgoingMessage.class);
  private static final VarHandle CLOSING = handle("closing", CloseReason.class);

  private final Session session;
  private final SendMarks marks;
  private final SendGate gate;
  private final SendQueue queue;
  private final @Nullable MessageCompressor compressor;

  // ---- Any thread

  /** What was sent since the loop last looked, the latest first. */
  private volatile @Nullable OutgoingMessage mailbox;

  /** What is sent with a policy; made for the first, by the loop. */
  private volatile @Nullable Deliveries deliveries;

  /** Our Close, which follows all that waits. */
  private volatile @Nullable CloseReason closing;

  /** The connection is to be ended after all that waits. */
  private volatile boolean endsAfter;

  // ---- Loop only

  /** How much may be written directly before the transport is asked again what it holds. */
  private long room;

  private boolean draining;
  private boolean drainAgain;
  private boolean drainScheduled;
  private boolean closeWritten;
  private boolean endTold;

  Outbox(Session session, SendMarks marks, SendGate gate, @Nullable MessageCompressor compressor) {
    this.session = session;
    this.marks = marks;
    this.gate = gate;
    this.queue = new SendQueue(session, marks, gate, compressor);
    this.compressor = compressor;
  }

  private static VarHandle handle(String field, Class<?> type) {
    return ConstantBootstraps.fieldVarHandle(
        MethodHandles.lookup(), field, VarHandle.class, Outbox.class, type);
  }

  // ---- What waits

  /** Returns the bytes of messages that wait here and in the transport. Any thread. */
  long bufferedAmount() {
    return amount(true);
  }

  /** Returns those of them that count for senders without a policy. Any thread. */
  long amount() {
    return amount(false);
  }

  @SuppressWarnings("ThreadPriorityCheck") // the loop may need this core to go on
  private long amount(boolean all) {
    while (true) {
      int before = queue.moves();
      long sum = gate.waits() + (all ? waitingDeliveries() : 0) + session.pending();
      boolean isConsistent = (before & 1) == 0 && before == queue.moves();
      if (isConsistent || session.inLoop()) { // the loop may ask while it moves them
        return sum;
      }
      Thread.yield();
    }
  }

  private long waitingDeliveries() {
    Deliveries known = deliveries;
    return known == null ? 0 : known.waits();
  }

  /** Returns whether nothing waits to be sent here. */
  private boolean isEmpty() {
    return gate.waits() == 0 && waitingDeliveries() == 0;
  }

  /** Returns whether the transport was given everything, and our Close if there is one. */
  boolean isAllOut() {
    return isEmpty() && mailbox == null && (closing == null || closeWritten);
  }

  /**
   * Returns how much memory the messages that wait here take, without {@link #shared}. Loop only.
   */
  long held() {
    return queue.held();
  }

  /** Returns how many bytes wait here of payloads that may wait for other sockets, too. */
  long shared() {
    return queue.shared() + waitingDeliveries();
  }

  long frameSize(ByteBuffer payload) {
    int length = payload.remaining();
    return (long) session.conversation().headerSize(length) + length;
  }

  // ---- Full

  /**
   * What waits for the end of a message cannot keep the message from its end, or nothing would
   * leave. Those who wait for it are refused at the mark: they may have been told of room that is
   * ahead of it.
   */
  void requireRoom(@Nullable OpenMessage own) {
    long amount = own != null ? gate.ahead(own) + session.pending() : amount();
    boolean always = own == null && gate.keepsBack();
    if (amount >= marks.high() && (gate.isFull() || always)) {
      throw new IllegalStateException(
          "send queue of "
              + amount
              + " bytes is over its high mark of "
              + marks.high()
              + "; wait for onWritable");
    }
  }

  /** Returns whether what waits is below the mark at which senders are told; else tells them. */
  boolean isBelowHigh() {
    if (amount() < marks.full()) {
      return true;
    }
    gate.tellFull();
    return false;
  }

  // ---- Past the queue

  /** Returns whether nothing waits here and nobody is within a message. Loop only. */
  boolean isIdle() {
    return isQuiet() && !session.isFanOutPending();
  }

  /** The same within what is sent to many. */
  boolean isQuiet() {
    return gate.isClear() && waitingDeliveries() == 0 && session.isOpened() && !draining;
  }

  /**
   * Writes a whole message straight into the transport's output, because nothing waits. Loop only.
   *
   * @param delivering whether the host is about to flush
   * @return whether what waits is below the mark at which senders are told
   */
  boolean write(ByteBuffer payload, int size, MessageType type, SendAs as, boolean delivering) {
    long frame = frameSize(payload);
    long left = room;
    if (left <= frame) {
      long pending = session.pending();
      requireRoom(null);
      left = marks.full() - pending;
    }
    room = left - frame;
    session.conversation().frame(OutgoingMessage.opcodeOf(type), true, as.reservedBits(), payload);
    if (!delivering) {
      drainSoon();
    }
    session.sent(type, size);
    return room > 0 || isBelowHigh();
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

  // ---- Compressed, and to many

  /** A prepared message as this socket sends it. */
  record Encoded(ByteBuffer payload, SendAs as) {}

  /**
   * Returns {@code message} as this socket sends it. Any thread.
   *
   * @param plain a view of its payload
   */
  Encoded encode(PreparedMessage message, ByteBuffer plain) {
    if (compressor == null || !compressor.compression().isWorth(message.size())) {
      return new Encoded(plain, SendAs.PREPARED);
    }
    ByteBuffer coded = compressor.compression().encoded(message, session.inLoop());
    if (coded == null) {
      return new Encoded(plain, SendAs.PREPARED_COMPRESSIBLE);
    }
    return coded.remaining() < message.size()
        ? new Encoded(coded, SendAs.PREPARED_CODED)
        : new Encoded(plain, SendAs.PREPARED);
  }

  boolean compresses() {
    return compressor != null;
  }

  /** Returns whether a message concerns no other; see {@link MessageCompressor#standsAlone}. */
  boolean standsAlone(int size, SendAs as) {
    return compressor == null || compressor.standsAlone(size, as);
  }

  /** Returns what is sent with a policy. Loop only. */
  Deliveries deliveries() {
    Deliveries known = deliveries;
    if (known == null) {
      known = new Deliveries(session, marks, this, queue);
      deliveries = known;
    }
    return known;
  }

  /** Returns how many messages were dropped because there was no room. Any thread. */
  long dropped() {
    Deliveries known = deliveries;
    return known == null ? 0 : known.dropped();
  }

  boolean isSealed() {
    return gate.isSealed();
  }

  // ---- The mailbox

  /** Leaves a message for the loop, after what is on its way to many. */
  void post(OutgoingMessage message) {
    if (session.isFanOutPending()) {
      session.fanOut().execute(() -> take(message));
      return;
    }
    OutgoingMessage before;
    do {
      before = mailbox;
      message.next = before;
    } while (!MAILBOX.compareAndSet(this, before, message));
    if (before == null) {
      session.loop().execute(this::drain);
    }
  }

  /**
   * Queues a message from the loop itself, unless what is sent to many is pending. Loop only.
   *
   * @param delivering whether the host is about to flush
   */
  void queue(OutgoingMessage sent, boolean delivering) {
    takeMail();
    queue.add(sent);
    if (!delivering || amount() >= marks.high()) { // else with the rest of the batch
      drain();
    }
  }

  private void take(OutgoingMessage message) {
    takeMail();
    queue.add(message);
    drainSoon();
  }

  /** Takes what was left, in the order in which it was. Loop only. */
  void takeMail() {
    if (mailbox == null) {
      return;
    }
    OutgoingMessage latest = (OutgoingMessage) MAILBOX.getAndSet(this, null);
    OutgoingMessage first = null;
    while (latest != null) { // turns the order around
      OutgoingMessage before = latest.next;
      latest.next = first;
      first = latest;
      latest = before;
    }
    while (first != null) {
      OutgoingMessage after = first.next;
      queue.add(first);
      first = after;
    }
  }

  // ---- To the transport

  /** Hands over as much as the transport takes, and flushes. Loop only. */
  void drain() {
    if (!session.isOpened()) {
      if (queue.dropsAll()) {
        takeMail(); // of a sender that had claimed its room, and may wait for its payload
      }
      return;
    }
    if (draining) {
      drainAgain = true;
      return;
    }
    draining = true;
    room = 0; // what the transport holds is to be asked again
    Conversation conversation = session.conversation();
    int slice = Compression.SLICE_BYTES;
    int rounds = 0;
    do {
      drainAgain = false;
      takeMail();
      conversation.flushPong();
      slice = queue.handOver(slice, share());
      if (queue.isEmpty()) {
        writeClose(conversation);
      }
      session.duplex().flush();
    } while (drainAgain && ++rounds < MOST_ROUNDS);
    draining = false;
    if (drainAgain || (slice <= 0 && !queue.isEmpty())) {
      drainSoon(); // this peer is not the only one of the loop
    }
    if (isOver(conversation) && !endTold) {
      endTold = true;
      conversation.endOutput();
      session.duplex().end();
    }
    queue.countPrepared();
    session.handedOver();
    gate.wakeWhereThereIsRoom();
    Deliveries known = deliveries;
    if (known != null) {
      known.handedOver();
    }
  }

  private int share() {
    Deliveries known = deliveries;
    return known == null ? marks.share() : known.share();
  }

  /** All that was delivered together was looked at: what it brought about leaves. Loop only. */
  void batchEnd() {
    if (isEmpty() && !gate.isSealed() && mailbox == null && !gate.isFull() && !endsAfter) {
      session.conversation().flushPong();
      session.duplex().flush();
      room = 0;
      session.handedOver();
    } else {
      drain();
    }
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
    Deliveries known = deliveries;
    if (session.isFanOutPending() && (known == null || !known.hasFallenBehind())) {
      session.fanOut().execute(() -> closeNow(end));
    } else {
      closeNow(end);
    }
  }

  private void closeNow(boolean end) {
    if (end) {
      endsAfter = true;
    }
    gate.seal();
    if (session.inLoop() && session.isOpened() && !draining) {
      takeMail();
      if (queue.isEmpty()) {
        writeClose(session.conversation()); // before the answer to a Ping that came after this
      }
    }
    session.loop().execute(this::drain);
  }

  /** Writes our Close after all that was sent before it. */
  private void writeClose(Conversation conversation) {
    CloseReason reason = closing;
    // A sender that has claimed its room comes before the Close, even if its message is not here
    // yet.
    boolean isDue = gate.isSealed() && gate.isAllKeptBack() && mailbox == null;
    if (reason != null && isDue && !closeWritten) {
      conversation.close(reason);
      noneFollows();
    }
  }

  /** Our Close is out, or cannot be sent any more. */
  private void noneFollows() {
    closeWritten = true;
    queue.dropKeptBack();
    if (compressor != null) {
      compressor.end();
    }
  }

  private boolean isOver(Conversation conversation) {
    return endsAfter
        && queue.isEmpty()
        && (closing == null || closeWritten)
        && !conversation.isInsideFrame();
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
    if (end) {
      endsAfter = true;
    }
    gate.stop();
    session.onLoop(() -> {
      takeMail();
      if (queue.end(!end)) {
        session.conversation().abandonFrame();
        noneFollows();
        Deliveries known = deliveries;
        if (known != null) {
          known.end();
        }
      }
      if (end) {
        drain();
      }
    });
  }
}
