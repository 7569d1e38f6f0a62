package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Violation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The listener form's side of receiving: hands whole messages to the listener while it demands
 * them. A message that lies whole in the read buffer is handed over where it lies; others are
 * assembled. Loop only, but {@link #request} and {@link #discard}.
 */
final class ListenerPump implements Inbound {
  private static final int MESSAGE_OVERHEAD = 64;

  private record Kept(MessageType type, ByteBuffer payload) {}

  private final Session session;
  private final WebSocketListener listener;

  /** Only while messages wait for demand. */
  private @Nullable Deque<Kept> kept;

  /** Only while there is something to assemble. */
  private @Nullable MessageBuffer assembling;

  private long demand;

  /**
   * What is kept, in bytes, and what is assembled without demand; a kept message costs more than
   * its payload.
   */
  private int held;

  private int credit;
  private boolean opened;
  private boolean ended;
  private boolean paused;
  private boolean calling;
  private boolean closeWaits; // for the messages before it, though it was answered: time was up
  private volatile boolean discarding;
  private @Nullable Outcome outcome;

  ListenerPump(Session session, WebSocketListener listener) {
    this.session = session;
    this.listener = listener;
  }

  /** Adds to the demand; from any thread. */
  void request(long messages) {
    if (messages <= 0) {
      throw new IllegalArgumentException("demand of " + messages + " messages is not positive");
    }
    session.onLoop(() -> {
      long sum = demand + messages;
      demand = sum < 0 ? Long.MAX_VALUE : sum; // so many that it need not be counted
      pump();
    });
  }

  @Override
  public void opened() {
    opened = true;
    call(() -> listener.onOpen(session.socket()));
    pump();
  }

  @Override
  public int data(FrameReader reader, ByteBuffer in) {
    if (discarding) {
      return credited(session.skip(reader, in));
    }
    boolean empty = assembling == null || assembling.isEmpty();
    boolean straight = empty && kept == null && demand > 0 && reader.isFinal() && !reader.isCoded();
    if (straight
        && reader.frameRemaining()
            <= Math.min(in.remaining(), session.settings().maxMessageSize())) {
      return deliverInPlace(reader, in);
    }
    return assemble(reader, in);
  }

  private int deliverInPlace(FrameReader reader, ByteBuffer in) {
    MessageType type = typeOf(reader);
    int n = reader.readInPlace(in);
    if (n < 0) {
      return n;
    }
    int end = in.position() + n;
    int limit = in.limit();
    in.limit(end);
    deliver(type, in);
    in.limit(limit).position(end).order(ByteOrder.BIG_ENDIAN); // however the listener left it
    return credited(n);
  }

  private int assemble(FrameReader reader, ByteBuffer in) {
    MessageBuffer message = assembling;
    if (message == null) {
      message = new MessageBuffer(session.settings().maxMessageSize());
      assembling = message;
    }
    MessageType type = typeOf(reader);
    Violation tooBig = reader.isCoded() ? null : message.exceededBy(reader.frameRemaining());
    if (tooBig != null) {
      return session.violated(tooBig);
    }
    long declared = reader.frameRemaining();
    int arriving = (int) Math.min(declared, in.remaining());
    int room = Math.max(arriving, 1); // coded, none may bring some
    int n = reader.readInto(in, message.room(room, declared));
    if (n < 0) {
      return n;
    }
    hold(n);
    tooBig = message.exceededBy(0); // nobody declares what a coded message becomes
    if (tooBig != null) {
      return session.violated(tooBig);
    }
    if (reader.endOfMessage()) {
      endMessage(message, type);
    }
    if (held >= session.settings().limits().inboundBytes() && demand == 0 && !paused) {
      paused = true;
      session.pause();
    }
    return n;
  }

  private void endMessage(MessageBuffer message, MessageType type) {
    int size = message.size();
    if (demand > 0 && kept == null) {
      deliver(type, message.message());
    } else {
      keep(new Kept(type, ByteBuffer.allocate(size).put(message.message()).flip()));
      held += MESSAGE_OVERHEAD;
    }
    message.clear();
  }

  private void keep(Kept message) {
    Deque<Kept> all = kept == null ? new ArrayDeque<>() : kept;
    all.add(message);
    kept = all;
  }

  /** Takes the first message that is kept. */
  private Kept takeKept(Deque<Kept> all) {
    Kept first = all.remove();
    if (all.isEmpty()) {
      kept = null;
    }
    return first;
  }

  @Override
  public void batchEnd() {
    if (assembling != null && assembling.isEmpty()) {
      assembling = null; // an idle socket holds no memory for messages
    }
    giveCredit();
  }

  /**
   * Counts what has come of a message: the wanted one, however large it is to be, holds nothing.
   */
  private void hold(int bytes) {
    if (demand > 0) {
      credit += bytes;
    } else {
      held += bytes;
    }
  }

  private void release(int size) {
    held -= size;
    credit += size;
  }

  private int credited(int n) {
    credit += Math.max(n, 0);
    return n;
  }

  private void giveCredit() {
    if (credit > 0) {
      session.consumed(credit);
      credit = 0;
    }
  }

  /** Delivers what is kept, as far as the demand goes, then lets the end take effect. */
  private void pump() {
    if (calling || !opened || ended) {
      return; // whoever is delivering goes on with the new demand
    }
    while (demand > 0 && kept != null && !discarding) {
      Kept message = takeKept(kept);
      held -= MESSAGE_OVERHEAD;
      release(message.payload().remaining());
      deliver(message.type(), message.payload());
    }
    if (demand > 0) {
      release(held); // a message larger than the bound may be under way: it is wanted
    }
    if (paused && demand > 0) {
      paused = false;
      session.resume();
    }
    giveCredit();
    settle();
  }

  private void deliver(MessageType type, ByteBuffer payload) {
    if (demand != Long.MAX_VALUE) {
      demand--;
    }
    boolean outer = calling;
    calling = true;
    try {
      listener.onMessage(session.socket(), type, payload); // in line: no lambda per message
    } catch (Throwable failure) {
      session.listenerFailed(failure);
    } finally {
      calling = outer;
    }
  }

  @Override
  public void outcome(Outcome what) {
    outcome = what;
    settle();
  }

  private void settle() {
    Outcome what = outcome;
    if (what == null || calling || kept != null) {
      return;
    }
    if (closeWaits) {
      closed();
    } else if (demand > 0 || discarding || session.isCloseSent()) {
      session.takeEffect(what);
    }
  }

  /**
   * The peer's Close has taken effect: the listener may answer it, once it has what came before.
   */
  void closed() {
    closeWaits = kept != null;
    if (!closeWaits && !ended) {
      call(() -> listener.onClose(session.socket()));
    }
  }

  /** Returns whether the listener is in a call, of which this may be a part. */
  boolean isCalling() {
    return calling;
  }

  @Override
  public void writable() {
    if (calling) {
      session.loop().execute(this::writable); // a send in that call has drained the queue
    } else if (!ended) {
      call(() -> listener.onWritable(session.socket()));
      pump(); // it may have asked for more
    }
  }

  @Override
  public void discard() {
    discarding = true;
    session.onLoop(() -> {
      if (kept != null) {
        held -= kept.size() * MESSAGE_OVERHEAD;
        kept = null;
      }
      release(held);
      assembling = null;
      giveCredit();
      if (paused) {
        paused = false;
        session.resume();
      }
      settle();
    });
  }

  @Override
  public void ended() {
    ended = true;
    kept = null; // nobody asked for it in time
    call(() -> listener.onEnded(session.socket(), Objects.requireNonNull(session.ending())));
  }

  /** A call of the listener. */
  @FunctionalInterface
  private interface Callback {
    void run() throws Exception;
  }

  private void call(Callback callback) {
    boolean outer = calling;
    calling = true;
    try {
      callback.run();
    } catch (Throwable failure) {
      session.listenerFailed(failure);
    } finally {
      calling = outer;
    }
  }

  private static MessageType typeOf(FrameReader reader) {
    return reader.messageType() == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }
}
