package dev.windhover.websocket;

import dev.windhover.http.MessageType;
import dev.windhover.http.WebSocketClosedException;
import dev.windhover.http.host.Duplex;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.MessageDeflater;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
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
  /**
   * Frames up to this size are gathered in the output buffer; the payload of larger ones follows.
   */
  private static final int GATHER_BYTES = 32 * 1024;

  /** The most that is handed to the transport ahead of time; the rest waits here. */
  private static final int LARGEST_SHARE = 64 * 1024;

  /** What a compressed frame has room for at least. */
  private static final int SMALLEST_CODED = 64;

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
  private final int high;
  private final int low;
  private final int share;
  private final int largestChunk;
  private final FrameWriter writer = FrameWriter.server();
  private final @Nullable Compression compression;

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
  private boolean insideFrame;

  /** Whether the call that is inside a frame ends its message. */
  private boolean finishing;

  private final Deque<ByteBuffer> controlsBehindFrame = new ArrayDeque<>();

  // The message under way, and what other senders must not wait for.
  private final Turns turns = new Turns(changed, this::requireOpen);
  private final Deque<ByteBuffer> behindMessage = new ArrayDeque<>();
  private volatile int bytesBehindMessage;

  /** Whether the sender is compressing, without the lock. */
  private boolean coding;

  private boolean drainScheduled;
  private boolean endWhenDrained;
  private boolean gone;

  /** Set under the lock, or on the loop; cleared on the loop under the lock. */
  private volatile boolean overHigh;

  // Loop only.
  private boolean draining;
  private boolean drainAgain;
  private boolean flushScheduled;

  /** How much may be written directly before the transport is asked again what it still holds. */
  private int directRoom;

  private boolean drained;
  private @Nullable ByteBuffer latestPong;

  SendQueue(Duplex duplex, Owner session, @Nullable Compression compression, int high, int low) {
    this.duplex = duplex;
    this.session = session;
    this.compression = compression;
    this.high = high;
    this.low = low;
    this.share = Math.max(1, Math.min(LARGEST_SHARE, Math.min(low, high / 4)));
    this.largestChunk = Math.min(ChunkPool.CHUNK_BYTES, share);
    this.frames = new EncodedFrames(writer, largestChunk);
    duplex.loop().execute(() -> duplex.writeMark(share));
  }

  WebSocketState state() {
    return state;
  }

  long bufferedAmount() {
    return queued() + duplex.pending();
  }

  /** Returns whether the transport has taken all that was to be sent. Loop only. */
  boolean isAllTaken() {
    lock.lock();
    try {
      return bufferedAmount() == 0 && controlsBehindFrame.isEmpty() && latestPong == null;
    } finally {
      lock.unlock();
    }
  }

  /** Bytes that wait here; from any thread. */
  private int queued() {
    return frames.size() + bytesBehindMessage;
  }

  // ---- Messages

  /**
   * Queues one frame of a message, and blocks while there is no room.
   *
   * @param by whose message it is: a thread, or a message writer
   * @param plain whether it must not be compressed
   */
  boolean send(Object by, ByteBuffer payload, MessageType type, boolean end, boolean plain)
      throws IOException, InterruptedException {
    long whole;
    boolean below;
    lock.lockInterruptibly();
    try {
      idle = false;
      turns.take(by);
      boolean keepsTurn = turns.isBegun();
      try {
        turns.requireType(type);
        turns.requireFlag(plain);
        awaitRoom();
        int size = payload.remaining();
        MessageDeflater deflater = deflaterFor(size, end, plain);
        turns.begin();
        keepsTurn = true;
        insideFrame = true; // or within several of one call, which are finished like one
        finishing = end;
        if (deflater != null) {
          while (!compress(deflater, payload, type, end, true)) {
            if (queued() >= capacity()) {
              awaitLow();
            }
          }
        } else {
          frames.header(nextOpcode(type), end, 0, size);
          finishPayload(payload);
        }
        insideFrame = false;
        finishing = false;
        flushControls();
        endCompression(); // a Close may be among them
        whole = endFrame(type, end, size);
      } finally {
        if (!keepsTurn) {
          releaseTurn();
        }
      }
      scheduleDrain();
      below = queued() < capacity();
    } finally {
      lock.unlock();
    }
    if (end) {
      session.sent(type, whole);
    }
    return below;
  }

  /** Moves the payload of the frame whose header is out, waiting for room as often as it takes. */
  private void finishPayload(ByteBuffer payload) throws IOException, InterruptedException {
    while (true) {
      frames.append(payload, Math.max(0, capacity() - queued())); // the header may have gone beyond
      if (!payload.hasRemaining()) {
        return;
      }
      awaitLow();
    }
  }

  /** Waits for room while something is half sent, which cannot be left like that. */
  private void awaitLow() throws IOException, InterruptedException {
    scheduleDrain();
    full();
    try {
      while (queued() > low - share) {
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
  boolean offer(Object by, ByteBuffer payload, MessageType type, boolean end, boolean plain)
      throws IOException {
    int size = payload.remaining();
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || duplex.loop().inLoop();
    boolean direct = plain || compression == null || !compression.isWorth(size);
    if (inLoop && end && idle && direct) {
      boolean below = writeDirectly(payload, type, size);
      if (!delivering) {
        flushBehind();
      }
      session.sent(type, size);
      return below;
    }
    long whole = size;
    boolean below = true;
    lock.lock();
    try {
      requireOpen();
      requireBelowHigh(bufferedAmount());
      idle = false;
      if (!turns.tryTake(by)) {
        offerBehindMessage(payload, type, end);
      } else {
        boolean sent = false;
        try {
          turns.requireType(type);
          turns.requireFlag(plain);
          appendPiece(payload, type, end, plain);
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
        below = below(bufferedAmount()); // before the loop can drain it and miss who is to be told
        scheduleDrain();
      }
    } finally {
      lock.unlock();
    }
    if (inLoop) {
      if (!delivering || bufferedAmount() >= high) { // else with the rest of the batch
        drain();
      }
      below = below(bufferedAmount());
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

  /**
   * Returns what compresses this piece: decided by the first of its message; null if it goes out as
   * it is.
   */
  private @Nullable MessageDeflater deflaterFor(int size, boolean end, boolean plain) {
    if (compression == null) {
      turns.sendAs(plain, false);
      return null;
    }
    MessageDeflater deflater = compression.deflater();
    if (!turns.isContinued()) {
      boolean worth = !plain && (!end || compression.isWorth(size));
      turns.sendAs(plain, worth && deflater.begin());
    }
    return turns.isCoded() ? deflater : null;
  }

  /**
   * Compresses payload into one frame, as large as a chunk at most: a frame's length stands before
   * it.
   *
   * @param unlocks whether that happens without the lock, since it takes time; the turn keeps other
   *     senders away
   * @return whether that was all of it
   */
  private boolean compress(
      MessageDeflater deflater, ByteBuffer payload, MessageType type, boolean end, boolean unlocks)
      throws IOException {
    ByteBuffer coded = frames.borrow(SMALLEST_CODED);
    boolean done = false;
    boolean failed = true;
    coding = true;
    if (unlocks) {
      lock.unlock();
    }
    try {
      done =
          deflater.deflate(
              payload, coded, end ? MessageDeflater.End.MESSAGE : MessageDeflater.End.FRAGMENT);
      failed = false;
    } finally {
      if (unlocks) {
        lock.lock();
      }
      coding = false;
      endCompression();
      if (failed) {
        session.abortSending("compressing a message failed");
      }
    }
    if (gone) {
      throw closed();
    }
    int bits = turns.isContinued() ? 0 : Extension.RSV1; // RFC 7692 6.1: on the first frame
    frames.header(nextOpcode(type), end && done, bits, coded.flip().remaining());
    frames.append(coded, Integer.MAX_VALUE);
    frames.recycle(coded);
    turns.sent(type, 0);
    return done;
  }

  /** Gives the stream back once nothing more can be sent, and nobody is using it. */
  private void endCompression() {
    if (compression != null && !coding && !insideFrame && !state.canSend()) {
      compression.endSending();
    }
  }

  /** Gives the stream back until it is needed again. */
  void rest() {
    lock.lock();
    try {
      if (compression != null && !coding) {
        compression.deflater().rest();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Flushes soon what was written directly while the host will not. */
  private void flushBehind() {
    if (!flushScheduled) {
      flushScheduled = true;
      duplex
          .loop()
          .execute(() -> {
            flushScheduled = false;
            drain();
          });
    }
  }

  /** Queues all of a piece at once. */
  private void appendPiece(ByteBuffer payload, MessageType type, boolean end, boolean plain)
      throws IOException {
    MessageDeflater deflater = deflaterFor(payload.remaining(), end, plain);
    if (deflater == null) {
      frames.header(nextOpcode(type), end, 0, payload.remaining());
      frames.append(payload, Integer.MAX_VALUE);
      return;
    }
    boolean done;
    do { // under the lock: who offers cannot wait for another's message
      done = compress(deflater, payload, type, end, false);
    } while (!done);
  }

  /** Keeps a whole message until the one under way has ended. */
  private void offerBehindMessage(ByteBuffer payload, MessageType type, boolean end) {
    if (!end) {
      throw new IllegalStateException("a message of another sender is under way");
    }
    int size = payload.remaining();
    ByteBuffer frame = ByteBuffer.allocate(writer.headerSize(size) + size);
    writer.frame(frame, opcodeOf(type), true, payload);
    behindMessage.add(frame.flip());
    int sum = bytesBehindMessage + frame.remaining(); // under the lock, so that no change is lost
    bytesBehindMessage = sum;
  }

  /** Writes a whole message into the transport's output; returns whether that is below the mark. */
  private boolean writeDirectly(ByteBuffer payload, MessageType type, int size) throws IOException {
    requireOpen();
    int headerSize = writer.headerSize(size);
    int room = directRoom;
    if (room <= headerSize + size) {
      long pending = duplex.pending();
      requireBelowHigh(pending);
      room = (int) (high - pending);
    }
    directRoom = room - headerSize - size;
    boolean gather = size <= GATHER_BYTES;
    ByteBuffer out = duplex.reserve(gather ? headerSize + size : headerSize);
    writer.header(out, opcodeOf(type), true, 0, size);
    if (gather) {
      writer.payload(payload, out);
      duplex.commit();
    } else {
      duplex.commit();
      duplex.write(payload);
    }
    if (directRoom <= 0) {
      full();
      return false;
    }
    return true;
  }

  private boolean below(long amount) {
    if (amount < high) {
      return true;
    }
    full();
    return false;
  }

  /** The high mark is reached: told once until the queue is below the low one again. */
  private void full() {
    if (!overHigh) {
      overHigh = true;
      duplex.loop().execute(session::full); // not under the lock
    }
  }

  private void requireBelowHigh(long amount) {
    if (amount >= high) {
      throw new IllegalStateException(
          "send queue of "
              + amount
              + " bytes is over its high mark of "
              + high
              + "; wait for onWritable");
    }
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
    for (ByteBuffer frame; (frame = behindMessage.poll()) != null; ) {
      frames.append(frame, Integer.MAX_VALUE);
    }
    bytesBehindMessage = 0;
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
    if (queued() < capacity()) {
      return;
    }
    scheduleDrain();
    full();
    while (queued() > low - share) {
      changed.await();
      requireOpen();
    }
  }

  /**
   * Room here, so that with what the transport holds, a chunk beyond its share at most, no more
   * than the high mark is in memory.
   */
  private int capacity() {
    return high - share - largestChunk - FrameWriter.MAX_HEADER_BYTES;
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
    if (duplex.pending() >= share) {
      duplex.flush(); // it may be no more than what this batch has gathered
    }
    if (drained || (!state.canSend() && state != WebSocketState.CLOSE_SENT)) {
      return;
    }
    if (latestPong != null || duplex.pending() >= share) {
      latestPong = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
      idle = false;
      return;
    }
    control(Opcode.PONG, payload);
  }

  /** Sends a Ping or a Pong of our own. Loop only. */
  void control(Opcode opcode, ByteBuffer payload) {
    if (idle) {
      ByteBuffer out = duplex.reserve(writer.headerSize(125) + payload.remaining());
      writer.frame(out, opcode, true, payload);
      duplex.commit();
      directRoom = 0;
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
      insideFrame = false; // the rest of it is not sent
      endCompression();
      changed.signalAll();
      if (end) {
        endWhenDrained = true;
        scheduleDrain();
      } else {
        frames.clear();
        bytesBehindMessage = 0;
        controlsBehindFrame.clear();
        behindMessage.clear();
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
    if (insideFrame) {
      ByteBuffer frame = ByteBuffer.allocate(writer.headerSize(125) + payload.remaining());
      writer.frame(frame, opcode, true, payload);
      controlsBehindFrame.add(frame.flip());
    } else {
      frames.control(opcode, payload);
    }
  }

  private void flushControls() {
    for (ByteBuffer frame; (frame = controlsBehindFrame.poll()) != null; ) {
      frames.append(frame, Integer.MAX_VALUE);
    }
  }

  // ---- To the duplex

  private void scheduleDrain() {
    if (!drainScheduled) {
      drainScheduled = true;
      duplex.loop().execute(this::drain);
    }
  }

  /** Hands queued bytes to the duplex, as many as it takes, and flushes. Loop only. */
  void drain() {
    if (draining) {
      drainAgain = true;
      return;
    }
    draining = true;
    directRoom = 0;
    boolean ended;
    do {
      drainAgain = false;
      ended = handOver();
      duplex.flush();
    } while (drainAgain);
    draining = false;
    if (ended && !drained) {
      drained = true;
      session.drained();
    }
    session.handedOver();
    if (overHigh && isLow()) {
      session.writable();
    }
  }

  private boolean isLow() {
    lock.lock();
    try {
      if (bufferedAmount() > low) {
        return false;
      }
      overHigh = false;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Returns whether all is handed over and the connection is to be ended. */
  private boolean handOver() {
    while (duplex.pending() < share) {
      ByteBuffer chunk;
      lock.lock();
      try {
        chunk = frames.take();
        if (chunk == null) {
          drainScheduled = false;
          if (latestPong != null && !insideFrame && !gone) {
            frames.control(Opcode.PONG, latestPong);
            latestPong = null;
            continue;
          }
          idle = latestPong == null && !turns.isWanted();
          return endWhenDrained && !insideFrame;
        }
        if (queued() <= low - share && turns.isWanted()) {
          changed.signalAll();
        }
      } finally {
        lock.unlock();
      }
      duplex.write(chunk);
      frames.recycle(chunk);
    }
    return false;
  }

  private Opcode nextOpcode(MessageType type) {
    return turns.isContinued() ? Opcode.CONTINUATION : opcodeOf(type);
  }

  private static Opcode opcodeOf(MessageType type) {
    return switch (type) {
      case TEXT -> Opcode.TEXT;
      case BINARY -> Opcode.BINARY;
      case CLOSE ->
          throw new IllegalArgumentException("a message cannot be of type CLOSE; use closeOutput");
    };
  }
}
