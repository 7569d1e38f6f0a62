package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One end of a WebSocket connection (RFC 6455), without I/O: it is given bytes and says what they
 * mean, and writes frames into the {@link FrameOutput} that it is given. It answers Pings, holds
 * the {@linkplain WebSocketState state}, and asks for the keep-alive's Pings and the closing
 * handshake's time limits: {@link #deadline} names when to call {@link #check} next.
 *
 * <p>A Close of the peer is read at once but takes effect when its owner says so ({@link
 * #takeEffect()}), since the messages before it may still wait for the application; {@link
 * #answerClose()} echoes it. A control frame goes between the frames of messages, never into one:
 * until the frame under way is whole, the latest Pong, a Ping and a Close wait here.
 *
 * <p>It owns no thread and reads no clock: times are the caller's nanoseconds, of no fixed origin.
 * Used by one thread at a time.
 */
public final class Conversation {
  /** The deadline of a conversation that waits for nothing. */
  public static final long NEVER = Long.MAX_VALUE;

  /**
   * What is asked of all conversations of the same settings; times in nanoseconds.
   *
   * @param keepAliveInterval how long a peer may be quiet before it is pinged; 0 is off
   * @param keepAliveTimeout how long it may then stay quiet; 0 is without limit, and a Pong is sent
   *     every interval instead of the Ping
   * @param closeTimeout how long the peer's part of the closing handshake may take
   * @param controlFramesPerSecond how many Pings and Pongs a peer may send in a second, in the long
   *     run
   * @param controlFrameBurst how many of them may come at once after a quiet time
   * @param pongMark with so many bytes of output waiting, only the latest Pong is kept
   */
  public record Terms(
      long keepAliveInterval,
      long keepAliveTimeout,
      long closeTimeout,
      int controlFramesPerSecond,
      int controlFrameBurst,
      int pongMark) {}

  /** What a deadline that has passed means. */
  public enum Passed {
    /** Nothing that concerns the owner. */
    NOTHING,
    /** The end of the peer's messages has waited {@link #EFFECT_NANOS} for the application. */
    EFFECT,
    /** The closing handshake was not finished in time. */
    CLOSING,
    /** The peer gave no sign of life after a Ping. */
    KEEP_ALIVE
  }

  /** How long a Close or a violation that was read waits for the application to reach it. */
  public static final long EFFECT_NANOS = 5_000_000_000L;

  /** Frames up to this size are gathered in the output buffer; larger payloads stand beside it. */
  private static final int GATHER_BYTES = 32 * 1024;

  private final Terms terms;
  private final FrameReader reader;
  private final FrameWriter writer;

  private WebSocketState state = WebSocketState.CONNECTING;
  private @Nullable FrameOutput output;
  private @Nullable KeepAlive keepAlive;

  // What was read.
  private @Nullable RateLimit controlFrames;
  private @Nullable Violation violation;
  private boolean doneReading;
  private boolean outputEnded;
  private long heardAt;

  // What is written: the payload bytes that the frame under way still lacks, and what waits for it.
  private long frameLeft;
  private @Nullable ByteBuffer pong;
  private @Nullable ByteBuffer ping;
  private @Nullable ByteBuffer close;

  private long effectDue = NEVER;
  private long closingDue = NEVER;

  private Conversation(Terms terms, Role role, FrameWriter writer, @Nullable Extension extension) {
    this.terms = terms;
    this.reader = new FrameReader(role, extension);
    this.writer = writer;
  }

  /** Creates a server's end that is not open yet. */
  public static Conversation ofServer(Terms terms, @Nullable Extension extension) {
    return new Conversation(terms, Role.SERVER, FrameWriter.server(), extension);
  }

  /**
   * Creates a client's end that is not open yet; {@code keys} is a {@code SecureRandom} outside of
   * tests (5.3).
   */
  public static Conversation ofClient(
      Terms terms, RandomGenerator keys, @Nullable Extension extension) {
    return new Conversation(terms, Role.CLIENT, FrameWriter.client(keys), extension);
  }

  /** The opening handshake is done: frames may be written to {@code output} from now on. */
  public void open(FrameOutput output, long now) {
    this.output = output;
    heardAt = now;
    state = state.on(WebSocketState.Event.OPENED);
    if (terms.keepAliveInterval() > 0) {
      keepAlive =
          new KeepAlive(
              new KeepAlive.Terms(terms.keepAliveInterval(), terms.keepAliveTimeout()), now);
    }
  }

  /** Returns where in its life the connection is. */
  public WebSocketState state() {
    return state;
  }

  // ---- What comes

  /** Bytes have come, and are about to be read: a sign of life. */
  public void heard(long now) {
    heardAt = now;
    if (keepAlive != null) {
      keepAlive.heard(now);
    }
  }

  /** Returns the reader, to take the payload that {@link #next} has found. */
  public FrameReader reader() {
    return reader;
  }

  /**
   * Reads on in {@code in} and says what stands at its position now, as {@link FrameReader#next}
   * does. A Ping has been answered, or its answer is kept. After {@link FrameReader.Event#CLOSE} or
   * {@link FrameReader.Event#VIOLATION} nothing more is to be read.
   */
  public FrameReader.Event next(ByteBuffer in) {
    FrameReader.Event event = reader.next(in);
    return event == FrameReader.Event.DATA || event == FrameReader.Event.MORE
        ? event
        : control(event);
  }

  private FrameReader.Event control(FrameReader.Event event) {
    switch (event) {
      case PING, PONG -> {
        if (isFlooded()) {
          return FrameReader.Event.VIOLATION;
        }
        if (event == FrameReader.Event.PING) {
          answer(reader.controlPayload());
        }
      }
      case VIOLATION -> violation = reader.violation();
      case CLOSE, DATA, MORE -> {}
    }
    return event;
  }

  private boolean isFlooded() {
    RateLimit limit = controlFrames;
    if (limit == null) {
      limit = new RateLimit(terms.controlFramesPerSecond(), terms.controlFrameBurst(), heardAt);
      controlFrames = limit;
    }
    if (limit.allows(heardAt)) {
      return false;
    }
    violation =
        Violation.policy(
            "more than " + terms.controlFramesPerSecond() + " control frames a second");
    return true;
  }

  /** Returns the violation that {@link #next} or a read of the {@link #reader()} has found. */
  public Violation violation() {
    Violation found = violation;
    return found != null ? found : reader.violation();
  }

  /** Returns what the peer's Close says, once {@link #next} has found one. */
  public CloseReason closeReason() {
    return reader.closeReason();
  }

  /**
   * The peer's messages have ended, by a Close, a violation or the connection's end: {@link
   * #takeEffect()} is due within {@link #EFFECT_NANOS}.
   */
  public void endReading(long now) {
    doneReading = true;
    pong = null; // not due any more (5.5.2)
    closingDue = NEVER; // the peer has done its part
    effectDue = after(now, EFFECT_NANOS);
  }

  /** Returns whether the peer's messages have ended. */
  public boolean isDoneReading() {
    return doneReading;
  }

  /** The application has reached the peer's Close. */
  public void takeEffect() {
    effectDue = NEVER;
    state = state.on(WebSocketState.Event.RECEIVED_CLOSE);
  }

  // ---- What is sent

  private FrameOutput output() {
    FrameOutput open = output;
    if (open == null) {
      throw new IllegalStateException("the conversation is not open");
    }
    return open;
  }

  /** No data follows a Close (5.5.1). */
  private void requireCanSend() {
    if (!state.canSend()) {
      throw new IllegalStateException("cannot send a frame of a message in state " + state);
    }
  }

  /** Returns the size of the header before {@code length} bytes of payload. */
  public int headerSize(long length) {
    return writer.headerSize(length);
  }

  /** Returns whether a frame of a message is under way whose payload is not written yet. */
  public boolean isInsideFrame() {
    return frameLeft > 0;
  }

  /**
   * Writes a whole frame of a message.
   *
   * @throws IllegalStateException if a Close was sent, or the conversation is not open
   */
  public void frame(Opcode opcode, boolean fin, int reservedBits, ByteBuffer payload) {
    requireCanSend();
    int size = payload.remaining();
    if (size > GATHER_BYTES) {
      header(opcode, fin, reservedBits, size);
      payload(payload);
      return;
    }
    FrameOutput out = output();
    ByteBuffer room = out.reserve(writer.headerSize(size) + size);
    writer.header(room, opcode, fin, reservedBits, size);
    writer.payload(payload, room);
    out.commit();
  }

  /**
   * Writes the header of a frame, whose payload follows through {@link #payload}, in pieces.
   *
   * @throws IllegalStateException if a Close was sent, or the conversation is not open
   */
  public void header(Opcode opcode, boolean fin, int reservedBits, long length) {
    requireCanSend();
    FrameOutput out = output();
    ByteBuffer room = out.reserve(writer.headerSize(length));
    writer.header(room, opcode, fin, reservedBits, length);
    out.commit();
    frameLeft = length;
  }

  /** Writes payload of the frame under way; at its end, what has waited for that. */
  public void payload(ByteBuffer piece) {
    frameLeft -= piece.remaining();
    while (piece.hasRemaining()) {
      ByteBuffer room = output().reserve(Math.min(piece.remaining(), GATHER_BYTES));
      writer.payload(piece, room);
      output().commit();
    }
    if (frameLeft == 0) {
      writeWaiting();
    }
  }

  /**
   * As {@link #payload(ByteBuffer)}, at a server's end without copying it where the output can do
   * that: {@code release} runs when the bytes may change again.
   */
  public void payload(ByteBuffer piece, Runnable release) {
    if (writer.masks()) {
      payload(piece);
      release.run();
      return;
    }
    frameLeft -= piece.remaining();
    output().write(piece, release);
    if (frameLeft == 0) {
      writeWaiting();
    }
  }

  /** The rest of the frame under way will never be written, and so nothing else either. */
  public void abandonFrame() {
    if (isInsideFrame()) {
      frameLeft = 0;
      pong = null;
      ping = null;
      close = null;
    }
  }

  private void writeWaiting() {
    ByteBuffer waiting = ping;
    if (waiting != null) {
      ping = null;
      write(Opcode.PING, waiting);
    }
    flushPong();
    ByteBuffer ours = close;
    if (ours != null) {
      close = null;
      write(Opcode.CLOSE, ours);
    }
  }

  private void write(Opcode opcode, ByteBuffer payload) {
    FrameOutput out = output();
    ByteBuffer room = out.reserve(writer.headerSize(payload.remaining()) + payload.remaining());
    writer.frame(room, opcode, true, payload);
    out.commit();
  }

  /** Answers a Ping. While the output takes nothing, only the latest answer is kept (5.5.3). */
  private void answer(ByteBuffer payload) {
    if (!mayAnswer()) {
      return;
    }
    FrameOutput out = output();
    if (out.pending() >= terms.pongMark()) {
      out.flush(); // it may be no more than what this batch has gathered
      if (!mayAnswer()) {
        return; // that found the connection gone
      }
    }
    if (pong != null || isInsideFrame() || out.pending() >= terms.pongMark()) {
      pong = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
    } else {
      write(Opcode.PONG, payload);
    }
  }

  /** Nothing follows our Close but an answer while the peer's is still to come. */
  private boolean mayAnswer() {
    return !outputEnded && !doneReading && (state.canSend() || state == WebSocketState.CLOSE_SENT);
  }

  /** Writes a Pong that was kept, if the output takes it now. */
  public void flushPong() {
    ByteBuffer kept = pong;
    if (kept != null && !isInsideFrame() && output().pending() < terms.pongMark()) {
      pong = null;
      if (mayAnswer()) {
        write(Opcode.PONG, kept);
      }
    }
  }

  /** Returns whether a control frame waits for room, or for the end of the frame under way. */
  public boolean isControlWaiting() {
    return pong != null || ping != null || close != null;
  }

  /**
   * Sends a Close, if none was sent, and returns whether it did.
   *
   * @throws IllegalArgumentException if {@code reason} may not be sent; then nothing has happened
   */
  public boolean close(CloseReason reason) {
    if (!state.canSend()) {
      return false;
    }
    ByteBuffer payload = reason.toPayload();
    state = state.on(WebSocketState.Event.SENT_CLOSE);
    if (isInsideFrame()) {
      close = payload;
    } else {
      write(Opcode.CLOSE, payload);
    }
    return true;
  }

  /** Answers the peer's Close with its own code, if none of ours was sent (5.5.1). */
  public boolean answerClose() {
    return close(CloseReason.of(closeReason().code()));
  }

  /** The peer's part of the closing handshake is due from {@code now} on. */
  public void awaitClosing(long now) {
    closingDue = after(now, Math.min(terms.closeTimeout(), NEVER / 2));
  }

  /** Nothing more may be written: the output is being ended. */
  public void endOutput() {
    outputEnded = true;
    pong = null;
    ping = null;
  }

  /** The connection has ended, or was dropped. */
  public void lost() {
    state = state.on(WebSocketState.Event.CONNECTION_ENDED);
    stopWaiting();
  }

  /** Nothing is waited for any more. */
  public void stopWaiting() {
    effectDue = NEVER;
    closingDue = NEVER;
    keepAlive = null;
  }

  // ---- Time

  /** Returns when {@link #check} is to be called next, or {@link #NEVER}. */
  public long deadline(long now) {
    long next = NEVER;
    KeepAlive alive = keepAlive;
    if (alive != null && isWatched()) {
      next = after(now, alive.delay(now));
    }
    return earlier(earlier(next, effectDue), closingDue);
  }

  /** The sum, and a nanosecond more where that would read {@link #NEVER}. */
  private static long after(long now, long delay) {
    long due = now + delay;
    return due == NEVER ? due + 1 : due;
  }

  private boolean isWatched() {
    return state.canSend() && !doneReading && !outputEnded;
  }

  private static long earlier(long one, long other) {
    if (one == NEVER || other == NEVER) {
      return one == NEVER ? other : one;
    }
    return one - other < 0 ? one : other;
  }

  /**
   * Does what is due at {@code now}, and says what has passed.
   *
   * @param reading whether bytes of the peer could have been seen
   * @param allTaken whether the transport has taken all output
   */
  public Passed check(long now, boolean reading, boolean allTaken) {
    if (effectDue != NEVER && effectDue - now <= 0) {
      effectDue = NEVER;
      return Passed.EFFECT;
    }
    if (closingDue != NEVER && closingDue - now <= 0) {
      closingDue = NEVER;
      return Passed.CLOSING;
    }
    KeepAlive alive = keepAlive;
    if (alive == null || !isWatched()) {
      return Passed.NOTHING; // the closing limits watch from here on
    }
    return switch (alive.ask(now, reading, allTaken && !isControlWaiting())) {
      case WAIT -> Passed.NOTHING;
      case PING -> {
        ping(alive);
        yield Passed.NOTHING;
      }
      case PONG -> {
        if (isInsideFrame()) {
          pong = ByteBuffer.allocate(0);
        } else {
          write(Opcode.PONG, ByteBuffer.allocate(0));
        }
        yield Passed.NOTHING;
      }
      case ABORT -> {
        keepAlive = null;
        yield Passed.KEEP_ALIVE;
      }
    };
  }

  private void ping(KeepAlive alive) {
    ByteBuffer payload = ByteBuffer.allocate(Long.BYTES).putLong(alive.pings()).flip();
    if (isInsideFrame()) {
      ping = payload;
    } else {
      write(Opcode.PING, payload);
      output().flush();
    }
    if (ping != null || output().pending() > 0) {
      alive.pingWaits();
    }
  }

  /** Reading begins again after it was stopped: until now no sign of life could be seen. */
  public void readingAgain(long now) {
    if (keepAlive != null) {
      keepAlive.readingAgain(now);
    }
  }
}
