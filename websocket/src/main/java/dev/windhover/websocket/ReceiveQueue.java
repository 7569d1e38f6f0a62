package dev.windhover.websocket;

import dev.windhover.http.Message;
import dev.windhover.http.MessageType;
import dev.windhover.http.ReceiveResult;
import dev.windhover.http.host.Loop;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Violation;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
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

  /** A piece has room for what follows in its frame, up to this. */
  private static final int PIECE_ROOM = 512;

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

  private final Session session;
  private final int bound;
  private final long maxMessageSize;

  /** Guards all fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition arrived = lock.newCondition();

  /** One thread receives at a time; a second one waits here. */
  private final Condition turn = lock.newCondition();

  private boolean receiving;
  private final Deque<Piece> pieces = new ArrayDeque<>();
  private int held;
  private int credit;
  private boolean paused;
  private boolean discarding;
  private boolean wake;
  private @Nullable Outcome outcome;

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
  // -----------------------------------------------------------------------------

  @Override
  public void opened() {}

  @Override
  public int data(FrameReader reader, ByteBuffer in) {
    lock.lock();
    try {
      if (discarding) {
        int n = session.skip(reader, in);
        credit += Math.max(n, 0);
        return n;
      }
      ByteBuffer out = target;
      if (out != null && result == null && out.hasRemaining()) {
        return fillTarget(reader, in, out);
      }
      return keep(reader, in);
    } finally {
      lock.unlock();
    }
  }

  private int fillTarget(FrameReader reader, ByteBuffer in, ByteBuffer out) {
    MessageType type = typeOf(reader);
    int n = reader.readInto(in, out);
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
    int arriving = (int) Math.min(reader.frameRemaining(), in.remaining());
    Piece piece = pieces.peekLast();
    int limit = piece == null ? 0 : piece.bytes.limit();
    if (piece == null || piece.endOfFrame || piece.bytes.capacity() - limit < arriving) {
      long room = Math.max(arriving, Math.min(reader.frameRemaining(), PIECE_ROOM));
      piece = new Piece(typeOf(reader), ByteBuffer.allocate((int) room).limit(0));
      pieces.addLast(piece);
      held += PIECE_OVERHEAD;
      limit = 0;
    }
    // Write behind what has arrived, whatever has been taken.
    ByteBuffer bytes = piece.bytes;
    int taken = bytes.position();
    bytes.limit(bytes.capacity()).position(limit);
    int n = reader.readInto(in, bytes);
    int end = bytes.position();
    bytes.limit(end).position(taken);
    if (n < 0) {
      return n;
    }
    held += n;
    piece.frameRemaining = reader.frameRemaining();
    piece.endOfFrame = reader.endOfFrame();
    piece.endOfMessage = reader.endOfMessage();
    piece.ascii = reader.isAscii();
    wake = true;
    if (held >= bound && !paused) {
      paused = true;
      session.pause();
    }
    return n;
  }

  @Override
  public void batchEnd() {
    lock.lock();
    try {
      giveCredit();
      if (wake) {
        wake = false;
        arrived.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void outcome(Outcome what) {
    boolean now;
    lock.lock();
    try {
      outcome = what;
      arrived.signal();
      now = discarding;
    } finally {
      lock.unlock();
    }
    if (now) {
      session.takeEffect(what);
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
      if (paused || credit > 0) {
        session.onLoop(this::resume);
      }
    } finally {
      lock.unlock();
    }
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

  private void resume() {
    lock.lock();
    try {
      giveCredit();
      if (paused) {
        paused = false;
        session.resume();
      }
    } finally {
      lock.unlock();
    }
  }

  private void giveCredit() {
    if (credit > 0) {
      session.consumed(credit);
      credit = 0;
    }
  }

  // ---- The handler's side
  // --------------------------------------------------------------------------

  /**
   * See {@link dev.windhover.http.WebSocket#receive}; {@code nanos} below 0 waits without limit.
   */
  ReceiveResult receive(ByteBuffer buffer, long nanos)
      throws InterruptedException, TimeoutException {
    TimeLimit limit = new TimeLimit(nanos);
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
      limit.cancel();
      lock.unlock();
    }
  }

  private ReceiveResult receiveLocked(ByteBuffer buffer, TimeLimit limit)
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
        if (buffer.position() > start) {
          // The frame was cut by the end: what arrived of it is delivered first.
          return new ReceiveResult(buffer.position() - start, requirePartialType(), false);
        }
        settle();
        return new ReceiveResult(0, MessageType.CLOSE, true);
      }
      if (pieces.isEmpty()) {
        target = buffer;
        targetStart = start;
        try {
          limit.await(arrived);
        } catch (InterruptedException | TimeoutException e) {
          if (result != null || buffer.position() > start) {
            if (e instanceof InterruptedException) {
              Thread.currentThread().interrupt(); // nothing is lost: the next call throws
            }
            return result != null
                ? result
                : new ReceiveResult(buffer.position() - start, requirePartialType(), false);
          }
          throw e;
        }
        target = null;
        if (result != null) {
          return result;
        }
      }
    }
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
      release(PIECE_OVERHEAD);
      end = piece.endOfMessage;
      done |= piece.endOfFrame;
    }
    insideMessage = !end;
    if (!done) {
      partialType = piece.type;
      return null;
    }
    return new ReceiveResult(buffer.position() - start, piece.type, end);
  }

  /** See {@link dev.windhover.http.WebSocket#receiveMessage}. */
  @Nullable Message receiveMessage(long nanos) throws InterruptedException, TimeoutException {
    TimeLimit limit = new TimeLimit(nanos);
    lock.lockInterruptibly();
    try {
      takeTurn(limit);
      try {
        if (insideMessage) {
          throw new IllegalStateException("receive has begun this message; go on with it");
        }
        while (true) {
          Piece piece = pieces.pollFirst();
          if (piece != null) {
            Message message = assemble(piece);
            if (message != null) {
              return message;
            }
          } else if (outcome != null || discarding) {
            settle();
            return null;
          } else {
            limit.await(arrived);
          }
        }
      } finally {
        endTurn();
      }
    } finally {
      limit.cancel();
      lock.unlock();
    }
  }

  private @Nullable Message assemble(Piece piece) {
    ByteBuffer bytes = piece.bytes;
    release(bytes.remaining() + PIECE_OVERHEAD);
    MessageBuffer buffer = assembling;
    if (buffer == null) {
      buffer = new MessageBuffer(maxMessageSize);
    }
    Violation tooBig = buffer.exceededBy(bytes.remaining() + piece.frameRemaining);
    if (tooBig != null) {
      assembling = null;
      pieces.clear();
      held = 0;
      outcome = new Outcome.Violated(tooBig);
      session.stopReading(tooBig);
      return null;
    }
    if (piece.endOfMessage && buffer.isEmpty()) {
      return messageOf(piece.type, bytes, piece.ascii); // the common case: nothing to assemble
    }
    buffer.room(bytes.remaining()).put(bytes);
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

  private void release(int bytes) {
    held -= bytes;
    credit += bytes;
    if (paused && held <= bound / 2) {
      session.onLoop(this::resume);
    }
  }

  /** Lets the end take effect: the application has taken all that came before and asks again. */
  private void settle() {
    Outcome what = outcome;
    if (what != null) {
      session.takeEffect(what);
    }
  }

  private void takeTurn(TimeLimit limit) throws InterruptedException, TimeoutException {
    session.requireHandlerRunning();
    while (receiving) {
      limit.await(turn);
    }
    receiving = true;
  }

  private void endTurn() {
    receiving = false;
    turn.signal();
  }

  /** How long one call may wait, by the connection's clock; below 0 nanoseconds without limit. */
  private final class TimeLimit {
    private final boolean isSet;
    private final long end;
    private Loop.@Nullable Timer timer;

    TimeLimit(long nanos) {
      isSet = nanos >= 0;
      end = isSet ? session.loop().nanoTime() + nanos : 0;
    }

    /** Waits once; the callers loop. */
    @SuppressWarnings("WaitNotInLoop")
    void await(Condition condition) throws InterruptedException, TimeoutException {
      if (isSet) {
        long left = end - session.loop().nanoTime();
        if (left <= 0) {
          turn.signal(); // a signal that this call may have had is not lost with it
          throw new TimeoutException("nothing was received in time");
        }
        if (timer == null) {
          timer = session.loop().schedule(Duration.ofNanos(left), this::passed);
        }
      }
      condition.await();
    }

    private void passed() {
      lock.lock();
      try {
        timer = null;
        arrived.signalAll();
        turn.signalAll();
      } finally {
        lock.unlock();
      }
    }

    void cancel() {
      Loop.Timer armed = timer;
      if (armed != null) {
        armed.cancel();
      }
    }
  }

  private static MessageType typeOf(FrameReader reader) {
    return reader.messageType() == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }
}
