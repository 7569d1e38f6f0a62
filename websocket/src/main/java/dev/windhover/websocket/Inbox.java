package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Violation;
import dev.windhover.websocket.Causes.Outcome;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the peer sends. It {@linkplain #deliver delivers} what the application asks for, and
 * keeps everything else in pieces until the application takes it, up to a bound. At the bound the
 * peer is not read. The two forms of a socket differ in who asks: a {@link ListenerPump} asks on
 * the loop, a {@link Receiver} asks for threads that wait.
 *
 * <p>Only the loop adds pieces, and only one thread at a time takes them: the loop itself or a
 * receiving thread. Neither takes a lock.
 */
abstract sealed class Inbox permits ListenerPump, Receiver {
  /** The answer of {@link #deliver} if the application asks for nothing. */
  static final int UNWANTED = -2;

  /** What a piece costs beside its bytes, so that tiny frames cannot outgrow the bound. */
  private static final int PIECE_OVERHEAD = 64;

  /** The size of a piece that is decompressed. */
  private static final int CODED_PIECE_BYTES = 4096;

  /** One turn of the loop decompresses this much, then other connections have theirs. */
  private static final int SLICE_BYTES = 64 * 1024;

  /** Credit goes back at the latest when this much is due: half of HTTP/2's initial window. */
  private static final int LARGEST_CREDIT = 32 * 1024;

  private static final Queue<Piece> NO_PIECES = new ConcurrentLinkedQueue<>();

  private static final VarHandle COST = handle("cost");
  private static final VarHandle CREDIT = handle("credit");

  /**
   * Describes bytes of a message.
   *
   * @param endOfFrame whether the frame ends with them
   * @param endOfMessage whether the message ends with them
   * @param ascii whether the message is ASCII so far
   */
  record Part(MessageType type, boolean endOfFrame, boolean endOfMessage, boolean ascii) {
    /** Returns what {@code reader} says of the bytes that it has just read. */
    static Part of(FrameReader reader) {
      return new Part(typeOf(reader), reader.endOfFrame(), reader.endOfMessage(), reader.isAscii());
    }

    /** Describes the same bytes without the last ones. */
    Part cut() {
      return new Part(type, false, false, ascii);
    }
  }

  /**
   * Bytes of one frame that came together and are kept.
   *
   * @param bytes whoever takes some of them moves the position
   * @param messageSize the size of the message up to the end of the frame, as declared, or up to
   *     the end of these bytes if they were compressed
   */
  record Piece(Part part, ByteBuffer bytes, long messageSize) {}

  final Session session;

  /** What is kept, in the order of the wire. The queue is made for the first piece. */
  volatile Queue<Piece> pieces = NO_PIECES;

  private final int bound;

  /** The largest message of which pieces are kept. */
  private final long maxKept;

  // ---- Loop only

  /** The size of the message under way, so far. */
  private long messageBytes;

  /** Whether a message has begun and not ended. */
  private boolean isWithinMessage;

  /** All bytes of payload that have been read, as they came. */
  private long dataBytes;

  /** Whether the peer was not read at some time since {@link #wasReading} was asked last. */
  private boolean hasPaused;

  /** The bytes that came and for which no credit was given. Those set aside do not count. */
  private int owed;

  /** The bytes of this batch that are not kept: their credit is due at its end. */
  private int due;

  /** The bytes that were decompressed in this turn of the loop. */
  private int inflated;

  /** Compressed bytes as they came. They are read when there is room for what comes out. */
  private @Nullable ByteBuffer backlog;

  private boolean endsAfterBacklog;

  // ---- Any thread

  /** What the pieces cost. The loop adds to it; whoever takes a piece subtracts. */
  private volatile int cost;

  /** The bytes that were taken since the loop last gave credit for them. */
  private volatile int credit;

  private volatile boolean paused;
  private volatile boolean discarding;

  Inbox(Session session, long maxKept) {
    this.session = session;
    this.bound = session.settings().limits().inboundBytes();
    this.maxKept = maxKept;
  }

  private static VarHandle handle(String field) {
    return ConstantBootstraps.fieldVarHandle(
        MethodHandles.lookup(), field, VarHandle.class, Inbox.class, int.class);
  }

  // ---- The form's part

  /**
   * Reads the payload that {@code in} holds if the application asks for it. Loop only.
   *
   * @return the number of bytes, -1 if there was a violation, or {@link #UNWANTED}
   */
  abstract int deliver(FrameReader reader, ByteBuffer in);

  /** Returns whether the peer may be read again after a pause. Loop only. */
  abstract boolean hasRoom();

  /**
   * Lets an end that the session has found take effect, if the application has everything before
   * it. Loop only.
   */
  abstract void settle();

  /**
   * Returns how much memory a message takes that is being assembled for the application, and is not
   * complete. Loop only.
   */
  abstract int assembled();

  /** The socket is open; the first call. Loop only. */
  void opened() {}

  /**
   * The output queue has shrunk below its low mark after it had reached the high one. Loop only.
   */
  void writable() {}

  /** The socket has ended; the last call. Loop only. */
  void ended() {}

  // ---- Reading

  /** Reads what has come. */
  final void onBytes(ByteBuffer bytes) {
    if (backlog != null) {
      setAside(bytes); // it was on its way when we paused
      return;
    }
    session.conversation().heard(session.loop().nanoTime());
    owed += bytes.remaining();
    due += bytes.remaining(); // less what will be kept
    if (readFrames(bytes)) {
      owed -= bytes.remaining();
      due -= bytes.remaining();
      setAside(bytes);
    }
  }

  /** Reads frames, and returns whether the rest of the bytes is to wait. */
  private boolean readFrames(ByteBuffer bytes) {
    Conversation conversation = session.conversation();
    while (!conversation.isDoneReading()) {
      switch (conversation.next(bytes)) {
        case MORE -> {
          return false;
        }
        case DATA -> {
          if (readPayload(conversation.reader(), bytes)) {
            return true;
          }
        }
        case PING, PONG -> {} // answered, and a sign of life like any other byte
        case CLOSE -> session.finish(new Outcome.PeerClosed(conversation.closeReason()));
        case VIOLATION -> session.violated(conversation.violation());
      }
    }
    bytes.position(bytes.limit()); // nothing after a Close or a violation is looked at (1.4, 7.1.7)
    return false;
  }

  /** Reads payload, and returns whether the rest of the bytes is to wait. */
  private boolean readPayload(FrameReader reader, ByteBuffer bytes) {
    int before = bytes.position();
    int n = discarding ? skip(reader, bytes) : deliver(reader, bytes);
    if (n == UNWANTED) {
      n = keep(reader, bytes);
    }
    dataBytes += bytes.position() - before;
    if (session.conversation().isDoneReading()) {
      return false; // what was found is told already
    }
    if (n < 0) {
      session.violated(reader.violation());
      return false;
    }
    messageBytes += n;
    isWithinMessage = !reader.endOfMessage();
    if (!isWithinMessage) {
      session.received(typeOf(reader), messageBytes);
      messageBytes = 0;
    }
    return reader.isCoded() && mustRest(n);
  }

  /** Returns whether to wait after {@code n} bytes more were decompressed. */
  private boolean mustRest(int n) {
    inflated += n;
    if (paused) {
      return true;
    }
    if (inflated < SLICE_BYTES && !session.memory().isShort()) {
      return false;
    }
    session.duplex().pause();
    session.loop().execute(this::readBacklog);
    return true;
  }

  /** The bytes that came together have all been read. */
  void batchEnd() {
    inflated = 0;
    giveCredit(due);
    due = 0;
  }

  /** The peer's direction ended; without a Close that is a lost connection. */
  final void onEnd() {
    if (backlog != null) {
      endsAfterBacklog = true;
    } else if (!session.conversation().isDoneReading()) {
      session.finish(new Outcome.Lost("the peer ended the connection without a close frame"));
    }
  }

  /** Nothing more is read. */
  void endReading() {
    backlog = null;
    isWithinMessage = false;
  }

  /** Returns how much memory is taken by what has come and was not taken. Loop only. */
  final long held() {
    ByteBuffer aside = backlog;
    int kept = discarding ? 0 : cost; // what is discarded is not taken any more
    long setAside = aside == null ? 0 : aside.capacity();
    return setAside + kept + assembled();
  }

  // ---- The message under way

  /** Returns whether a message has begun and not ended. Loop only. */
  final boolean isWithinMessage() {
    return isWithinMessage;
  }

  /** Returns how many bytes of payload have been read in all, as they came. Loop only. */
  final long dataBytes() {
    return dataBytes;
  }

  /** Returns whether the peer was read all the time since the last call. Loop only. */
  final boolean wasReading() {
    boolean was = !hasPaused;
    hasPaused = paused;
    return was;
  }

  private static int skip(FrameReader reader, ByteBuffer bytes) {
    if (reader.isCoded()) {
      return reader.skip(bytes);
    }
    int n = reader.readInPlace(bytes);
    bytes.position(bytes.position() + Math.max(n, 0));
    return n;
  }

  /**
   * Reads payload into a message that the application asks for. A message that is too big is
   * refused, at its header if that says so.
   *
   * @return the number of bytes, or -1 if there was a violation
   */
  final int assemble(MessageBuffer message, FrameReader reader, ByteBuffer in) {
    Violation tooBig = reader.isCoded() ? null : message.exceededBy(reader.frameRemaining());
    if (tooBig != null) {
      return session.violated(tooBig);
    }
    int n = message.read(reader, in);
    tooBig = n < 0 ? null : message.exceededBy(0); // no header declares what is decompressed
    return tooBig == null ? n : session.violated(tooBig);
  }

  static MessageType typeOf(FrameReader reader) {
    return reader.messageType() == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }

  // ---- Keeping

  private int keep(FrameReader reader, ByteBuffer in) {
    boolean coded = reader.isCoded();
    long declared = reader.frameRemaining();
    long left = maxKept - messageBytes;
    if (!coded && declared > left) {
      return tooBig(declared);
    }
    // One byte beyond the limit, so that a message over the limit shows itself.
    int room =
        coded
            ? (int) Math.min(CODED_PIECE_BYTES - 1, left) + 1
            : (int) Math.min(declared, in.remaining());
    ByteBuffer bytes = ByteBuffer.allocate(room);
    int n = reader.readInto(in, bytes);
    if (n < 0) {
      return n; // nobody sees what breaks the rules
    }
    if (n > left) {
      return tooBig(n);
    }
    if (!coded) {
      due -= n;
    }
    if (n > 0 || reader.endOfFrame()) {
      bytes.flip();
      COST.getAndAdd(this, n + PIECE_OVERHEAD);
      ownPieces()
          .add(
              new Piece(
                  Part.of(reader),
                  n < room / 2 ? ByteBuffer.allocate(n).put(bytes).flip() : bytes,
                  messageBytes + (coded ? n : declared)));
    }
    if (cost >= bound && !paused) {
      pause();
    }
    return n;
  }

  @SuppressWarnings("ReferenceEquality") // the shared one, and no other that is empty
  private Queue<Piece> ownPieces() {
    if (pieces == NO_PIECES) {
      pieces = new ConcurrentLinkedQueue<>();
    }
    return pieces;
  }

  private int tooBig(long more) {
    long whole = messageBytes + Math.min(more, Long.MAX_VALUE - messageBytes);
    return session.violated(Violation.messageTooBig(whole, maxKept));
  }

  private void pause() {
    paused = true;
    hasPaused = true;
    session.limitReached(Limit.INBOUND_BYTES);
    session.duplex().pause();
    if (hasRoom()) { // it was taken meanwhile, and its taker saw no pause
      session.loop().execute(this::readOn);
    }
  }

  /** Gives credit for what was taken, and reads on after a pause if there is room. Loop only. */
  final void readOn() {
    giveCredit(0);
    if (paused && (discarding || hasRoom())) {
      paused = false;
      session.conversation().readingAgain(session.loop().nanoTime());
      if (backlog != null) {
        session.loop().execute(this::readBacklog); // not within the call that made room
      } else if (session.isOpened()) {
        session.duplex().resume();
      }
    }
  }

  private void giveCredit(int read) {
    int taken = credit == 0 ? 0 : (int) CREDIT.getAndSet(this, 0);
    // What was decompressed is larger than what came, for which credit was given at once.
    int bytes = discarding ? Math.max(owed, 0) : Math.min(read + taken, owed);
    owed -= bytes;
    if (bytes > 0 && session.isOpened()) {
      session.duplex().consumed(bytes);
    }
  }

  /** Sets bytes aside; even none, since the decoder may hold what came of others. */
  private void setAside(ByteBuffer more) {
    ByteBuffer all = backlog;
    if (all == null) {
      all = ByteBuffer.allocate(more.remaining());
    } else if (all.remaining() < more.remaining()) {
      int size = Math.max(2 * all.position(), all.position() + more.remaining());
      all = ByteBuffer.allocate(size).put(all.flip());
    }
    backlog = all.put(more);
  }

  private void readBacklog() {
    if (paused || !session.isOpened()) {
      return; // paused again, or lost
    }
    ByteBuffer bytes = backlog;
    backlog = null;
    if (bytes != null) {
      try {
        session.onBytes(bytes.flip());
        session.onBatchEnd();
      } catch (RuntimeException | Error e) {
        session.life().abort(Ending.By.SERVER, "reading failed: " + e);
        throw e;
      }
    }
    if (backlog == null && session.isOpened()) {
      if (!paused) {
        session.duplex().resume();
      }
      if (endsAfterBacklog) {
        onEnd();
      }
    }
  }

  /** Returns whether reading has stopped at the bound. Any thread. */
  final boolean isPaused() {
    return paused;
  }

  // ---- Taking

  /** Returns whether there are pieces to take before anything that comes. */
  final boolean isKeeping() {
    return cost != 0;
  }

  /** Returns whether what is kept is at most half of the bound. */
  final boolean isHalfEmpty() {
    return cost <= bound / 2;
  }

  /** Returns the first piece, or null if nothing is kept. */
  final @Nullable Piece next() {
    return discarding ? null : pieces.peek();
  }

  /** Moves the first piece into a message. */
  final void take(Piece first, MessageBuffer message) {
    int n = first.bytes().remaining();
    message.add(first.bytes());
    taken(first, n);
  }

  /** The first piece has lost {@code n} bytes to the application, and goes with its last one. */
  final void taken(Piece first, int n) {
    int gain = n;
    if (!first.bytes().hasRemaining()) {
      pieces.poll();
      gain += PIECE_OVERHEAD;
    }
    int costed = (int) COST.getAndAdd(this, -gain);
    int credited = (int) CREDIT.getAndAdd(this, n);
    boolean makesRoom = costed > bound / 2 && costed - gain <= bound / 2;
    int large = Math.min(bound / 2, LARGEST_CREDIT); // each costs a task
    if ((paused && makesRoom) || (credited < large && credited + n >= large)) {
      session.loop().execute(this::readOn);
    }
  }

  /** Drops what is kept and what will come; an end takes effect at once. Any thread. */
  void discard() {
    discarding = true;
    session.onLoop(this::drop);
  }

  /** Drops what is kept. Loop only. */
  void drop() {
    pieces.clear();
    readOn();
    settle();
  }

  final boolean isDiscarding() {
    return discarding;
  }
}
