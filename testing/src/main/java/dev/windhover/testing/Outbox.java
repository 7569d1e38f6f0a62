package dev.windhover.testing;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Utf8;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The messages that a client sends, one after the other, from any thread. */
final class Outbox {
  private final Wire wire;
  private final BooleanSupplier canSend;
  private final Semaphore turn = new Semaphore(1, true);

  // The message that has begun and not ended; it belongs to the sender whose turn it is.
  private volatile @Nullable Object owner; // a thread, or a writer
  private @Nullable MessageType type;
  private boolean compressed;

  Outbox(Wire wire, BooleanSupplier canSend) {
    this.wire = wire;
    this.canSend = canSend;
  }

  /** Sends a frame of a message of {@code sender}; begins the message if none has begun. */
  void send(
      Object sender, ByteBuffer payload, MessageType of, boolean endOfMessage, SendFlag... flags) {
    opcodeOf(of);
    if (!sender.equals(owner)) {
      takeTurn(sender);
    }
    sendPiece(payload, of, endOfMessage, flags);
  }

  /** Sends a whole message, unless another one has begun. */
  boolean trySend(ByteBuffer payload, MessageType of, SendFlag... flags) {
    opcodeOf(of);
    if (!turn.tryAcquire()) {
      return false;
    }
    begin(Thread.currentThread());
    sendPiece(payload, of, true, flags);
    return true;
  }

  private void sendPiece(
      ByteBuffer payload, MessageType of, boolean endOfMessage, SendFlag... flags) {
    Opcode opcode = opcodeOf(of);
    boolean done = endOfMessage;
    try {
      if (!canSend.getAsBoolean() || !write(opcode, payload, of, endOfMessage, flags)) {
        done = true;
        throw new UncheckedIOException(new WebSocketClosedException("the socket is closing"));
      }
    } finally {
      if (done) {
        giveTurn();
      }
    }
  }

  /** Returns false if another thread has sent a Close in the meantime. */
  private boolean write(
      Opcode opcode, ByteBuffer payload, MessageType of, boolean end, SendFlag... flags) {
    boolean first = type == null;
    if (first) {
      type = of;
      compressed =
          wire.compresses()
              && !List.of(Objects.requireNonNull(flags, "flags"))
                  .contains(SendFlag.DISABLE_COMPRESSION);
    } else if (type != of) {
      throw new IllegalStateException("a message of type " + type + " is not finished");
    }
    ByteBuffer sent = compressed ? wire.compress(payload, end) : payload.duplicate();
    int bits = compressed && first ? Extension.RSV1 : 0;
    payload.position(payload.limit());
    return wire.converse(conversation -> {
      if (!conversation.state().canSend()) {
        return false;
      }
      conversation.frame(first ? opcode : Opcode.CONTINUATION, end, bits, sent);
      return true;
    });
  }

  private static Opcode opcodeOf(MessageType type) {
    return switch (type) {
      case TEXT -> Opcode.TEXT;
      case BINARY -> Opcode.BINARY;
      case CLOSE -> throw new IllegalArgumentException("a Close is sent with closeOutput");
    };
  }

  private void takeTurn(Object sender) {
    if (Thread.currentThread().equals(owner)) {
      throw new IllegalStateException("a message of this sender is under way");
    }
    try {
      if (!turn.tryAcquire(Waiting.SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("another message was not finished in " + Waiting.SECONDS + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting to send", e);
    }
    begin(sender);
  }

  private void begin(Object sender) {
    owner = sender;
    type = null;
  }

  private void giveTurn() {
    owner = null;
    turn.release();
  }

  /** Begins a message; {@code abandoned} runs if its writer is closed before it has ended. */
  MessageWriter start(MessageType of, Runnable abandoned) {
    opcodeOf(of);
    Writer writer = new Writer(of, abandoned);
    takeTurn(writer);
    return writer;
  }

  private final class Writer implements MessageWriter {
    private final MessageType of;
    private final Runnable abandoned;
    private String cut = ""; // what a piece has begun: the first half of a surrogate pair
    private boolean over;

    Writer(MessageType of, Runnable abandoned) {
      this.of = of;
      this.abandoned = abandoned;
    }

    @Override
    public void write(ByteBuffer piece) {
      require();
      send(this, piece, of, false);
    }

    @Override
    public void write(CharSequence piece) {
      Utf8.Piece next = Utf8.Piece.after(cut, piece);
      write(next.bytes());
      cut = next.cut();
    }

    @Override
    public void finish() {
      require();
      Utf8.Piece.requireWhole(cut);
      over = true;
      send(this, ByteBuffer.allocate(0), of, true);
    }

    private void require() {
      if (over) {
        throw new IllegalStateException("the message is finished");
      }
    }

    @Override
    public void close() {
      if (!over) {
        over = true;
        abandoned.run();
        if (equals(owner)) {
          giveTurn();
        }
      }
    }
  }
}
