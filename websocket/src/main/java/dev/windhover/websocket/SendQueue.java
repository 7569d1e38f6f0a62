package dev.windhover.websocket;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Everything a socket sends, in one order, whichever threads send it: encoded frames on their way
 * to the duplex, within a bound. The socket's state lives here too, since "no message after a
 * Close" is a matter of this order.
 *
 * <p>Any thread appends under the lock; the loop alone moves bytes on to the duplex, a chunk at a
 * time and only as many as the transport takes. On the loop, with nothing queued, a frame goes
 * straight into the duplex's output buffer without the lock.
 */
final class SendQueue {
  private static final long NONE = -1;

  private final Duplex duplex;
  private final SendListener session;
  private final @Nullable Compression compression;
  private final SendMarks marks;

  /** Guards all fields below; volatile ones may be read without it. */
  private final ReentrantLock lock = new ReentrantLock();

  private final SendState state = new SendState(lock);

  /**
   * Nothing waits here and nobody is within a message, so that the loop may write without the lock:
   * one field to ask instead of five objects. Who begins either clears it; the loop sets it again
   * when it finds it so.
   */
  private volatile boolean idle = true;

  /**
   * Whose message is under way, and what waits to be handed over: made for what goes through the
   * queue, and not kept by a socket that rests.
   */
  private volatile @Nullable MessageEncoder encoder;

  /** Whether the call that is inside a frame ends its message. */
  private boolean finishing;

  private boolean drainScheduled;

  /** What the transport will hold with the chunk that it is being given; else {@link #NONE}. */
  private volatile long handingOver = NONE;

  private final Outlet outlet;

  // Loop only.
  private boolean end;
  private @Nullable ByteBuffer latestPong;

  /** Creates an empty one; {@code session} is told of what happens to it. */
  SendQueue(
      Duplex duplex, SendListener session, @Nullable Compression compression, SendMarks marks) {
    this.duplex = duplex;
    this.session = session;
    this.compression = compression;
    this.marks = marks;
    this.outlet = new Outlet(this, duplex, session, marks);
    duplex.loop().execute(() -> duplex.writeMark(marks.share()));
  }

  WebSocketState state() {
    return state.get();
  }

  long bufferedAmount() {
    lock.lock();
    try {
      return waiting();
    } finally {
      lock.unlock();
    }
  }

  /** Returns the same; under the lock, or on the loop. */
  private long waiting() {
    return queued() + inTransport();
  }

  private long inTransport() {
    long soon = handingOver;
    return soon == NONE ? duplex.pending() : soon; // the loop takes the next under the lock
  }

  /** Returns the part of it that does not wait for the end of the message under way. */
  private long amountAhead() {
    MessageEncoder current = encoder;
    return (current == null ? 0 : current.frames().sizeAhead()) + inTransport();
  }

  private int queued() {
    MessageEncoder current = encoder;
    return current == null ? 0 : current.frames().size();
  }

  private MessageEncoder encoder() {
    MessageEncoder current = encoder;
    if (current == null) {
      current = new MessageEncoder(compression, lock, state, marks.largestChunk());
      encoder = current;
    }
    return current;
  }

  private EncodedFrames frames() {
    return encoder().frames();
  }

  private Turns turns() {
    return encoder().turns();
  }

  /** Returns whether the transport has taken all that was to be sent. Loop only. */
  boolean isAllTaken() {
    lock.lock();
    try {
      return waiting() == 0 && latestPong == null && (idle || !frames().hasControlsBehindFrame());
    } finally {
      lock.unlock();
    }
  }

  // ---- Messages

  /**
   * Queues one frame of a message, and blocks while there is no room.
   *
   * @param by whose message it is: a thread, or a message writer
   * @param size of the payload before it was compressed, if it was
   */
  boolean send(Object by, ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException, InterruptedException {
    long whole;
    boolean below;
    lock.lockInterruptibly();
    try {
      idle = false;
      turns().take(by);
      boolean keepsTurn = turns().isBegun();
      try {
        encoder().requireFits(type, as);
        awaitRoom();
        boolean compresses = encoder().compresses(size, end, as);
        turns().begin();
        keepsTurn = true;
        frames().beginFrame(); // or several of this call, which are finished like one
        finishing = end;
        if (compresses) {
          while (!compress(payload, type, end, true)) {
            if (frames().size() >= marks.capacity()) {
              awaitLow();
            }
          }
        } else {
          encoder().header(payload, type, end, as);
          finishPayload(payload, as);
        }
        finishing = false;
        frames().endFrame();
        endCompression(); // a Close may be among what waited for that
        whole = endFrame(type, end, size);
      } finally {
        if (!keepsTurn) {
          releaseTurn();
        }
      }
      scheduleDrain();
      below = frames().size() < marks.capacity();
    } finally {
      lock.unlock();
    }
    if (end) {
      session.sent(type, whole);
    }
    return below;
  }

  /** Moves the payload of the frame whose header is out, waiting for room as often as it takes. */
  private void finishPayload(ByteBuffer payload, SendAs as)
      throws IOException, InterruptedException {
    while (true) {
      int room = marks.capacity() - frames().size(); // the header may have gone beyond
      encoder().payload(payload, Math.max(0, room), as);
      if (!payload.hasRemaining()) {
        return;
      }
      awaitLow();
    }
  }

  /** Waits for room while something is half sent, which cannot be left like that. */
  private void awaitLow() throws IOException, InterruptedException {
    scheduleDrain();
    outlet.full();
    try {
      while (!marks.hasRoomAgain(frames().size())) {
        state.awaitChange();
        state.requireNotGone();
      }
    } catch (InterruptedException e) {
      session.abortSending("a sender was interrupted in the middle of a frame");
      throw e;
    }
  }

  /**
   * Queues one frame of a message without blocking, from the loop or another thread.
   *
   * @return whether the queue is below its high mark
   * @throws IllegalStateException if it is not, and that was told before
   */
  boolean offer(Object by, ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException {
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || duplex.loop().inLoop();
    if (inLoop && end && idle && standsAlone(size, as)) {
      state.requireOpen();
      boolean below = outlet.message(payload, Turns.opcodeOf(type), as.reservedBits());
      if (!delivering) {
        outlet.drainBehind();
      }
      session.sent(type, size);
      return below;
    }
    long whole = size;
    boolean below = true;
    lock.lock();
    try {
      state.requireOpen();
      requireRoom(by);
      idle = false;
      if (!turns().tryTake(by)) {
        if (!end) {
          throw new IllegalStateException("a message of another sender is under way");
        }
        encoder().keepBehindMessage(payload, type, as);
      } else {
        boolean sent = false;
        try {
          encoder().requireFits(type, as);
          appendPiece(payload, size, type, end, as);
          whole = endFrame(type, end, size);
          sent = true;
        } finally {
          if (!sent && !turns().isBegun()) {
            releaseTurn();
            scheduleDrain();
          }
        }
      }
      if (!inLoop) {
        // Before the loop can drain it and miss who is to be told.
        below = outlet.isBelowHigh(waiting());
        scheduleDrain();
      }
    } finally {
      lock.unlock();
    }
    if (inLoop) {
      if (!delivering || waiting() >= marks.high()) { // else with the rest of the batch
        drain();
      }
      below = outlet.isBelowHigh(waiting());
    }
    if (end) {
      session.sent(type, whole);
    }
    return below;
  }

  /** The host has delivered what came together: hands over what was sent meanwhile. Loop only. */
  void batchEnd() {
    if (idle) {
      duplex.flush();
    } else {
      drain();
    }
  }

  // ---- Compressed messages

  private boolean standsAlone(int size, SendAs as) {
    return compression == null || compression.standsAlone(size, as);
  }

  /** Returns how {@code message} goes out compressed; null if it does not. Any thread. */
  @Nullable ByteBuffer encoded(PreparedMessage message) {
    return compression == null ? null : compression.encoded(message);
  }

  /**
   * Compresses payload into one frame.
   *
   * @param waits whether the caller may wait: then the lock is let go for it, and no more comes out
   *     than there is room for
   * @return whether that was all of it
   */
  private boolean compress(ByteBuffer payload, MessageType type, boolean end, boolean waits)
      throws IOException {
    int most = waits ? marks.capacity() - frames().size() : Integer.MAX_VALUE;
    ByteBuffer coded;
    boolean failed = true;
    try {
      coded = encoder().code(payload, end, most, waits);
      failed = false;
    } finally {
      endCompression();
      if (failed) {
        session.abortSending("compressing a message failed");
      }
    }
    state.requireNotGone();
    return encoder().append(coded, type, end);
  }

  /** Gives the stream back once nothing more can be sent. */
  private void endCompression() {
    if (compression == null || state.canSend()) {
      return;
    }
    MessageEncoder current = encoder;
    if (current == null || !(current.frames().isInsideFrame() || current.isCoding())) {
      compression.endSending();
    }
  }

  /** Lets go of what a quiet socket does not need, until it does. Loop only. */
  void rest() {
    lock.lock();
    try {
      MessageEncoder current = encoder;
      if (current != null) {
        current.rest();
      }
      if (idle) {
        encoder = null;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Queues all of a piece at once. */
  private void appendPiece(ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException {
    if (!encoder().compresses(size, end, as)) {
      encoder().header(payload, type, end, as);
      encoder().payload(payload, Integer.MAX_VALUE, as);
      return;
    }
    boolean done;
    do { // under the lock: who offers cannot wait for another's message
      done = compress(payload, type, end, false);
    } while (!done);
  }

  /** Returns whether a message was begun, and nobody is about to end it. */
  boolean hasUnfinishedMessage() {
    lock.lock();
    try {
      MessageEncoder current = encoder;
      return current != null && current.turns().isBegun() && !finishing;
    } finally {
      lock.unlock();
    }
  }

  // ---- The message under way

  /** Begins a message of {@code by}, as soon as no other is under way; its pieces follow. */
  void startMessage(Object by) throws IOException, InterruptedException {
    lock.lockInterruptibly();
    try {
      idle = false;
      turns().take(by);
      turns().begin();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the turn; behind the message goes what was kept until then. */
  private void releaseTurn() {
    turns().release();
    if (waiting() > amountAhead()) {
      outlet.tellWritable(); // those behind it may have been refused since that was told
    }
    frames().endMessage();
    encoder().messageEnded();
  }

  /** Returns the size of the message so far. */
  private long endFrame(MessageType type, boolean end, int size) {
    long whole = turns().sent(type, size);
    if (end) {
      releaseTurn();
    }
    return whole;
  }

  // ---- Room

  /**
   * What waits behind a message cannot keep the message from its end, or nothing would leave. Those
   * behind it are refused at the mark: they may have been told of room that is ahead of it.
   */
  private void requireRoom(Object by) {
    long ahead = amountAhead();
    long amount = turns().isBegunBy(by) ? ahead : waiting();
    outlet.requireRoom(amount, amount > ahead);
  }

  private void awaitRoom() throws IOException, InterruptedException {
    if (frames().size() < marks.capacity()) {
      return;
    }
    scheduleDrain();
    outlet.full();
    while (!marks.hasRoomAgain(frames().size())) {
      state.awaitChange();
      state.requireOpen();
    }
  }

  // ---- Control frames

  /**
   * Answers a Ping. While the transport takes nothing, only the latest Pong is kept; also while our
   * Close waits, behind which the peer's may leave nothing to be said. Loop only.
   */
  void pong(ByteBuffer payload) {
    if (duplex.pending() >= marks.share()) {
      duplex.flush(); // it may be no more than what this batch has gathered
    }
    if (isCloseWaiting()) {
      drain(); // perhaps for nothing but its turn
    }
    if (outlet.isDrained() || (!state.canSend() && state.get() != WebSocketState.CLOSE_SENT)) {
      return;
    }
    if (latestPong != null || duplex.pending() >= marks.share() || isCloseWaiting()) {
      latestPong = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
      idle = false;
      return;
    }
    control(Opcode.PONG, payload);
  }

  private boolean isCloseWaiting() {
    if (state.get() != WebSocketState.CLOSE_SENT) {
      return false;
    }
    lock.lock();
    try {
      return !idle && (frames().size() > 0 || frames().hasControlsBehindFrame());
    } finally {
      lock.unlock();
    }
  }

  /** Sends a Ping or a Pong of our own. Loop only. */
  void control(Opcode opcode, ByteBuffer payload) {
    if (idle) {
      outlet.control(opcode, payload);
      return;
    }
    lock.lock();
    try {
      appendControl(opcode, payload);
    } finally {
      lock.unlock();
    }
    drain();
  }

  /**
   * Queues a Close and with it the end of all sending.
   *
   * @param end whether the connection ends behind it, whatever the peer does
   * @return whether this call did it
   */
  boolean close(CloseReason reason, boolean end) {
    ByteBuffer payload = reason.toPayload();
    lock.lock();
    try {
      if (!state.canSend()) {
        return false;
      }
      state.sentClose(end);
      appendControl(Opcode.CLOSE, payload);
      endCompression();
      session.closing();
      scheduleDrain();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** The peer's Close has taken effect. */
  void peerClosed() {
    lock.lock();
    try {
      if (state.receivedClose()) {
        scheduleDrain();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Nothing can be sent any more. What is queued still goes out if {@code end}, else is dropped.
   */
  void connectionEnded(boolean end) {
    lock.lock();
    try {
      state.connectionEnded(end);
      MessageEncoder current = encoder;
      if (current != null) {
        current.frames().abandonFrame();
      }
      endCompression();
      if (end) {
        scheduleDrain();
      } else if (current != null) {
        current.frames().clear();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the socket is closed or aborted. */
  void awaitTerminal() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      state.awaitTerminal();
    } finally {
      lock.unlock();
    }
  }

  private void appendControl(Opcode opcode, ByteBuffer payload) {
    idle = false;
    frames().control(opcode, payload);
  }

  // ---- To the duplex

  private void scheduleDrain() {
    if (!drainScheduled) {
      drainScheduled = true;
      duplex.loop().execute(this::drain);
    }
  }

  /** Hands over as much as the duplex takes, and flushes. Loop only. */
  void drain() {
    outlet.drain();
  }

  /** Returns whether what waits is low again, for a queue that was over its high mark. */
  boolean isLow() {
    lock.lock();
    try {
      return outlet.settle(amountAhead());
    } finally {
      lock.unlock();
    }
  }

  /** Takes the bytes to be handed over next; null if there are none. Loop only. */
  @Nullable ByteBuffer next() {
    lock.lock();
    try {
      MessageEncoder current = latestPong == null ? encoder : encoder();
      if (current == null) {
        drainScheduled = false;
        idle = true;
        end = state.endsBehind();
        return null;
      }
      EncodedFrames frames = current.frames();
      ByteBuffer chunk = frames.take();
      if (chunk == null && latestPong != null && !frames.isInsideFrame() && !state.isGone()) {
        if (!state.endsBehind()) { // else nothing follows our Close
          frames.control(Opcode.PONG, latestPong);
          chunk = frames.take();
        }
        latestPong = null;
      }
      boolean isWanted = current.turns().isWanted();
      if (chunk == null) {
        drainScheduled = false;
        idle = latestPong == null && !isWanted;
        end = state.endsBehind() && !frames.isInsideFrame();
      } else if (marks.hasRoomAgain(frames.size()) && isWanted) {
        state.changed();
      }
      if (chunk != null) {
        handingOver = duplex.pending() + chunk.remaining();
      }
      return chunk;
    } finally {
      lock.unlock();
    }
  }

  /** Returns whether the last {@link #next} was the end of all sending. Loop only. */
  boolean isEnd() {
    return end;
  }

  /** Takes back what {@link #next} gave, once it is written. */
  void recycle(ByteBuffer chunk) {
    handingOver = NONE;
    frames().recycle(chunk);
  }
}
