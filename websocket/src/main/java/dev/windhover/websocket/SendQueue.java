package dev.windhover.websocket;

import dev.windhover.http.MessageType;
import dev.windhover.http.PreparedMessage;
import dev.windhover.http.WebSocketClosedException;
import dev.windhover.http.host.Duplex;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.Condition;
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
  /** What the queue tells its session. */
  interface Owner {
    /** The lost middle of a frame cannot be made up for. */
    void abortSending(String why);

    /** A Close was queued and is not on its way yet; called under the queue's lock. */
    void closing();

    /** Everything is handed over and the connection is to be ended. */
    void drained();

    /** The queue has reached its high mark; loop only. */
    void full();

    /** The queue was over its high mark and is now below the low one; loop only. */
    void writable();

    /** A message was queued to its end. */
    void sent(MessageType type, long bytes);

    /** Returns whether the caller is the loop that is delivering bytes, and will flush. */
    boolean isDelivering();

    /** Output was flushed, and the transport may not have taken it; loop only. */
    void handedOver();
  }

  private final Duplex duplex;
  private final Owner session;
  private final SendMarks marks;
  private final FrameWriter writer = FrameWriter.server();
  private final DirectOutput direct;

  /** Guards all fields below; volatile ones may be read without it. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Signalled when room, turn or state have changed. */
  private final Condition changed = lock.newCondition();

  private volatile WebSocketState state = WebSocketState.OPEN;

  /**
   * Nothing waits here and nobody is within a message, so that the loop may write without the lock:
   * one field to ask instead of five objects. Who begins either clears it; the loop sets it again
   * when it finds it so.
   */
  private volatile boolean idle = true;

  // What waits to be handed over, and the frame under way at its end.
  private final EncodedFrames frames;

  /** Whether the call that is inside a frame ends its message. */
  private boolean finishing;

  private final Turns turns = new Turns(changed, this::requireOpen);
  private final @Nullable CompressedOutput compressed;
  private boolean drainScheduled;
  private boolean endWhenDrained;
  private boolean gone;

  // Loop only.
  private final Drain drain;
  private boolean end;
  private @Nullable ByteBuffer latestPong;

  SendQueue(Duplex duplex, Owner session, @Nullable Compression compression, int high, int low) {
    this.duplex = duplex;
    this.session = session;
    this.marks = new SendMarks(duplex, session::full, high, low);
    this.direct = new DirectOutput(duplex, writer, marks);
    this.drain = new Drain(this, duplex, session, marks, direct);
    this.frames = new EncodedFrames(writer, marks.largestChunk());
    this.compressed =
        compression == null ? null : new CompressedOutput(compression, lock, frames, turns);
    duplex.loop().execute(() -> duplex.writeMark(marks.share()));
  }

  WebSocketState state() {
    return state;
  }

  long bufferedAmount() {
    return frames.size() + duplex.pending();
  }

  /** Returns whether the transport has taken all that was to be sent. Loop only. */
  boolean isAllTaken() {
    lock.lock();
    try {
      return bufferedAmount() == 0 && !frames.hasControlsBehindFrame() && latestPong == null;
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
      turns.take(by);
      boolean keepsTurn = turns.isBegun();
      try {
        requireFits(type, as);
        awaitRoom();
        CompressedOutput coder = coderFor(size, end, as);
        turns.begin();
        keepsTurn = true;
        frames.beginFrame(); // or several of this call, which are finished like one
        finishing = end;
        if (coder != null) {
          while (!compress(coder, payload, type, end, true)) {
            if (frames.size() >= marks.capacity()) {
              awaitLow();
            }
          }
        } else {
          header(payload, type, end, as);
          finishPayload(payload, as);
        }
        finishing = false;
        frames.endFrame();
        endCompression(); // a Close may be among what waited for that
        whole = endFrame(type, end, size);
      } finally {
        if (!keepsTurn) {
          releaseTurn();
        }
      }
      scheduleDrain();
      below = frames.size() < marks.capacity();
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
      int room = marks.capacity() - frames.size(); // the header may have gone beyond
      payload(payload, Math.max(0, room), as);
      if (!payload.hasRemaining()) {
        return;
      }
      awaitLow();
    }
  }

  /** Waits for room while something is half sent, which cannot be left like that. */
  private void awaitLow() throws IOException, InterruptedException {
    scheduleDrain();
    marks.full();
    try {
      while (!marks.hasRoomAgain(frames.size())) {
        changed.await();
        if (gone) {
          throw closed();
        }
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
   * @throws IllegalStateException if it was at or above it already
   */
  boolean offer(Object by, ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException {
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || duplex.loop().inLoop();
    if (inLoop && end && idle && needsNoLock(size, as)) {
      requireOpen();
      boolean below = direct.message(payload, Turns.opcodeOf(type), as.reservedBits());
      if (!delivering) {
        drain.runBehind();
      }
      session.sent(type, size);
      return below;
    }
    long whole = size;
    boolean below = true;
    lock.lock();
    try {
      requireOpen();
      marks.requireBelowHigh(bufferedAmount());
      idle = false;
      if (!turns.tryTake(by)) {
        offerBehindMessage(payload, type, end, as);
      } else {
        boolean sent = false;
        try {
          requireFits(type, as);
          appendPiece(payload, size, type, end, as);
          whole = endFrame(type, end, size);
          sent = true;
        } finally {
          if (!sent && !turns.isBegun()) {
            releaseTurn();
            scheduleDrain();
          }
        }
      }
      if (!inLoop) {
        // Before the loop can drain it and miss who is to be told.
        below = marks.isBelowHigh(bufferedAmount());
        scheduleDrain();
      }
    } finally {
      lock.unlock();
    }
    if (inLoop) {
      if (!delivering || bufferedAmount() >= marks.high()) { // else with the rest of the batch
        drain();
      }
      below = marks.isBelowHigh(bufferedAmount());
    }
    if (end) {
      session.sent(type, whole);
    }
    return below;
  }

  /**
   * Returns whether a message concerns nobody else: it is not compressed here, or was by itself.
   */
  private boolean needsNoLock(int size, SendAs as) {
    CompressedOutput coder = compressed;
    return coder == null
        || (as == SendAs.PREPARED_CODED
            ? !coder.takesOver()
            : as.isPlain() || !coder.isWorth(size));
  }

  /** The piece must go with those before it, if there are any. */
  private void requireFits(MessageType type, SendAs as) {
    if (as.isPrepared()) {
      turns.requireNotBegun();
    } else {
      turns.requireType(type);
      turns.requireFlag(as.isPlain());
    }
  }

  private void header(ByteBuffer payload, MessageType type, boolean end, SendAs as) {
    frames.header(turns.opcode(type), end, as.reservedBits(), payload.remaining());
    noteCoded(as);
  }

  private void payload(ByteBuffer payload, int most, SendAs as) {
    if (as.isPrepared()) {
      frames.share(payload, most);
    } else {
      frames.append(payload, most);
    }
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

  /** Returns what compresses this piece; null if it goes out as it is. */
  private @Nullable CompressedOutput coderFor(int size, boolean end, SendAs as) {
    CompressedOutput coder = compressed;
    if (coder == null) {
      turns.sendAs(as.isPlain(), false);
      return null;
    }
    return coder.takes(size, end, as.isPlain()) ? coder : null;
  }

  /** Returns how {@code message} goes out compressed; null if it does not. Any thread. */
  @Nullable ByteBuffer encoded(PreparedMessage message) {
    return compressed == null ? null : compressed.encoded(message);
  }

  private void noteCoded(SendAs as) {
    if (as == SendAs.PREPARED_CODED && compressed != null) {
      compressed.passed();
    }
  }

  /**
   * Compresses payload into one frame.
   *
   * @param unlocks whether the lock is let go for it
   * @return whether that was all of it
   */
  private boolean compress(
      CompressedOutput coder, ByteBuffer payload, MessageType type, boolean end, boolean unlocks)
      throws IOException {
    ByteBuffer coded;
    boolean failed = true;
    try {
      coded = coder.code(payload, end, unlocks);
      failed = false;
    } finally {
      endCompression();
      if (failed) {
        session.abortSending("compressing a message failed");
      }
    }
    if (gone) {
      throw closed();
    }
    return coder.append(coded, type, end);
  }

  /** Gives the stream back once nothing more can be sent. */
  private void endCompression() {
    if (compressed != null && !frames.isInsideFrame() && !state.canSend()) {
      compressed.end();
    }
  }

  /** Gives the stream back until it is needed again. */
  void rest() {
    lock.lock();
    try {
      if (compressed != null) {
        compressed.rest();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Queues all of a piece at once. */
  private void appendPiece(ByteBuffer payload, int size, MessageType type, boolean end, SendAs as)
      throws IOException {
    CompressedOutput coder = coderFor(size, end, as);
    if (coder == null) {
      header(payload, type, end, as);
      payload(payload, Integer.MAX_VALUE, as);
      return;
    }
    boolean done;
    do { // under the lock: who offers cannot wait for another's message
      done = compress(coder, payload, type, end, false);
    } while (!done);
  }

  /** Keeps a whole message until the one under way has ended. */
  private void offerBehindMessage(ByteBuffer payload, MessageType type, boolean end, SendAs as) {
    if (!end) {
      throw new IllegalStateException("a message of another sender is under way");
    }
    frames.keepBehindMessage(Turns.opcodeOf(type), as.reservedBits(), payload);
    noteCoded(as);
  }

  /** Returns whether a message was begun, and nobody is about to end it. */
  boolean hasUnfinishedMessage() {
    lock.lock();
    try {
      return turns.isBegun() && !finishing;
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
      turns.take(by);
      turns.begin();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the turn; behind the message goes what was kept until then. */
  private void releaseTurn() {
    turns.release();
    frames.endMessage();
    if (compressed != null) {
      compressed.messageEnded();
    }
  }

  /** Returns the size of the message so far. */
  private long endFrame(MessageType type, boolean end, int size) {
    long whole = turns.sent(type, size);
    if (end) {
      releaseTurn();
    }
    return whole;
  }

  // ---- Room

  private void awaitRoom() throws IOException, InterruptedException {
    if (frames.size() < marks.capacity()) {
      return;
    }
    scheduleDrain();
    marks.full();
    while (!marks.hasRoomAgain(frames.size())) {
      changed.await();
      requireOpen();
    }
  }

  private void requireOpen() throws IOException {
    if (!state.canSend()) {
      throw closed();
    }
  }

  private WebSocketClosedException closed() {
    return new WebSocketClosedException(
        state == WebSocketState.CLOSE_SENT
            ? "cannot send: the socket is closing"
            : "cannot send: the socket has ended");
  }

  // ---- Control frames

  /** Answers a Ping; while the transport takes nothing, only the latest Pong is kept. Loop only. */
  void pong(ByteBuffer payload) {
    if (duplex.pending() >= marks.share()) {
      duplex.flush(); // it may be no more than what this batch has gathered
    }
    if (drain.isDrained() || (!state.canSend() && state != WebSocketState.CLOSE_SENT)) {
      return;
    }
    if (latestPong != null || duplex.pending() >= marks.share()) {
      latestPong = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
      idle = false;
      return;
    }
    control(Opcode.PONG, payload);
  }

  /** Sends a Ping or a Pong of our own. Loop only. */
  void control(Opcode opcode, ByteBuffer payload) {
    if (idle) {
      direct.control(opcode, payload);
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
      state = state.on(WebSocketState.Event.SENT_CLOSE);
      endWhenDrained = end || state == WebSocketState.CLOSED;
      appendControl(Opcode.CLOSE, payload);
      endCompression();
      session.closing();
      changed.signalAll();
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
      state = state.on(WebSocketState.Event.RECEIVED_CLOSE);
      if (state == WebSocketState.CLOSED) {
        endWhenDrained = true;
        scheduleDrain();
      }
      changed.signalAll();
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
      state = state.on(WebSocketState.Event.CONNECTION_ENDED);
      gone = true;
      frames.abandonFrame();
      endCompression();
      changed.signalAll();
      if (end) {
        endWhenDrained = true;
        scheduleDrain();
      } else {
        frames.clear();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the socket is closed or aborted. */
  void awaitTerminal() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!state.isTerminal()) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private void appendControl(Opcode opcode, ByteBuffer payload) {
    idle = false;
    frames.control(opcode, payload);
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
    drain.run();
  }

  /** Returns whether what waits is low again, for a queue that was over its high mark. */
  boolean isLow() {
    lock.lock();
    try {
      return marks.settle(bufferedAmount());
    } finally {
      lock.unlock();
    }
  }

  /** Takes the bytes to be handed over next; null if there are none. Loop only. */
  @Nullable ByteBuffer next() {
    lock.lock();
    try {
      ByteBuffer chunk = frames.take();
      if (chunk == null && latestPong != null && !frames.isInsideFrame() && !gone) {
        frames.control(Opcode.PONG, latestPong);
        latestPong = null;
        chunk = frames.take();
      }
      if (chunk == null) {
        drainScheduled = false;
        idle = latestPong == null && !turns.isWanted();
        end = endWhenDrained && !frames.isInsideFrame();
      } else if (marks.hasRoomAgain(frames.size()) && turns.isWanted()) {
        changed.signalAll();
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
    frames.recycle(chunk);
  }
}
