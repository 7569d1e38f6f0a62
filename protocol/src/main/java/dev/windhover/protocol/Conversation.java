package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One end of a WebSocket connection (RFC 6455), without I/O. It is given bytes and says what they
 * mean, and it writes frames to a {@link FrameOutput}. It answers Pings, keeps the {@linkplain
 * WebSocketState state}, sends the Pings of the keep-alive, and watches the time limits of the
 * keep-alive and the closing handshake: {@link #deadline} returns when to call {@link #check} next.
 *
 * <p>The peer's Close is read immediately, but takes effect only when the owner calls {@link
 * #takeEffect()}, because the messages before it may still wait for the application. {@link
 * #answerClose()} echoes it. A control frame goes between the frames of messages, never into one:
 * until the current frame is complete, the latest Pong, a Ping and a Close wait here.
 *
 * <p>It owns no thread and reads no clock: times are given by the caller, in nanoseconds since an
 * arbitrary origin. Only one thread may use it at a time.
 */
public final class Conversation {
  /** The deadline of a conversation that does not wait for anything. */
  public static final long NEVER = Long.MAX_VALUE;

  /**
   * The limits of a conversation, which all conversations with the same settings share. Times are
   * in nanoseconds.
   *
   * @param keepAliveInterval how long a peer may be quiet before it is pinged; 0 switches
   *     keep-alive off
   * @param keepAliveTimeout how long it may then stay quiet; with 0 there is no limit, and at every
   *     interval a Pong is sent instead of the Ping
   * @param closeTimeout how long the peer's part of the closing handshake may take
   * @param controlFramesPerSecond how many Pings and Pongs a peer may send per second in the long
   *     run
   * @param controlFrameBurst how many of them may come at once after a quiet time
   * @param pongMark if this many bytes of output wait, only the latest Pong is kept
   */
  public record Terms(
      long keepAliveInterval,
      long keepAliveTimeout,
      long closeTimeout,
      int controlFramesPerSecond,
      int controlFrameBurst,
      int pongMark) {}

  /** What has passed when {@link #check} is called. */
  public enum Passed {
    /** Nothing that the owner must act on. */
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

  /** Within the time limit of the closing handshake, it is looked this often if it may begin. */
  private static final int LOOKS_FOR_CLOSE = 8;

  /** Frames up to this size are gathered in the output buffer; larger payloads are not. */
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

  // What is written: how many payload bytes the current frame still lacks, and what waits for them.
  private long frameLeft;
  private @Nullable ByteBuffer pong;
  private @Nullable ByteBuffer ping;
  private @Nullable ByteBuffer close;

  private long effectDue = NEVER;
  private long closingDue = NEVER;

  /** The peer's part of the closing handshake has not begun: ours is on its way. */
  private boolean closingWaits;

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
   * Creates a client's end that is not open yet. Outside of tests, {@code keys} must be a {@code
   * SecureRandom} (5.3).
   */
  public static Conversation ofClient(
      Terms terms, RandomGenerator keys, @Nullable Extension extension) {
    return new Conversation(terms, Role.CLIENT, FrameWriter.client(keys), extension);
  }

  /** Opens it after the opening handshake: frames are written to {@code output} from now on. */
  public void open(FrameOutput output, long now) {
    this.output = output;
    heardAt = now;
    state = state.on(WebSocketState.Event.OPENED);
    if (terms.keepAliveInterval() > 0) {
      keepAlive = new KeepAlive(terms, now);
    }
  }

  /** Returns the state of the connection. */
  public WebSocketState state() {
    return state;
  }

  // ---- What comes

  /** Records that bytes have come and are about to be read, which is a sign of life. */
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
   * Reads on in {@code in} and returns what it finds at the buffer's new position, as {@link
   * FrameReader#next} does. A Ping is answered immediately, or its answer waits here. After {@link
   * FrameReader.Event#CLOSE} or {@link FrameReader.Event#VIOLATION} the caller must read nothing
   * more.
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

  /** Returns the code and text of the peer's Close, after {@link #next} has found one. */
  public CloseReason closeReason() {
    return reader.closeReason();
  }

  /**
   * Records that the peer's messages have ended, with a Close, a violation or the end of the
   * connection. {@link #takeEffect()} is due within {@link #EFFECT_NANOS}.
   */
  public void endReading(long now) {
    doneReading = true;
    pong = null; // no longer due (5.5.2)
    stopAwaitingClosing(); // the peer has done its part
    effectDue = after(now, EFFECT_NANOS);
  }

  /** Returns whether the peer's messages have ended. */
  public boolean isDoneReading() {
    return doneReading;
  }

  /** Lets the peer's Close take effect, because the application has reached it. */
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

  /** Returns the size of the header of a frame with {@code length} bytes of payload. */
  public int headerSize(long length) {
    return writer.headerSize(length);
  }

  /** Returns whether a frame of a message was begun whose payload is not complete. */
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
   * Writes frames of whole messages that were made for any number of conversations, with {@link
   * FrameWriter#server()} and without an extension.
   *
   * @throws IllegalStateException if a Close was sent, the conversation is not open, or this is a
   *     client's end, whose frames are masked
   */
  public void frames(ByteBuffer whole) {
    requireCanSend();
    if (writer.masks()) {
      throw new IllegalStateException("a client's frames are masked, each with a key of its own");
    }
    output().write(whole);
  }

  /**
   * Writes the header of a frame. Its payload follows through {@link #payload}, in pieces.
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

  /** Writes payload of the current frame, and at its end the control frames that waited for it. */
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
   * As {@link #payload(ByteBuffer)}. A server's end does not copy the bytes if the output can do
   * without. {@code release} runs when they may change again.
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

  /**
   * Gives up the current frame: its rest is never written, so nothing else can be written either.
   */
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
      out.flush(); // perhaps only this batch has gathered that much
      if (!mayAnswer()) {
        return; // the flush found that the connection is gone
      }
    }
    if (pong != null || isInsideFrame() || out.pending() >= terms.pongMark()) {
      pong = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
    } else {
      write(Opcode.PONG, payload);
    }
  }

  /** After our Close, only Pongs may follow, and only until the peer's Close has come. */
  private boolean mayAnswer() {
    return !outputEnded && !doneReading && (state.canSend() || state == WebSocketState.CLOSE_SENT);
  }

  /** Writes the Pong that waits, if the output has room for it now. */
  public void flushPong() {
    ByteBuffer kept = pong;
    if (kept != null && !isInsideFrame() && output().pending() < terms.pongMark()) {
      pong = null;
      if (mayAnswer()) {
        write(Opcode.PONG, kept);
      }
    }
  }

  /** Returns whether a control frame waits for room, or for the end of the current frame. */
  public boolean isControlWaiting() {
    return pong != null || ping != null || close != null;
  }

  /**
   * Sends a Close, unless one was already sent.
   *
   * @return whether it has sent this one
   * @throws IllegalArgumentException if {@code reason} may not be sent; nothing is changed then
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

  /** Answers the peer's Close with its own code, unless we have already sent a Close (5.5.1). */
  public boolean answerClose() {
    return close(CloseReason.of(closeReason().code()));
  }

  /** Starts the time limit for the peer's part of the closing handshake now. */
  public void awaitClosing(long now) {
    awaitClosing(now, true);
  }

  /**
   * Starts the time limit for the peer's part of the closing handshake as soon as the peer's side
   * has acknowledged all that it is to react to.
   *
   * @param allTaken whether it has
   */
  public void awaitClosing(long now, boolean allTaken) {
    closingWaits = !allTaken;
    closingDue = after(now, closingWaits ? closeTimeout() / LOOKS_FOR_CLOSE : closeTimeout());
  }

  /** Returns whether the time limit of {@link #awaitClosing} waits for our output to arrive. */
  public boolean isClosingWaiting() {
    return closingWaits;
  }

  private void stopAwaitingClosing() {
    closingWaits = false;
    closingDue = NEVER;
  }

  private long closeTimeout() {
    return Math.min(terms.closeTimeout(), NEVER / 2);
  }

  /** Records that the output is being ended: nothing more may be written. */
  public void endOutput() {
    outputEnded = true;
    pong = null;
    ping = null;
  }

  /** Records that the connection has ended or was dropped. */
  public void lost() {
    state = state.on(WebSocketState.Event.CONNECTION_ENDED);
    stopWaiting();
  }

  /** Stops all time limits. */
  public void stopWaiting() {
    effectDue = NEVER;
    stopAwaitingClosing();
    keepAlive = null;
  }

  // ---- Time

  /** Returns the time at which {@link #check} must be called next, or {@link #NEVER}. */
  public long deadline(long now) {
    long next = NEVER;
    KeepAlive alive = keepAlive;
    if (alive != null && isWatched()) {
      next = after(now, alive.delay(now));
    }
    return earlier(earlier(next, effectDue), closingDue);
  }

  /** Returns the sum, or a nanosecond more if it would equal {@link #NEVER}. */
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
   * Does what is due at {@code now} and returns what has passed.
   *
   * @param reading whether the peer is being read, so that bytes from it would have been seen
   * @param allTaken whether the peer's side has acknowledged all output
   */
  public Passed check(long now, boolean reading, boolean allTaken) {
    if (effectDue != NEVER && effectDue - now <= 0) {
      effectDue = NEVER;
      return Passed.EFFECT;
    }
    if (closingWaits) {
      awaitClosing(now, allTaken);
    } else if (closingDue != NEVER && closingDue - now <= 0) {
      closingDue = NEVER;
      return Passed.CLOSING;
    }
    KeepAlive alive = keepAlive;
    if (alive == null || !isWatched()) {
      return Passed.NOTHING; // from here on, the limits of the closing handshake apply
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
    if (ping != null || output().unacknowledged() > 0) {
      alive.pingWaits();
    }
  }

  /** Returns whether a time limit begins only when the peer's side has acknowledged our output. */
  public boolean awaitsAcknowledgement() {
    KeepAlive alive = keepAlive;
    return closingWaits || (alive != null && isWatched() && alive.isPingWaiting());
  }

  /** Returns whether a Ping was sent, and nothing has come since. */
  public boolean isPingOutstanding() {
    KeepAlive alive = keepAlive;
    return alive != null && alive.isOutstanding();
  }

  /**
   * Records how much of our output the peer's side has acknowledged in total; more than before is a
   * sign of life.
   */
  public void acknowledged(long total, long now) {
    if (keepAlive != null) {
      keepAlive.acknowledged(total, now);
    }
  }

  /** Records that reading begins again: until now, no sign of life could be seen. */
  public void readingAgain(long now) {
    if (keepAlive != null) {
      keepAlive.readingAgain(now);
    }
  }
}
