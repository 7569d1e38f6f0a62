package dev.windhover.websocket;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import dev.windhover.websocket.deflate.Compression;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The messages that a socket sends, in one order, whichever threads send them, within a bound.
 *
 * <p>A sender passes the {@link SendGate}, and leaves its message in the mailbox. The connection's
 * loop empties the mailbox into a queue of its own, and makes frames of the messages as the
 * transport takes them. No lock is taken on either side. A socket without traffic holds nothing
 * here but empty fields.
 *
 * <p>A message in pieces keeps other messages back until it ends: their senders wait ({@link
 * #send}), or the messages do ({@link #offer}).
 */
final class Outbox {
  /** In one turn, the loop refills the transport, 64 KiB each time, at most this often. */
  private static final int MOST_ROUNDS = 16;

  /**
   * As much as is handed over ahead of time of what is soon outdated. With what the system holds,
   * that is a few of the largest chunks.
   */
  private static final int SHORT_SHARE = 16 * 1024;

  private static final VarHandle MAILBOX;
  private static final VarHandle CLOSING;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      MAILBOX = lookup.findVarHandle(Outbox.class, "mailbox", OutgoingMessage.class);
      CLOSING = lookup.findVarHandle(Outbox.class, "closing", CloseReason.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Session session;
  private final SendMarks marks;
  private final SendGate gate;
  private final @Nullable MessageCompressor compressor;

  // ---- Any thread

  /** What was sent since the loop last looked, the latest first. */
  private volatile @Nullable OutgoingMessage mailbox;

  /** Odd while bytes are on their way from the gate's count to the transport's. */
  private volatile int moves;

  /** Our Close, which follows all that waits. */
  private volatile @Nullable CloseReason closing;

  /** The connection is to be ended after all that waits. */
  private volatile boolean endsAfter;

  /**
   * The bytes of messages that wait and were sent with a policy, which is not the gate's to count;
   * written by the loop.
   */
  private volatile long shared;

  /** How many of those were dropped; written by the loop. */
  private volatile long dropped;

  // ---- Loop only

  private final Chain queue = new Chain();

  /** The messages that wait for the end of {@link #underWay}; made for the first. */
  private @Nullable Chain keptBack;

  /** The message in pieces that is under way where the loop has got to. */
  private @Nullable OpenMessage underWay;

  /** Those that may be dropped; made for the first. */
  private @Nullable DroppableMessages droppable;

  /** The memory of the messages here; what many sockets share does not count. */
  private long held;

  /** How much may be written directly before the transport is asked again what it holds. */
  private long room;

  private boolean draining;
  private boolean drainAgain;
  private boolean drainScheduled;
  private boolean closeWritten;
  private boolean isOver;
  private boolean endTold;

  /** A message found no room, which is told once until the low mark is reached. */
  private boolean sharedFull;

  /** Little is handed over ahead of time, because it is soon outdated. */
  private boolean keepsShort;

  private boolean fallenBehind;

  /** Nothing that comes now leaves any more, or nothing that is lent. */
  private boolean dropsAll;

  private boolean dropsLent;

  Outbox(Session session, SendMarks marks, @Nullable MessageCompressor compressor) {
    this.session = session;
    this.marks = marks;
    this.gate = new SendGate(session, marks);
    this.compressor = compressor;
  }

  /** Returns the bytes of messages that wait here and in the transport. Any thread. */
  long bufferedAmount() {
    return amount(true);
  }

  /** Returns those of them that count for senders without a policy. Any thread. */
  private long amount() {
    return amount(false);
  }

  @SuppressWarnings("ThreadPriorityCheck") // the loop may need this core to go on
  private long amount(boolean all) {
    while (true) {
      int before = moves;
      long sum = gate.waits() + (all ? shared : 0) + session.pending();
      boolean isConsistent = (before & 1) == 0 && before == moves;
      if (isConsistent || session.inLoop()) { // the loop may ask while it moves them
        return sum;
      }
      Thread.yield();
    }
  }

  /** Returns whether nothing waits to be sent here. */
  private boolean isEmpty() {
    return gate.waits() == 0 && shared == 0;
  }

  /** Returns how many messages were dropped because there was no room. Any thread. */
  long dropped() {
    return dropped;
  }

  /** Returns whether the transport was given everything, and our Close if there is one. */
  boolean isAllOut() {
    return isEmpty() && mailbox == null && (closing == null || closeWritten);
  }

  /** Returns whether a message was begun, and nobody is about to end it. Any thread. */
  boolean hasUnfinishedMessage() {
    return gate.hasUnfinishedMessage();
  }

  /**
   * Returns how much memory the messages that wait here take, without {@link #shared}. Loop only.
   */
  long held() {
    return held;
  }

  /** Returns how many bytes wait here of payloads that may wait for other sockets, too. */
  long shared() {
    return shared;
  }

  private long frameSize(ByteBuffer payload) {
    int length = payload.remaining();
    return (long) session.conversation().headerSize(length) + length;
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
    OpenMessage message = gate.enter(by, type, end, as);
    if (message == null) {
      return sendFrame(null, payload, size, type, end, as);
    }
    message.enterCall();
    try {
      return sendFrame(message, payload, size, type, end, as);
    } finally {
      message.leaveCall(session.loop().nanoTime());
    }
  }

  private boolean sendFrame(
      @Nullable OpenMessage message,
      ByteBuffer payload,
      int size,
      MessageType type,
      boolean end,
      SendAs as)
      throws IOException, InterruptedException {
    OutgoingMessage sent = new OutgoingMessage(type, end, as, size, message);
    long frame = frameSize(payload);
    sent.charge = gate.claim(message, frame, end);
    OutgoingMessage.Loan loan = null;
    if (sent.charge == frame) {
      sent.copy(payload, marks.largestChunk(), mayCompress(as));
    } else {
      loan = sent.lend(payload);
    }
    long whole = message == null ? size : message.sent(type, as, size);
    post(sent);
    gate.leave(); // the next sender's message comes after this one
    if (end && message != null) {
      gate.end(message);
    }
    if (loan != null) {
      gate.tellFull();
      awaitOut(loan, message == null);
    }
    if (end) {
      session.sent(type, whole);
    }
    return gate.hasRoom();
  }

  private boolean mayCompress(SendAs as) {
    return compressor != null && !as.isPlain();
  }

  /** Begins a message of {@code by}, as soon as no other is under way; its pieces follow. */
  void startMessage(Object by) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    gate.requireOpen();
    gate.begin(by).begun = true;
  }

  /**
   * Waits until the loop has taken all of a payload, which is the caller's again then.
   *
   * @param isWhole whether no other frame may have to follow it
   */
  private void awaitOut(OutgoingMessage.Loan loan, boolean isWhole)
      throws IOException, InterruptedException {
    boolean interrupted = false;
    while (!loan.isOver()) {
      if (Thread.interrupted() && !interrupted) {
        if (isWhole && loan.withdraw()) {
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
    if (!loan.isOut()) {
      throw gate.closed();
    }
  }

  // ---- Sending without waiting

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
    gate.requireOpen();
    if (inLoop && end && isIdle() && (compressor == null || compressor.standsAlone(size, as))) {
      return writeAtOnce(payload, size, type, as, delivering);
    }
    requireRoom(gate.openOf(by));
    OpenMessage message = gate.enterAtOnce(by, type, end, as);
    OutgoingMessage sent = new OutgoingMessage(type, end, as, size, message);
    sent.charge = frameSize(payload);
    gate.claimAtOnce(sent.charge);
    sent.copy(payload, marks.largestChunk(), mayCompress(as));
    long whole = message == null ? size : message.sent(type, as, size);
    if (message != null) {
      message.leaveCall(session.loop().nanoTime());
      if (end) {
        endAfter(message);
      }
    }
    boolean below;
    if (inLoop && !session.isFanOutPending()) {
      queue(sent, delivering);
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

  /**
   * Sends a whole message if nobody would have to wait for that, from the loop or another thread.
   *
   * @return false if nothing was sent
   */
  boolean trySend(ByteBuffer payload, int size, MessageType type, SendAs as)
      throws WebSocketClosedException {
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || session.loop().inLoop();
    gate.requireOpen();
    long frame = frameSize(payload);
    if (inLoop
        && isIdle()
        && gate.fits(frame)
        && (compressor == null || compressor.standsAlone(size, as))) {
      writeAtOnce(payload, size, type, as, delivering);
      return true;
    }
    OutgoingMessage sent = new OutgoingMessage(type, true, as, size, null);
    if (!gate.tryClaim(frame)) {
      return false;
    }
    sent.charge = frame;
    sent.copy(payload, marks.largestChunk(), mayCompress(as));
    if (inLoop && !session.isFanOutPending()) {
      queue(sent, delivering);
    } else {
      post(sent);
    }
    session.sent(type, size);
    return true;
  }

  void requireOpen() throws WebSocketClosedException {
    gate.requireOpen();
  }

  /** Returns whether {@link #trySend} has a chance. Any thread. */
  boolean mayTrySend() throws WebSocketClosedException {
    gate.requireOpen();
    return gate.tryClaim(0);
  }

  /** Queues a message from the loop itself. */
  private void queue(OutgoingMessage sent, boolean delivering) {
    takeMail();
    held += sent.memory();
    admit(sent);
    if (!delivering || amount() >= marks.high()) { // else with the rest of the batch
      drain();
    }
  }

  /** The message ends with a piece that is about to be left. */
  private void endAfter(OpenMessage message) {
    if (amount() > gate.ahead(message)) {
      gate.refill(); // those kept back may have been refused since room was told
    }
    gate.end(message);
  }

  /**
   * What waits for the end of a message cannot keep the message from its end, or nothing would
   * leave. Those who wait for it are refused at the mark: they may have been told of room that is
   * ahead of it.
   */
  private void requireRoom(@Nullable OpenMessage own) {
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

  private boolean isBelowHigh() {
    if (amount() < marks.full()) {
      return true;
    }
    gate.tellFull();
    return false;
  }

  // ---- Sending with a policy

  /**
   * Sends messages without looking at each of them: as frames that were made for all sockets alike,
   * if nothing waits and they are few. {@link #flushDelivered} must follow. Loop only, in the order
   * of what is sent to many; not if messages may be compressed.
   *
   * @param keepsLatest whether any of them may be replaced
   * @return false if nothing was sent
   */
  boolean writeThrough(Burst burst, boolean keepsLatest) {
    if ((keepsLatest && !keepsShort)
        || burst.bytes() > marks.largestChunk()
        || gate.isSealed()
        || fallenBehind
        || !isQuiet()
        || session.pending() > 0) {
      return false;
    }
    session.conversation().frames(burst.frames(Outbox::toFrames));
    List<Delivery> all = burst.deliveries();
    for (int i = 0; i < all.size(); i++) { // there are many, and mostly one
      PreparedMessage each = all.get(i).message();
      session.sent(each.type(), each.size());
    }
    return true;
  }

  private static ByteBuffer toFrames(Burst burst) {
    List<Delivery> all = burst.deliveries();
    long most = burst.bytes() + (long) all.size() * FrameWriter.MAX_HEADER_BYTES;
    ByteBuffer frames = ByteBuffer.allocate(Math.toIntExact(most));
    for (Delivery each : all) {
      Opcode opcode = OutgoingMessage.opcodeOf(each.message().type());
      FrameWriter.server().frame(frames, opcode, true, each.payload());
    }
    return frames.flip();
  }

  /**
   * Sends a whole message as far as there is room; {@link #flushDelivered} must follow. Loop only,
   * in the order of what is sent to many.
   *
   * @param payload of {@code delivery}, as it is sent: it never changes, but for its position
   */
  void deliver(Delivery delivery, ByteBuffer payload, SendAs as, WhenFull whenFull) {
    if (gate.isSealed() || fallenBehind) {
      return; // it is leaving its groups
    }
    MessageType type = delivery.message().type();
    int size = delivery.message().size();
    boolean keepsLatest = whenFull == WhenFull.KEEP_LATEST;
    if (keepsLatest && !keepsShort && session.isOpened()) {
      keepShort();
    }
    if (isQuiet()
        && payload.remaining() <= marks.largestChunk()
        && session.pending() < share()
        && (compressor == null || compressor.standsAlone(size, as))) {
      int bits = as.reservedBits();
      session.conversation().frame(OutgoingMessage.opcodeOf(type), true, bits, payload);
      session.sent(type, size);
      return;
    }
    takeMail();
    long frame = frameSize(payload);
    OutgoingMessage before =
        keepsLatest && droppable != null ? droppable.latest(delivery.key()) : null;
    if (before != null) {
      addShared(frame - before.charge);
      before.charge = frame;
      waitsNoMore(before);
      before.replace(delivery, as, payload);
      waits(before);
      countDropped();
    } else if (makeRoom(frame, whenFull)) {
      OutgoingMessage sent = new OutgoingMessage(type, true, as, size, null);
      sent.share(payload, delivery, keepsLatest ? delivery.key() : null);
      waits(sent);
      sent.charge = frame;
      addShared(frame);
      held += sent.memory();
      if (keepsLatest || whenFull == WhenFull.DROP_OLDEST) {
        DroppableMessages all = droppable == null ? new DroppableMessages() : droppable;
        all.add(sent);
        droppable = all;
      }
      admit(sent);
    }
  }

  /** Its payload counts from now on, and so does a compressed one, which the message keeps too. */
  private void waits(OutgoingMessage message) {
    Delivery delivery = Objects.requireNonNull(message.delivery());
    int coded = message.as == SendAs.PREPARED_CODED ? message.bytes() : 0;
    session.fanOut().waits(delivery, (long) message.size + coded);
  }

  private void waitsNoMore(OutgoingMessage message) {
    Delivery delivery = message.delivery();
    if (delivery != null) {
      session.fanOut().waitsNoMore(delivery);
    }
  }

  /** What was delivered leaves. Loop only. */
  void flushDelivered() {
    if (session.isOpened()) {
      batchEnd();
    }
  }

  /** What it is sent is soon outdated: little of it is to be on its way. */
  private void keepShort() {
    keepsShort = true;
    session.duplex().mark(share(), this::drain);
    session.duplex().holdLittle();
  }

  /** Returns whether there is room now; what may be dropped for that is. */
  private boolean makeRoom(long frame, WhenFull whenFull) {
    if (hasSharedRoom(frame)) {
      return true;
    }
    drain(); // perhaps only this turn has gathered that much
    boolean dropsOthers = whenFull == WhenFull.DROP_OLDEST || whenFull == WhenFull.KEEP_LATEST;
    while (!hasSharedRoom(frame)) {
      tellSharedFull();
      OutgoingMessage oldest = dropsOthers && droppable != null ? droppable.poll() : null;
      if (oldest != null) {
        remove(oldest);
      } else if (whenFull == WhenFull.DISCONNECT) {
        disconnect();
        return false;
      } else {
        countDropped();
        return false;
      }
    }
    return true;
  }

  /** The rule of {@link WhenFull}. The message under way does not count: nothing waits in it. */
  private boolean hasSharedRoom(long frame) {
    OutgoingMessage first = queue.first;
    long waits = shared;
    if (first != null && first.begun && first.isShared()) {
      waits -= first.charge;
    }
    return waits == 0 || waits + session.pending() + frame <= marks.high();
  }

  private void tellSharedFull() {
    if (!sharedFull) {
      sharedFull = true;
      session.full();
    }
  }

  private void remove(OutgoingMessage message) {
    if (!queue.remove(message)) {
      Objects.requireNonNull(keptBack).remove(message);
    }
    ended(message, false);
    countDropped();
  }

  private void countDropped() {
    long sum = dropped + 1;
    dropped = sum;
  }

  /** Somebody who must get everything cannot: what waits is dropped, and the socket is closed. */
  private void disconnect() {
    fallenBehind = true;
    String why = "send queue of " + marks.high() + " bytes is full";
    removeShared(queue);
    if (keptBack != null) {
      removeShared(keptBack);
    }
    countDropped();
    session.fallenBehind(why);
  }

  private void removeShared(Chain from) {
    for (OutgoingMessage each = from.first; each != null; ) {
      OutgoingMessage after = each.next;
      if (each.isShared() && !each.begun) {
        from.remove(each);
        ended(each, false);
        countDropped();
      }
      each = after;
    }
    droppable = null;
  }

  // ---- Past the queue

  /** Returns whether nothing waits here and nobody is within a message. Loop only. */
  private boolean isIdle() {
    return isQuiet() && !session.isFanOutPending();
  }

  private boolean isQuiet() {
    return gate.isClear() && shared == 0 && session.isOpened() && !draining;
  }

  /** Writes a message straight into the transport's output. */
  private boolean writeAtOnce(
      ByteBuffer payload, int size, MessageType type, SendAs as, boolean delivering) {
    Duplex duplex = session.duplex();
    long frame = frameSize(payload);
    long left = room;
    if (left <= frame) {
      long pending = duplex.pending();
      requireRoom(null);
      left = marks.full() - pending;
    }
    room = left - frame;
    session.conversation().frame(OutgoingMessage.opcodeOf(type), true, as.reservedBits(), payload);
    if (!delivering) {
      drainSoon();
    }
    boolean below = room > 0 || duplex.pending() < marks.full();
    if (!below) {
      gate.tellFull();
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

  /** Leaves a message for the loop, after what is on its way to many. */
  private void post(OutgoingMessage message) {
    if (session.isFanOutPending()) {
      session.fanOut().execute(new InTurn(() -> take(message)));
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

  /** Something for this socket that follows what is on its way to many. */
  private static final class InTurn extends FanOut.Task {
    private final Runnable task;

    InTurn(Runnable task) {
      this.task = task;
    }

    @Override
    protected boolean run() {
      task.run();
      return true;
    }
  }

  private void take(OutgoingMessage message) {
    takeMail();
    message.next = null;
    held += message.memory();
    if (dropsAll || (dropsLent && message.isLent())) {
      ended(message, false);
    } else {
      admit(message);
      drainSoon();
    }
  }

  /** Takes what was left, in the order in which it was. */
  private void takeMail() {
    if (mailbox == null) {
      return;
    }
    OutgoingMessage latest = (OutgoingMessage) MAILBOX.getAndSet(this, null);
    Chain mail = new Chain();
    while (latest != null) {
      OutgoingMessage before = latest.next;
      held += latest.memory();
      mail.addFirst(latest);
      latest = before;
    }
    admitAll(mail);
  }

  private void admitAll(Chain messages) {
    for (OutgoingMessage each; (each = messages.poll()) != null; ) {
      admit(each);
    }
  }

  /** Puts a message where it belongs: at the end, or with those that are kept back. */
  private void admit(OutgoingMessage message) {
    if (underWay != null && !underWay.equals(message.part)) {
      Chain kept = keptBack == null ? new Chain() : keptBack;
      kept.add(message);
      keptBack = kept;
      if (message.isShared()) {
        gate.keepOtherBack();
      } else {
        gate.keepBack(message.charge);
      }
      return;
    }
    queue.add(message);
    underWay = message.end ? null : message.part;
    Chain kept = keptBack;
    if (underWay == null && kept != null) {
      keptBack = null;
      gate.keepNoneBack();
      admitAll(kept);
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
    gate.wakeWhereThereIsRoom();
    sharedFull &= shared + session.pending() > marks.low();
  }

  /** Returns how much the transport may hold for more to be handed over. */
  private int share() {
    return keepsShort ? Math.min(marks.share(), SHORT_SHARE) : marks.share();
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
      for (OutgoingMessage next; (next = queue.first) != null && duplex.pending() < share(); ) {
        if (!next.begun && !begin(next)) {
          taken(next); // it was withdrawn
        } else if (compressor != null && compressor.compresses(next)) {
          int size = next.payload().remaining();
          if (left > 0 && compressor.write(next, conversation, left)) {
            taken(next);
          }
          left -= size - next.payload().remaining();
          if (left <= 0 && queue.first != null) {
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
    if (queue.first == null) {
      writeClose(conversation);
    }
    return left;
  }

  /** From now on it cannot be dropped. */
  private boolean begin(OutgoingMessage message) {
    if (droppable != null) {
      droppable.begun(message);
    }
    return message.begin();
  }

  /** Writes a message as it is: whole, or a chunk of it. */
  private void write(OutgoingMessage message, Conversation conversation) {
    ByteBuffer payload = message.payload();
    int size = payload.remaining();
    if (message.left == 0) { // nothing of it is out
      if (!message.isPooled() && size <= marks.largestChunk()) {
        conversation.frame(message.opcode, message.end, message.as.reservedBits(), payload);
        taken(message);
        return;
      }
      conversation.header(message.opcode, message.end, message.as.reservedBits(), message.bytes());
      message.left = message.bytes();
      left(message, 0); // the header is out
    }
    if (message.isPooled()) {
      conversation.payload(payload, message.handOver());
      left(message, size);
    } else {
      int chunk = Math.min(size, marks.largestChunk());
      int limit = payload.limit();
      conversation.payload(payload.limit(payload.position() + chunk));
      payload.limit(limit);
      left(message, chunk);
    }
    if (message.left == 0) {
      taken(message);
    }
  }

  /** These bytes of a message's payload have left, and its header. */
  private void left(OutgoingMessage message, long bytes) {
    message.left -= bytes;
    long before = message.charge;
    message.charge = Math.min(before, message.left);
    release(message, before - message.charge);
  }

  private void release(OutgoingMessage message, long charge) {
    if (message.isShared()) {
      addShared(-charge);
    } else {
      gate.release(charge);
    }
  }

  private void addShared(long bytes) {
    long sum = shared + bytes;
    shared = sum;
  }

  /** The first message has left. */
  private void taken(OutgoingMessage message) {
    queue.poll();
    ended(message, true);
    if (message.isShared()) {
      session.sent(message.type(), message.size);
    }
    if (message.end && compressor != null) {
      compressor.messageEnded(message.as);
    }
  }

  /** Writes our Close after all that was sent before it, and ends the output where that is due. */
  private void writeClose(Conversation conversation) {
    CloseReason reason = closing;
    // A sender that has claimed its room comes before the Close, even if its message is not here
    // yet.
    boolean isDue = gate.isSealed() && gate.isAllKeptBack() && mailbox == null;
    if (reason != null && isDue && !closeWritten) {
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
    if (session.isFanOutPending() && !fallenBehind) {
      session.fanOut().execute(new InTurn(() -> closeNow(end)));
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
      if (queue.first == null) {
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
    if (end) {
      endsAfter = true;
    }
    gate.stop();
    session.onLoop(() -> drop(end));
  }

  private void drop(boolean keepsWhole) {
    takeMail();
    dropsLent = true;
    dropsAll |= !keepsWhole;
    droppable = null;
    OutgoingMessage leaving = queue.first;
    boolean cut = leaving != null && leaving.isLent() && leaving.begun;
    Chain kept = new Chain();
    for (OutgoingMessage each; (each = queue.poll()) != null; ) {
      if (!keepsWhole || cut || each.isLent()) {
        ended(each, false);
      } else {
        kept.add(each);
      }
    }
    queue.addAll(kept);
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
    Chain kept = keptBack;
    if (kept != null) {
      for (OutgoingMessage each; (each = kept.poll()) != null; ) {
        ended(each, false);
      }
    }
    keptBack = null;
    gate.keepNoneBack();
    underWay = null;
  }

  private void endCompression() {
    if (compressor != null) {
      compressor.end();
    }
  }

  /** A message waits no more: all of it is out, or nothing more of it will be. */
  private void ended(OutgoingMessage message, boolean isOut) {
    release(message, message.charge);
    held -= message.memory();
    waitsNoMore(message);
    message.done(isOut, session.loop());
  }

  /** Messages in order; a queue that costs nothing while it is empty. Loop only. */
  private static final class Chain {
    private @Nullable OutgoingMessage first;
    private @Nullable OutgoingMessage last;

    void add(OutgoingMessage message) {
      message.next = null;
      message.previous = last;
      if (last == null) {
        first = message;
      } else {
        last.next = message;
      }
      last = message;
    }

    void addFirst(OutgoingMessage message) {
      message.next = first;
      message.previous = null;
      if (first == null) {
        last = message;
      } else {
        first.previous = message;
      }
      first = message;
    }

    /** Removes one from wherever it is; returns false if it is not in this chain. */
    boolean remove(OutgoingMessage message) {
      OutgoingMessage before = message.previous;
      OutgoingMessage after = message.next;
      if ((before == null && first != message) || (after == null && last != message)) {
        return false;
      }
      if (before == null) {
        first = after;
      } else {
        before.next = after;
      }
      if (after == null) {
        last = before;
      } else {
        after.previous = before;
      }
      message.previous = null;
      message.next = null;
      return true;
    }

    void addAll(Chain others) {
      for (OutgoingMessage each; (each = others.poll()) != null; ) {
        add(each);
      }
    }

    @Nullable OutgoingMessage poll() {
      OutgoingMessage message = first;
      if (message != null) {
        first = message.next;
        if (first == null) {
          last = null;
        } else {
          first.previous = null;
        }
        message.next = null;
      }
      return message;
    }
  }
}
