package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Violation;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The blocking form's side of receiving: the loop puts pieces of messages in, a handler's thread
 * takes them out, piece by piece or as whole messages. A piece goes straight into the buffer that a
 * waiting {@link #receive} holds out; what nobody waits for is kept, up to a bound, beyond which
 * the peer is not read.
 *
 * <p>The pieces form a chain, to whose end the loop alone appends, and from whose beginning one
 * receiving thread at a time takes. Each side publishes how far it has got; neither takes a lock.
 */
final class ReceiveQueue implements Inbound {
  /** What a kept piece costs beside its bytes, so that tiny frames cannot outgrow the bound. */
  private static final int PIECE_OVERHEAD = 64;

  /** Credit goes back at the latest when this much is due: half of HTTP/2's initial window. */
  private static final int LARGEST_CREDIT = 32 * 1024;

  /** A frame of up to this is left to the loop until it is whole: a quarter of HTTP/2's window. */
  private static final int LARGEST_WHOLE = 16 * 1024;

  /** A piece has room for what follows in its frame, up to this, or as much as has arrived. */
  private static final int PIECE_ROOM = 512;

  /** A piece of a coded message has room for so much. */
  private static final int CODED_PIECE_ROOM = 4096;

  private static final VarHandle RECEIVER;
  private static final VarHandle OUTCOME;
  private static final VarHandle RESUMING;
  private static final VarHandle FATE;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      RECEIVER = lookup.findVarHandle(ReceiveQueue.class, "receiver", Thread.class);
      OUTCOME = lookup.findVarHandle(ReceiveQueue.class, "outcome", Outcome.class);
      RESUMING = lookup.findVarHandle(ReceiveQueue.class, "resuming", boolean.class);
      FATE = lookup.findVarHandle(Receive.class, "fate", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Bytes of one frame, as they arrive. */
  private static final class Piece {
    // What `arrived` says beside the number of bytes.
    static final int END_OF_FRAME = 1;
    static final int END_OF_MESSAGE = 2;
    static final int ASCII = 4;
    static final int FLAGS = 3; // bits

    final MessageType type;

    /** The receiver looks at its memory only, never at its position. */
    ByteBuffer bytes;

    /** What has arrived, and the flags; the loop publishes with it all that it wrote before. */
    volatile int arrived;

    /** What its frame still lacks, or a little more. */
    long frameRemaining;

    volatile @Nullable Piece next;

    // The receiver's: how much it took, whether all that was here then, and its end.
    int taken;
    boolean released;
    boolean consumed;

    Piece(MessageType type, ByteBuffer bytes) {
      this.type = type;
      this.bytes = bytes;
    }

    /**
     * Returns whether all of the frame, of which {@code there} bytes are here, may be waited for:
     * it has room here, and what is not taken meanwhile is not credited, which must leave the peer
     * enough of its window to send the rest.
     */
    boolean mayGrowWhole(int there) {
      return frameRemaining <= Math.min(bytes.capacity(), LARGEST_WHOLE) - there;
    }

    static boolean has(int arrived, int flag) {
      return (arrived & flag) != 0;
    }
  }

  /** A receiving thread that waits, and the buffer that it may hold out. */
  private static final class Receive {
    static final int WAITING = 0;
    static final int FILLING = 1; // by the loop, which is soon done
    static final int FILLED = 2;
    static final int WITHDRAWN = 3;

    final Thread thread = Thread.currentThread();
    final @Nullable ByteBuffer target;
    volatile int fate = WAITING;

    // Of what is in the target.
    @Nullable MessageType type;
    boolean endOfMessage;

    Receive(@Nullable ByteBuffer target) {
      this.target = target;
    }
  }

  /** How long a receive may wait, in the host's time. */
  private final class Limit {
    private final Thread thread = Thread.currentThread();
    private volatile boolean passed;
    private final Loop.@Nullable Timer timer;

    Limit(long nanos) {
      passed = nanos == 0;
      timer = nanos > 0 ? session.schedule(nanos, this::pass) : null;
    }

    private void pass() {
      passed = true;
      LockSupport.unpark(thread);
    }

    void cancel() {
      if (timer != null) {
        timer.cancel();
      }
    }
  }

  private final Session session;
  private final int bound;
  private final long maxMessageSize;

  // ---- Loop only

  private Piece last = new Piece(MessageType.BINARY, ByteBuffer.allocate(0));

  /** Whether what follows in the frame under way may be appended to that piece. */
  private boolean isLastOpen;

  private long arrivedBytes;

  /** Those of them that went straight to a waiting receiver. */
  private long directBytes;

  private long creditedBytes;
  private boolean wake;

  // ---- Any thread

  private volatile long arrivedCost;
  private volatile boolean paused;
  private volatile boolean resuming;
  private volatile boolean discarding;
  private volatile @Nullable Outcome outcome;

  /** Who waits, or null. */
  private volatile @Nullable Receive receive;

  /** Who receives; a second thread waits its turn. */
  private volatile @Nullable Thread receiver;

  private final ParkedThreads others;

  // ---- The receiver's; the loop looks at the sums.

  private Piece first = last;
  private volatile long takenCost;
  private volatile long takenBytes;
  private long creditAsked;
  private @Nullable Violation tooBig;

  /** The message under way in the whole-message form; survives an interrupt and a time-out. */
  private @Nullable MessageBuffer assembling;

  private boolean insideMessage;

  ReceiveQueue(Session session, int bound, long maxMessageSize) {
    this.session = session;
    this.others = new ParkedThreads(session.loop());
    this.bound = bound;
    this.maxMessageSize = maxMessageSize;
    first.arrived = Piece.END_OF_FRAME;
    first.released = true;
    first.consumed = true;
  }

  // ---- The loop's side

  @Override
  public void opened() {}

  @Override
  public int data(FrameReader reader, ByteBuffer in) {
    if (discarding) {
      int n = session.skip(reader, in);
      arrivedBytes += Math.max(n, 0);
      return n;
    }
    Receive waiting = receive;
    if (waiting != null
        && waiting.target != null
        && waiting.target.hasRemaining()
        && cost() == 0
        && FATE.compareAndSet(waiting, Receive.WAITING, Receive.FILLING)) {
      return fill(waiting, waiting.target, reader, in);
    }
    int n = keep(reader, in);
    if (cost() >= bound && !paused) {
      pause();
    }
    return n;
  }

  private void pause() {
    paused = true;
    wake = true; // for a message that is larger than the bound
    session.pause();
    if (cost() <= bound / 2) { // it was taken meanwhile, and who took it saw no pause
      session.loop().execute(this::resume); // later: what is at hand is not counted yet
    }
  }

  /** Returns what is kept: it costs memory, the smallest pieces too. */
  private long cost() {
    return arrivedCost - takenCost;
  }

  private int fill(Receive waiting, ByteBuffer out, FrameReader reader, ByteBuffer in) {
    int before = out.position();
    int n = -1;
    int fate = Receive.WAITING;
    try {
      n = reader.readInto(in, out);
      if (n >= 0) {
        arrivedBytes += n;
        directBytes += n;
        waiting.type = typeOf(reader);
        waiting.endOfMessage = reader.endOfMessage();
        if (!out.hasRemaining() || reader.endOfFrame()) {
          fate = Receive.FILLED;
          wake = true;
        }
      }
    } finally {
      if (n < 0) {
        out.position(before); // nobody sees what breaks the rules
      }
      isLastOpen = false;
      waiting.fate = fate;
    }
    return n;
  }

  private int keep(FrameReader reader, ByteBuffer in) {
    boolean coded = reader.isCoded();
    // What comes out of coded bytes is not known; there may be some without any left to go in.
    int arriving = coded ? 1 : (int) Math.min(reader.frameRemaining(), in.remaining());
    Piece piece = last;
    int limit = piece.bytes.limit();
    boolean isNew =
        !isLastOpen
            || Piece.has(piece.arrived, Piece.END_OF_FRAME)
            || piece.bytes.capacity() - limit < arriving;
    if (isNew) {
      long due = Math.min(reader.frameRemaining(), Math.max(PIECE_ROOM, 2L * arriving));
      long room = coded ? CODED_PIECE_ROOM : Math.max(arriving, due);
      piece = new Piece(typeOf(reader), ByteBuffer.allocate((int) room).limit(0));
      limit = 0;
    }
    ByteBuffer bytes = piece.bytes;
    bytes.limit(bytes.capacity()).position(limit);
    int n = -1;
    try {
      n = reader.readInto(in, bytes);
    } finally {
      bytes.limit(limit + Math.max(n, 0)); // nobody sees what breaks the rules
    }
    if (n < 0) {
      return n;
    }
    arrivedBytes += n;
    long cost = arrivedCost + n + (isNew ? PIECE_OVERHEAD : 0); // by the loop alone
    arrivedCost = cost;
    if (isNew && coded && reader.endOfFrame() && bytes.limit() < bytes.capacity() / 2) {
      piece.bytes = ByteBuffer.allocate(bytes.limit()).put(bytes.flip());
    }
    piece.frameRemaining = coded ? 0 : reader.frameRemaining();
    piece.arrived =
        (limit + n) << Piece.FLAGS
            | (reader.endOfFrame() ? Piece.END_OF_FRAME : 0)
            | (reader.endOfMessage() ? Piece.END_OF_MESSAGE : 0)
            | (reader.isAscii() ? Piece.ASCII : 0);
    if (isNew) {
      last.next = piece;
      last = piece;
      isLastOpen = true;
    }
    Receive waiting = receive;
    boolean wantsPieces = waiting != null && waiting.target != null;
    // While we pause, what was on its way is to be taken too, or we would never go on.
    wake |= paused || wantsPieces || reader.endOfFrame() || !piece.mayGrowWhole(limit + n);
    return n;
  }

  @Override
  public void batchEnd() {
    giveCredit();
    if (wake) {
      wake = false;
      wakeReceiver();
    }
  }

  private void wakeReceiver() {
    Receive waiting = receive;
    if (waiting != null) {
      session.loop().unpark(waiting.thread);
    }
  }

  @Override
  public void outcome(Outcome what) {
    OUTCOME.compareAndSet(this, null, what); // a message that was too big may have come before
    Outcome found = outcome;
    wakeReceiver();
    // What is kept can be received all the same.
    if (found != null && (discarding || session.isCloseSent())) {
      session.takeEffect(found);
    }
  }

  @Override
  public void writable() {}

  @Override
  public void ended() {
    wakeReceiver();
    others.wakeAll();
  }

  /** Gives back what was taken, and reads on if we had stopped and there is room again. */
  private void resume() {
    resuming = false;
    giveCredit();
    if (paused && (discarding || cost() <= bound / 2)) {
      paused = false;
      session.resume();
    }
  }

  private void giveCredit() {
    long due = (discarding ? arrivedBytes : takenBytes + directBytes) - creditedBytes;
    if (due > 0) {
      creditedBytes += due;
      session.consumed((int) due);
    }
  }

  @Override
  public void discard() {
    discarding = true;
    Outcome pending = outcome;
    wakeReceiver();
    session.onLoop(this::resume);
    if (RECEIVER.compareAndSet(this, null, Thread.currentThread())) {
      drop();
      endTurn();
    }
    if (pending != null) {
      session.takeEffect(pending);
    }
  }

  // ---- The receiver's side

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
    Limit limit = takeTurn(nanos);
    ReceiveResult received;
    try {
      if (assembling != null && !assembling.isEmpty()) {
        throw new IllegalStateException("receiveMessage has begun this message; go on with it");
      }
      received = receivePiece(buffer, limit);
    } finally {
      endTurn(limit);
    }
    if (received.isClose()) {
      settle();
    }
    return received;
  }

  private ReceiveResult receivePiece(ByteBuffer buffer, @Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    int start = buffer.position();
    @Nullable MessageType partialType = null;
    while (true) {
      Piece piece = nextPiece(false);
      if (piece != null) {
        ReceiveResult taken = take(piece, buffer, start);
        if (taken != null) {
          return taken;
        }
        partialType = piece.type;
      } else if (hasEnded()) {
        return buffer.position() > start
            ? partial(buffer, start, partialType) // the frame was cut by the end
            : new ReceiveResult(0, MessageType.CLOSE, true);
      } else {
        Receive waiting = new Receive(buffer);
        try {
          await(waiting, limit);
        } catch (InterruptedException | TimeoutException e) {
          withdraw(waiting);
          if (waiting.fate != Receive.FILLED && buffer.position() == start) {
            throw e;
          }
          if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt(); // nothing is lost: the next call throws
          }
          return waiting.fate == Receive.FILLED
              ? filled(waiting, buffer, start)
              : partial(buffer, start, waiting.type != null ? waiting.type : partialType);
        }
        withdraw(waiting);
        if (waiting.fate == Receive.FILLED) {
          return filled(waiting, buffer, start);
        }
        if (waiting.type != null) {
          partialType = waiting.type;
        }
      }
    }
  }

  /** From here on the loop leaves the buffer alone. */
  @SuppressWarnings("ThreadPriorityCheck") // the loop may need this core to go on
  private static void withdraw(Receive waiting) {
    while (!FATE.compareAndSet(waiting, Receive.WAITING, Receive.WITHDRAWN)
        && waiting.fate != Receive.FILLED) {
      Thread.yield(); // the loop is in the middle of moving bytes
    }
  }

  private ReceiveResult filled(Receive waiting, ByteBuffer buffer, int start) {
    insideMessage = !waiting.endOfMessage;
    return new ReceiveResult(
        buffer.position() - start, requireType(waiting.type), waiting.endOfMessage);
  }

  /** What is here of a frame that is not all here. */
  private ReceiveResult partial(ByteBuffer buffer, int start, @Nullable MessageType type) {
    insideMessage = true;
    return new ReceiveResult(buffer.position() - start, requireType(type), false);
  }

  private static MessageType requireType(@Nullable MessageType type) {
    if (type == null) {
      throw new AssertionError("bytes without a type");
    }
    return type;
  }

  /** Moves bytes of the first piece; null if the frame goes on and the buffer has room for it. */
  private @Nullable ReceiveResult take(Piece piece, ByteBuffer buffer, int start) {
    int arrived = piece.arrived;
    int there = (arrived >>> Piece.FLAGS) - piece.taken;
    int n = Math.min(there, buffer.remaining());
    buffer.put(memoryOf(piece.bytes), piece.taken, n);
    taken(piece, n);
    boolean end = false;
    boolean done = !buffer.hasRemaining();
    if (n == there) {
      boolean endOfFrame = Piece.has(arrived, Piece.END_OF_FRAME);
      end = Piece.has(arrived, Piece.END_OF_MESSAGE);
      release(piece);
      piece.consumed = endOfFrame;
      done |= endOfFrame;
      insideMessage = !end && (insideMessage || n > 0 || endOfFrame);
    } else {
      insideMessage |= n > 0; // a buffer without room takes nothing
    }
    giveBack();
    return done ? new ReceiveResult(buffer.position() - start, piece.type, end) : null;
  }

  /** See {@link dev.windhover.http.websocket.WebSocket#receiveMessage}. */
  @Nullable Message receiveMessage(long nanos) throws InterruptedException, TimeoutException {
    session.requireHandlerRunning();
    Limit limit = takeTurn(nanos);
    Message message;
    try {
      if (insideMessage) {
        throw new IllegalStateException("receive has begun this message; go on with it");
      }
      message = assembleMessage(limit);
    } finally {
      endTurn(limit);
    }
    if (message == null) {
      settle();
    }
    return message;
  }

  private @Nullable Message assembleMessage(@Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    while (true) {
      Piece piece = nextPiece(true);
      if (piece != null) {
        Message message = assemble(piece);
        if (message != null) {
          return message;
        }
      } else if (hasEnded()) {
        return null;
      } else {
        await(new Receive(null), limit);
      }
    }
  }

  private @Nullable Message assemble(Piece piece) {
    int arrived = piece.arrived;
    int from = piece.taken;
    int n = (arrived >>> Piece.FLAGS) - from;
    MessageBuffer buffer = assembling;
    if (buffer == null) {
      buffer = new MessageBuffer(maxMessageSize);
    }
    long declared = n + piece.frameRemaining;
    Violation violation = buffer.exceededBy(declared);
    if (violation != null) {
      assembling = null;
      tooBig = violation;
      outcome = new Outcome.Violated(violation);
      discarding = true;
      drop();
      return null;
    }
    byte[] memory = memoryOf(piece.bytes);
    taken(piece, n);
    release(piece);
    boolean end = Piece.has(arrived, Piece.END_OF_MESSAGE);
    boolean ascii = Piece.has(arrived, Piece.ASCII);
    piece.consumed = Piece.has(arrived, Piece.END_OF_FRAME);
    giveBack();
    if (end && buffer.isEmpty() && from == 0) {
      return messageOf(piece.type, memory, n, ascii); // the common case: nothing to assemble
    }
    buffer.room(n, declared).put(memory, from, n);
    if (!end) {
      assembling = buffer;
      return null;
    }
    assembling = null;
    ByteBuffer whole = buffer.message();
    return messageOf(piece.type, memoryOf(whole), whole.remaining(), ascii);
  }

  @SuppressWarnings("ByteBufferBackingArray") // it was allocated, here or in a MessageBuffer
  private static byte[] memoryOf(ByteBuffer buffer) {
    return buffer.array();
  }

  private static Message messageOf(MessageType type, byte[] bytes, int size, boolean ascii) {
    if (type == MessageType.BINARY) {
      ByteBuffer payload = ByteBuffer.wrap(bytes, 0, size);
      return new Message.Binary(size == bytes.length ? payload : payload.slice());
    }
    return new Message.Text(
        new String(bytes, 0, size, ascii ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
  }

  // ---- The chain

  /**
   * Returns the first piece that has something to take, or null.
   *
   * @param isWhole whether a frame under way is left to the loop as long as that can go on
   */
  private @Nullable Piece nextPiece(boolean isWhole) {
    while (!discarding) {
      Piece piece = first;
      Piece next = piece.next; // before what has arrived: nothing arrives once there is another
      int arrived = piece.arrived;
      boolean isEnded = Piece.has(arrived, Piece.END_OF_FRAME);
      if (isEnded && !piece.consumed) {
        return piece;
      }
      int there = arrived >>> Piece.FLAGS;
      boolean isCut = next != null || paused || outcome != null || !isWhole;
      if (piece.taken < there && (isCut || !piece.mayGrowWhole(there))) {
        return piece;
      }
      if (next == null) {
        return null;
      }
      release(piece);
      first = next;
    }
    drop();
    return null;
  }

  private void taken(Piece piece, int bytes) {
    piece.taken += bytes;
    long sum = takenBytes + bytes; // by the receiver alone
    takenBytes = sum;
    long cost = takenCost + bytes;
    takenCost = cost;
  }

  /** All of a piece that was here is taken: it costs no more. */
  private void release(Piece piece) {
    if (!piece.released) {
      piece.released = true;
      long cost = takenCost + PIECE_OVERHEAD;
      takenCost = cost;
    }
  }

  /** Credit goes back in large parts, as each costs a task. */
  private void giveBack() {
    boolean due =
        paused
            ? cost() <= bound / 2
            : takenBytes - creditAsked >= Math.min(bound / 2, LARGEST_CREDIT);
    if (due && !resuming && RESUMING.compareAndSet(this, false, true)) {
      creditAsked = takenBytes;
      session.onLoop(this::resume);
    }
  }

  private void drop() {
    Piece all = first;
    while (all.next != null) {
      all = all.next;
    }
    first = all;
    assembling = null;
  }

  private boolean hasEnded() {
    return outcome != null || discarding;
  }

  // ---- Waiting

  /** Waits until there may be something to take. */
  private void await(Receive waiting, @Nullable Limit limit)
      throws InterruptedException, TimeoutException {
    receive = waiting;
    try {
      while (waiting.fate != Receive.FILLED
          && nextPiece(waiting.target == null) == null
          && !hasEnded()) {
        if (limit != null && limit.passed) {
          throw timedOut();
        }
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        LockSupport.park(this);
      }
    } finally {
      receive = null;
    }
  }

  /** Lets the end take effect: the application has taken all that came before and asks again. */
  private void settle() {
    Violation found = tooBig;
    tooBig = null;
    if (found != null) {
      session.stopReading(found);
    }
    Outcome what = outcome;
    if (what != null) {
      session.takeEffect(what);
    }
  }

  private @Nullable Limit takeTurn(long nanos) throws InterruptedException, TimeoutException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    Limit limit = nanos < 0 ? null : new Limit(nanos);
    Thread self = Thread.currentThread();
    if (RECEIVER.compareAndSet(this, null, self)) {
      return limit;
    }
    boolean taken = false;
    try {
      others.awaitInTurn(
          () -> RECEIVER.compareAndSet(this, null, self) || (limit != null && limit.passed));
      others.leave();
      taken = self.equals(receiver);
    } finally {
      if (!taken && limit != null) {
        limit.cancel();
      }
    }
    if (!taken) {
      throw timedOut();
    }
    return limit;
  }

  private void endTurn(@Nullable Limit limit) {
    if (limit != null) {
      limit.cancel();
    }
    endTurn();
  }

  private void endTurn() {
    receiver = null;
    others.wakeFirst();
  }

  private static TimeoutException timedOut() {
    return new TimeoutException("nothing was received in time");
  }

  private static MessageType typeOf(FrameReader reader) {
    return reader.messageType() == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }
}
