package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Violation;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The blocking form's side of receiving: the loop puts pieces of messages in, a handler's thread
 * takes them out, piece by piece or as whole messages. A piece goes straight into the buffer that a
 * waiting {@link #receive} holds out; what nobody waits for is kept, up to a bound, beyond which
 * the peer is not read.
 */
final class ReceiveQueue implements Inbound {
  /** What a kept piece costs beside its bytes, so that tiny frames cannot outgrow the bound. */
  private static final int PIECE_OVERHEAD = 64;

  /** Credit goes back at the latest when this much is due: half of HTTP/2's initial window. */
  private static final int LARGEST_CREDIT = 32 * 1024;

  /** A piece has room for what follows in its frame, up to this. */
  private static final int PIECE_ROOM = 512;

  /** A piece of a coded message has room for so much. */
  private static final int CODED_PIECE_ROOM = 4096;

  private static final class Piece {
    final MessageType type;
    ByteBuffer bytes; // position: taken so far; limit: arrived so far
    boolean endOfFrame;
    boolean endOfMessage;
    boolean ascii;
    long frameRemaining;

    Piece(MessageType type, ByteBuffer bytes) {
      this.type = type;
      this.bytes = bytes;
    }
  }

  /** How long a receive may wait, in the host's time. */
  private final class Limit {
    private boolean passed;
    private final Loop.@Nullable Timer timer;

    Limit(long nanos) {
      passed = nanos == 0;
      timer = nanos > 0 ? session.schedule(nanos, this::pass) : null;
    }

    private void pass() {
      lock.lock();
      try {
        passed = true;
        arrived.signalAll();
        turn.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private static void cancel(@Nullable Limit limit) {
    if (limit != null && limit.timer != null) {
      limit.timer.cancel();
    }
  }

  private final Session session;
  private final int bound;
  private final long maxMessageSize;

  /** Guards all fields below; nobody else's code is called under it. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition arrived = lock.newCondition();
  private final Deque<Piece> pieces = new ArrayDeque<>();
  private int held;
  private int credit;
  private boolean paused;
  private boolean resumeScheduled;
  private boolean discarding;
  private boolean wake;
  private @Nullable Outcome outcome;
  private @Nullable Violation tooBig;

  // Who receives; a second thread waits its turn.
  private final Condition turn = lock.newCondition();
  private boolean receiving;

  // The buffer that a waiting receive holds out, and what went into it.
  private @Nullable ByteBuffer target;
  private int targetStart;
  private @Nullable MessageType partialType;
  private @Nullable ReceiveResult result;

  // The message under way in the whole-message form; survives an interrupt and a time-out.
  private @Nullable MessageBuffer assembling;
  private boolean insideMessage;

  ReceiveQueue(Session session, int bound, long maxMessageSize) {
    this.session = session;
    this.bound = bound;
    this.maxMessageSize = maxMessageSize;
  }

  // ---- The loop's side

  @Override
  public void opened() {}

  @Override
  public int data(FrameReader reader, ByteBuffer in) {
    int n;
    boolean full = false;
    lock.lock();
    try {
      ByteBuffer out = target;
      if (discarding) {
        n = session.skip(reader, in);
        credit += Math.max(n, 0);
      } else if (out != null && result == null && out.hasRemaining()) {
        n = fillTarget(reader, in, out);
      } else {
        n = keep(reader, in);
        full = cost() >= bound && !paused;
        paused |= full;
      }
    } finally {
      lock.unlock();
    }
    if (full) {
      session.pause();
    }
    return n;
  }

  /** What is kept costs memory, the smallest pieces too. */
  private int cost() {
    return held + pieces.size() * PIECE_OVERHEAD;
  }

  private int fillTarget(FrameReader reader, ByteBuffer in, ByteBuffer out) {
    MessageType type = typeOf(reader);
    int before = out.position();
    int n = -1;
    try {
      n = reader.readInto(in, out);
    } finally {
      if (n < 0) {
        out.position(before); // nobody sees what breaks the rules
      }
    }
    if (n < 0) {
      return n;
    }
    credit += n;
    insideMessage = !reader.endOfMessage();
    if (!out.hasRemaining() || reader.endOfFrame()) {
      result = new ReceiveResult(out.position() - targetStart, type, reader.endOfMessage());
      wake = true;
    } else {
      partialType = type;
    }
    return n;
  }

  private int keep(FrameReader reader, ByteBuffer in) {
    boolean coded = reader.isCoded();
    // What comes out of coded bytes is not known; there may be some without any left to go in.
    int arriving = coded ? 1 : (int) Math.min(reader.frameRemaining(), in.remaining());
    Piece piece = pieces.peekLast();
    int limit = piece == null ? 0 : piece.bytes.limit();
    boolean fresh = false;
    if (piece == null || piece.endOfFrame || piece.bytes.capacity() - limit < arriving) {
      long room =
          coded
              ? CODED_PIECE_ROOM
              : Math.max(arriving, Math.min(reader.frameRemaining(), PIECE_ROOM));
      piece = new Piece(typeOf(reader), ByteBuffer.allocate((int) room).limit(0));
      pieces.addLast(piece);
      fresh = true;
      limit = 0;
    }
    // Write behind what has arrived, whatever has been taken.
    ByteBuffer bytes = piece.bytes;
    int taken = bytes.position();
    bytes.limit(bytes.capacity()).position(limit);
    int n = -1;
    try {
      n = reader.readInto(in, bytes);
    } finally {
      bytes.limit(limit + Math.max(n, 0)).position(taken); // nobody sees what breaks the rules
      if (n < 0 && fresh) {
        pieces.removeLast();
      }
    }
    if (n < 0) {
      return n;
    }
    held += n;
    piece.frameRemaining = coded ? 0 : reader.frameRemaining();
    piece.endOfFrame = reader.endOfFrame();
    piece.endOfMessage = reader.endOfMessage();
    if (coded && piece.endOfFrame && bytes.limit() < bytes.capacity() / 2) {
      piece.bytes =
          ByteBuffer.allocate(bytes.limit()).put(0, bytes, 0, bytes.limit()).position(taken);
    }
    piece.ascii = reader.isAscii();
    wake = true;
    return n;
  }

  @Override
  public void batchEnd() {
    int due;
    lock.lock();
    try {
      due = takeCredit();
      if (wake) {
        wake = false;
        arrived.signal();
      }
    } finally {
      lock.unlock();
    }
    giveCredit(due);
  }

  @Override
  public void outcome(Outcome what) {
    Outcome first;
    boolean now;
    lock.lock();
    try {
      if (outcome == null) { // a message that was too big may have come before
        outcome = what;
      }
      first = outcome;
      now = discarding || session.isCloseSent(); // what is kept can be received all the same
      arrived.signal();
    } finally {
      lock.unlock();
    }
    if (now) {
      session.takeEffect(first);
    }
  }

  @Override
  public void writable() {}

  @Override
  public void discard() {
    Outcome pending;
    lock.lock();
    try {
      discarding = true;
      pieces.forEach(piece -> credit += piece.bytes.remaining());
      pieces.clear();
      held = 0;
      assembling = null;
      pending = outcome;
      arrived.signal();
    } finally {
      lock.unlock();
    }
    session.onLoop(this::resume);
    if (pending != null) {
      session.takeEffect(pending);
    }
  }

  @Override
  public void ended() {
    lock.lock();
    try {
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Gives back what was taken, and reads on if we had stopped and there is room again. */
  private void resume() {
    int due;
    boolean resumes;
    lock.lock();
    try {
      resumeScheduled = false;
      due = takeCredit();
      resumes = paused && cost() <= bound / 2;
      paused &= !resumes;
    } finally {
      lock.unlock();
    }
    giveCredit(due);
    if (resumes) {
      session.resume();
    }
  }

  private int takeCredit() {
    int due = credit;
    credit = 0;
    return due;
  }

  private void giveCredit(int due) {
    if (due > 0) {
      session.consumed(due);
    }
  }

  // ---- The handler's side

  /**
   * See {@link dev.windhover.http.websocket.WebSocket#receive}; {@code nanos} below 0 waits without
   * limit.
   */
  ReceiveResult receive(ByteBuffer buffer, long nanos)
      throws InterruptedException, TimeoutException {
    session.requireHandlerRunning();
    if (buffer.isReadOnly()) {
      throw new ReadOnlyBufferException(); // here, and not on the loop that would fill it
    }
    Limit limit = nanos < 0 ? null : new Limit(nanos);
    ReceiveResult received;
    try {
      received = receiveInTurn(buffer, limit);
    } finally {
      cancel(limit);
    }
    if (received.isClose()) {
      settle();
    }
    return received;
  }

  private ReceiveResult receiveInTurn(ByteBuffer buffer, @Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    lock.lockInterruptibly();
    try {
      takeTurn(limit);
      try {
        if (assembling != null && !assembling.isEmpty()) {
          throw new IllegalStateException("receiveMessage has begun this message; go on with it");
        }
        return receiveLocked(buffer, limit);
      } finally {
        target = null;
        result = null;
        partialType = null;
        endTurn();
      }
    } finally {
      lock.unlock();
    }
  }

  private ReceiveResult receiveLocked(ByteBuffer buffer, @Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    int start = buffer.position();
    while (true) {
      Piece piece = pieces.peekFirst();
      if (piece != null) {
        ReceiveResult taken = take(piece, buffer, start);
        if (taken != null) {
          return taken;
        }
      } else if (outcome != null || discarding) {
        return buffer.position() > start
            ? partial(buffer, start) // the frame was cut by the end
            : new ReceiveResult(0, MessageType.CLOSE, true);
      }
      if (pieces.isEmpty() && outcome == null && !discarding) {
        target = buffer;
        targetStart = start;
        try {
          await(arrived, limit);
        } catch (InterruptedException | TimeoutException e) {
          ReceiveResult whole = result;
          if (whole == null && buffer.position() == start) {
            throw e;
          }
          if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt(); // nothing is lost: the next call throws
          }
          return whole != null ? whole : partial(buffer, start);
        }
        target = null;
        if (result != null) {
          return result;
        }
      }
    }
  }

  /** What is here of a frame that is not all here. */
  private ReceiveResult partial(ByteBuffer buffer, int start) {
    return new ReceiveResult(buffer.position() - start, requirePartialType(), false);
  }

  private MessageType requirePartialType() {
    MessageType type = partialType;
    if (type == null) {
      throw new AssertionError("bytes without a type");
    }
    return type;
  }

  /** Moves bytes of the first piece; null if the frame goes on and the buffer has room for it. */
  private @Nullable ReceiveResult take(Piece piece, ByteBuffer buffer, int start) {
    ByteBuffer bytes = piece.bytes;
    int n = Math.min(bytes.remaining(), buffer.remaining());
    buffer.put(buffer.position(), bytes, bytes.position(), n);
    buffer.position(buffer.position() + n);
    bytes.position(bytes.position() + n);
    release(n);
    boolean end = false;
    boolean done = !buffer.hasRemaining();
    if (!bytes.hasRemaining()) {
      pieces.removeFirst();
      end = piece.endOfMessage;
      done |= piece.endOfFrame;
      insideMessage = !end && (insideMessage || n > 0 || piece.endOfFrame);
    } else {
      insideMessage |= n > 0; // a buffer without room takes nothing
    }
    if (!done) {
      partialType = piece.type;
      return null;
    }
    return new ReceiveResult(buffer.position() - start, piece.type, end);
  }

  /** See {@link dev.windhover.http.websocket.WebSocket#receiveMessage}. */
  @Nullable Message receiveMessage(long nanos) throws InterruptedException, TimeoutException {
    session.requireHandlerRunning();
    Limit limit = nanos < 0 ? null : new Limit(nanos);
    Message message;
    try {
      message = messageInTurn(limit);
    } finally {
      cancel(limit);
    }
    if (message == null) {
      settle();
    }
    return message;
  }

  private @Nullable Message messageInTurn(@Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    lock.lockInterruptibly();
    try {
      takeTurn(limit);
      try {
        if (insideMessage) {
          throw new IllegalStateException("receive has begun this message; go on with it");
        }
        return messageLocked(limit);
      } finally {
        endTurn();
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Message messageLocked(@Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    while (true) {
      Piece piece = pieces.pollFirst();
      if (piece != null) {
        Message message = assemble(piece);
        if (message != null) {
          return message;
        }
      } else if (outcome != null || discarding) {
        return null;
      } else {
        await(arrived, limit);
      }
    }
  }

  private @Nullable Message assemble(Piece piece) {
    ByteBuffer bytes = piece.bytes;
    release(bytes.remaining());
    MessageBuffer buffer = assembling;
    if (buffer == null) {
      buffer = new MessageBuffer(maxMessageSize);
    }
    long declared = bytes.remaining() + piece.frameRemaining;
    Violation violation = buffer.exceededBy(declared);
    if (violation != null) {
      assembling = null;
      pieces.clear();
      credit += held;
      held = 0;
      tooBig = violation;
      discarding = true;
      outcome = new Outcome.Violated(violation);
      return null;
    }
    if (piece.endOfMessage && buffer.isEmpty()) {
      return messageOf(piece.type, bytes, piece.ascii); // the common case: nothing to assemble
    }
    buffer.room(bytes.remaining(), declared).put(bytes);
    if (!piece.endOfMessage) {
      assembling = buffer;
      return null;
    }
    assembling = null;
    return messageOf(piece.type, buffer.message(), piece.ascii);
  }

  private static Message messageOf(MessageType type, ByteBuffer bytes, boolean ascii) {
    if (type == MessageType.BINARY) {
      return new Message.Binary(bytes.slice());
    }
    return new Message.Text(
        new String(
            bytes.array(),
            bytes.arrayOffset() + bytes.position(),
            bytes.remaining(),
            ascii ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
  }

  /** Bytes were taken; their credit goes back in large parts, as each costs a task. */
  private void release(int bytes) {
    held -= bytes;
    credit += bytes;
    boolean due = paused ? cost() <= bound / 2 : credit >= Math.min(bound / 2, LARGEST_CREDIT);
    if (due && !resumeScheduled) {
      resumeScheduled = true;
      session.onLoop(this::resume);
    }
  }

  /** Lets the end take effect: the application has taken all that came before and asks again. */
  private void settle() {
    Outcome what;
    Violation found;
    lock.lock();
    try {
      what = outcome;
      found = tooBig;
      tooBig = null;
    } finally {
      lock.unlock();
    }
    if (found != null) {
      session.stopReading(found);
    }
    if (what != null) {
      session.takeEffect(what);
    }
  }

  private void takeTurn(@Nullable Limit limit) throws InterruptedException, TimeoutException {
    while (receiving) {
      await(turn, limit);
    }
    receiving = true;
  }

  private void endTurn() {
    receiving = false;
    turn.signal();
  }

  @SuppressWarnings("WaitNotInLoop") // the callers loop
  private static void await(Condition condition, @Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    if (limit != null && limit.passed) {
      throw timedOut();
    }
    condition.await();
  }

  private static TimeoutException timedOut() {
    return new TimeoutException("nothing was received in time");
  }

  private static MessageType typeOf(FrameReader reader) {
    return reader.messageType() == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }
}
