package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import dev.windhover.protocol.Violation;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The blocking form's side of receiving. Each call is a {@link Demand}, one at a time: its thread
 * takes what is kept, and waits if that is not enough. While it waits, the loop reads straight into
 * its buffer or message.
 */
final class Receiver extends Inbox {
  private static final VarHandle STATE = handle("state", Demand.class, int.class);
  private static final VarHandle CURRENT = handle("current", Receiver.class, Demand.class);

  private static VarHandle handle(String field, Class<?> owner, Class<?> type) {
    return ConstantBootstraps.fieldVarHandle(
        MethodHandles.lookup(), field, VarHandle.class, owner, type);
  }

  /** A call of {@code receive}, or of {@code receiveMessage}, from its beginning to its end. */
  private final class Demand {
    static final int TAKING = 0; // its thread takes what is kept
    static final int WAITING = 1; // its thread waits, and the loop may fill it
    static final int FILLING = 2; // the loop fills it, and is soon done
    static final int DONE = 3;

    private final Thread thread = Thread.currentThread();

    /** Null for a whole message. */
    private final @Nullable ByteBuffer buffer;

    private final long nanos;
    private volatile int state = TAKING;
    private volatile boolean timeIsUp;
    private Loop.@Nullable Timer timer;

    // Owned by its thread or by the loop, as the state says.

    /** What it was given last; null for nothing. */
    private @Nullable Part given;

    private @Nullable ByteBuffer message;

    /** Creates a demand that waits for at most {@code nanos}, or without limit if below 0. */
    Demand(@Nullable ByteBuffer buffer, long nanos) {
      this.buffer = buffer;
      this.nanos = nanos;
      this.timeIsUp = nanos == 0;
    }

    /** Parks until {@code isMet} says so. */
    void await(BooleanSupplier isMet) throws InterruptedException, TimeoutException {
      while (!isMet.getAsBoolean()) {
        if (timeIsUp) {
          throw new TimeoutException("nothing was received in time");
        }
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        if (nanos > 0 && timer == null) {
          timer = session.schedule(nanos, this::endTime);
          continue; // that may have used up a wake-up
        }
        LockSupport.park(Receiver.this);
      }
    }

    private void endTime() {
      timeIsUp = true;
      session.loop().unpark(thread);
    }

    /** From here on the loop leaves it alone. */
    @SuppressWarnings("ThreadPriorityCheck") // the loop may need this core to go on
    void withdraw() {
      while (state == WAITING || state == FILLING) {
        if (!STATE.compareAndSet(this, WAITING, TAKING)) {
          Thread.yield(); // the loop is in the middle of moving bytes
        }
      }
    }

    boolean isFull() {
      return buffer != null && !buffer.hasRemaining();
    }
  }

  /** The call under way; a second one is refused, because the two would share the messages. */
  private volatile @Nullable Demand current;

  // Owned by the demand's thread, or by the loop while it fills that demand.

  /**
   * The message that {@link #receiveMessage} has begun. It survives an interrupt and a time-out.
   */
  private @Nullable MessageBuffer begun;

  /** The memory of {@link #begun} if there is some of a message in it, for the loop. */
  private volatile int assembled;

  /** Whether {@link #receive} has taken a part of a message. */
  private boolean isInside;

  Receiver(Session session) {
    super(session, Long.MAX_VALUE);
  }

  // ---- The loop's side

  @Override
  int deliver(FrameReader reader, ByteBuffer in) {
    Demand demand = current;
    if (demand == null
        || isKeeping()
        || demand.isFull()
        || !STATE.compareAndSet(demand, Demand.WAITING, Demand.FILLING)) {
      return UNWANTED;
    }
    boolean done = false;
    try {
      ByteBuffer buffer = demand.buffer;
      int n = buffer == null ? assemble(begun(), reader, in) : read(reader, in, buffer);
      done = n >= 0 && give(demand, Part.of(reader), n);
      return n;
    } finally {
      demand.state = done ? Demand.DONE : Demand.WAITING;
    }
  }

  private static int read(FrameReader reader, ByteBuffer in, ByteBuffer out) {
    int before = out.position();
    int n = reader.readInto(in, out);
    if (n < 0) {
      out.position(before); // nobody sees what breaks the rules
    }
    return n;
  }

  @Override
  boolean hasRoom() {
    return isHalfEmpty();
  }

  @Override
  int assembled() {
    return assembled;
  }

  private void assembled(int bytes) {
    if (assembled != bytes) { // seldom: most messages are complete at once
      assembled = bytes;
    }
  }

  @Override
  void batchEnd() {
    super.batchEnd();
    Demand demand = current;
    if (demand != null) {
      int state = demand.state;
      if (state == Demand.DONE || (state == Demand.WAITING && isKeeping())) {
        session.loop().unpark(demand.thread);
      }
    }
  }

  /** What is kept can still be received after the end has taken effect. Any thread. */
  @Override
  void settle() {
    Demand demand = current;
    if (demand != null) {
      session.loop().unpark(demand.thread);
    }
    if (isDiscarding() || session.life().isCloseSent()) {
      session.life().takeEffect();
    }
  }

  @Override
  void discard() {
    super.discard();
    settle();
  }

  // ---- The receiver's side

  /**
   * See {@link dev.windhover.http.websocket.WebSocket#receive}; {@code nanos} below 0 waits without
   * limit.
   */
  ReceiveResult receive(ByteBuffer buffer, long nanos)
      throws InterruptedException, TimeoutException {
    if (buffer.isReadOnly()) {
      throw new ReadOnlyBufferException(); // here, and not on the loop that would fill it
    }
    int start = buffer.position();
    Demand demand = new Demand(buffer, nanos);
    serve(demand);
    Part last = demand.given;
    return last == null
        ? new ReceiveResult(0, MessageType.CLOSE, true)
        : new ReceiveResult(buffer.position() - start, last.type(), last.endOfMessage());
  }

  /** See {@link dev.windhover.http.websocket.WebSocket#receiveMessage}. */
  @Nullable Message receiveMessage(long nanos) throws InterruptedException, TimeoutException {
    Demand demand = new Demand(null, nanos);
    serve(demand);
    Part last = demand.given;
    ByteBuffer message = demand.message;
    if (last == null || message == null) {
      return null;
    }
    return last.type() == MessageType.BINARY
        ? new Message.Binary(message.limit() == message.capacity() ? message : message.slice())
        : new Message.Text(textOf(message, last.ascii()));
  }

  @SuppressWarnings("ByteBufferBackingArray") // it was allocated here or in a MessageBuffer
  private static String textOf(ByteBuffer message, boolean ascii) {
    return new String(
        message.array(),
        0,
        message.remaining(),
        ascii ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8);
  }

  /** Fills the demand. At the end of the socket it is given nothing. */
  private void serve(Demand demand) throws InterruptedException, TimeoutException {
    session.requireHandlerRunning();
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    begin(demand);
    try {
      requireBetweenMessages(demand);
      while (!takeKept(demand)) {
        demand.state = Demand.WAITING;
        demand.await(() -> demand.state == Demand.DONE || next() != null || hasEnded());
        demand.withdraw();
      }
      if (demand.given == null) {
        begun = null; // the socket has ended, and it will never be complete
        assembled(0);
      }
    } catch (InterruptedException | TimeoutException e) {
      demand.withdraw();
      if (demand.given == null) {
        throw e;
      }
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt(); // nothing is lost: the next call throws
      }
    } finally {
      current = null;
      if (demand.timer != null) {
        demand.timer.cancel();
      }
    }
    if (demand.given == null) {
      session
          .life()
          .takeEffect(); // the application has taken everything before the end, and asks again
    }
  }

  private void begin(Demand demand) {
    Demand other = (Demand) CURRENT.compareAndExchange(this, null, demand);
    if (other != null) {
      String name = other.thread.getName();
      throw new IllegalStateException(
          "thread "
              + (name.isEmpty() ? "#" + other.thread.threadId() : '"' + name + '"')
              + " is already receiving from this socket; only one may at a time");
    }
  }

  private void requireBetweenMessages(Demand demand) {
    if (demand.buffer == null && isInside) {
      throw new IllegalStateException("receive has begun this message; go on with it");
    }
    if (demand.buffer != null && begun != null && !begun.isEmpty()) {
      throw new IllegalStateException("receiveMessage has begun this message; go on with it");
    }
  }

  /** Takes what is kept, and returns whether nothing more is to be waited for. */
  private boolean takeKept(Demand demand) {
    while (demand.state != Demand.DONE) {
      boolean ended = hasEnded(); // before it looks for the last piece
      Piece piece = next();
      if (piece == null) {
        return ended;
      }
      take(piece, demand);
    }
    return true;
  }

  private boolean hasEnded() {
    return isDiscarding() || session.life().hasFoundEnd();
  }

  private void take(Piece piece, Demand demand) {
    ByteBuffer from = piece.bytes();
    ByteBuffer buffer = demand.buffer;
    int n = from.remaining();
    if (buffer != null) {
      n = Math.min(n, buffer.remaining());
      buffer.put(from.slice(from.position(), n));
      from.position(from.position() + n);
      taken(piece, n);
    } else if (piece.messageSize() <= session.settings().maxMessageSize()) {
      take(piece, begun());
    } else {
      session.stopReading(
          Violation.messageTooBig(piece.messageSize(), session.settings().maxMessageSize()));
      discard();
      return;
    }
    Part part = from.hasRemaining() ? piece.part().cut() : piece.part();
    if (give(demand, part, n)) {
      demand.state = Demand.DONE;
    }
  }

  /** Notes that a demand was given {@code n} bytes, and returns whether it gets no more. */
  private boolean give(Demand demand, Part part, int n) {
    if (demand.buffer == null) {
      if (part.endOfMessage()) {
        demand.given = part;
        demand.message = begun().take();
        assembled(0);
      } else {
        assembled(begun().memory());
      }
      return part.endOfMessage();
    }
    if (n > 0 || part.endOfFrame()) {
      isInside = !part.endOfMessage();
    } else if (!demand.isFull()) {
      return false; // only the decoder took something
    }
    demand.given = part;
    return part.endOfFrame() || demand.isFull();
  }

  private MessageBuffer begun() {
    if (begun == null) {
      begun = new MessageBuffer(session.settings().maxMessageSize());
    }
    return Objects.requireNonNull(begun);
  }
}
