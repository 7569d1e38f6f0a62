package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.MessageBuffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The listener form's side of receiving: hands whole messages to the listener while it demands
 * them. A message that lies whole in the read buffer is handed over where it lies; others are
 * assembled, unless the listener takes parts. Loop only, except for {@link #request} and {@link
 * #discard}.
 */
final class ListenerPump extends Inbox {
  /** How much is decompressed for a part. */
  private static final int DECODED_PART_BYTES = 4096;

  private final WebSocketListener listener;
  private final boolean takesParts;

  /** Only while there is something to assemble. */
  private @Nullable MessageBuffer assembling;

  private long demand;
  private boolean opened;
  private boolean ended;
  private boolean calling;

  /** The Close was answered because time was up, and the messages before it are still kept. */
  private boolean closeWaits;

  ListenerPump(Session session, WebSocketListener listener) {
    boolean takesParts = listener.takesParts();
    super(session, takesParts ? Long.MAX_VALUE : session.settings().maxMessageSize());
    this.listener = listener;
    this.takesParts = takesParts;
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
  void opened() {
    opened = true;
    call(() -> listener.onOpen(session.socket()));
    pump();
  }

  @Override
  int deliver(FrameReader reader, ByteBuffer in) {
    if (demand == 0 || isKeeping()) {
      return UNWANTED;
    }
    if (takesParts) {
      return reader.isCoded() ? deliverDecoded(reader, in) : deliverInPlace(reader, in);
    }
    boolean begins = assembling == null || assembling.isEmpty();
    if (begins
        && reader.isFinal()
        && !reader.isCoded()
        && reader.frameRemaining()
            <= Math.min(in.remaining(), session.settings().maxMessageSize())) {
      return deliverInPlace(reader, in);
    }
    MessageBuffer message = assembling();
    int n = assemble(message, reader, in);
    if (n >= 0 && reader.endOfMessage()) {
      deliver(typeOf(reader), message);
    }
    return n;
  }

  /** Lends what lies in the read buffer. */
  private int deliverInPlace(FrameReader reader, ByteBuffer in) {
    int n = reader.readInPlace(in);
    if (n >= 0) {
      int end = in.position() + n;
      int limit = in.limit();
      in.limit(end);
      deliver(typeOf(reader), in, reader.endOfMessage());
      in.limit(limit).position(end).order(ByteOrder.BIG_ENDIAN); // however the listener left it
    }
    return n;
  }

  private int deliverDecoded(FrameReader reader, ByteBuffer in) {
    ByteBuffer part = ByteBuffer.allocate(DECODED_PART_BYTES);
    int n = reader.readInto(in, part);
    if (n >= 0) {
      deliver(typeOf(reader), part.flip(), reader.endOfMessage());
    }
    return n;
  }

  /** Delivers a kept piece as a part. */
  private void deliverPart(Piece piece) {
    ByteBuffer bytes = piece.bytes();
    int n = bytes.remaining();
    deliver(piece.part().type(), bytes, piece.part().endOfMessage());
    bytes.position(bytes.limit());
    taken(piece, n);
  }

  /** Delivers what is kept, as far as the demand goes, then lets the end take effect. */
  private void pump() {
    if (calling || !opened || ended) {
      return; // whoever is delivering goes on with the new demand
    }
    Piece piece;
    while (demand > 0 && (piece = next()) != null) {
      if (takesParts) {
        deliverPart(piece);
        continue;
      }
      MessageBuffer message = assembling();
      take(piece, message);
      if (piece.part().endOfMessage()) {
        deliver(piece.part().type(), message);
      }
    }
    releaseMemory();
    readOn();
    settle();
  }

  private MessageBuffer assembling() {
    MessageBuffer message = assembling;
    if (message == null) {
      message = new MessageBuffer(session.settings().maxMessageSize());
      assembling = message;
    }
    return message;
  }

  private void deliver(MessageType type, MessageBuffer message) {
    deliver(type, message.message(), true);
    message.clear();
  }

  /** Hands a message to the listener, or a part of it if it takes parts. */
  private void deliver(MessageType type, ByteBuffer payload, boolean end) {
    if (takesParts && !payload.hasRemaining() && !end) {
      return; // the header of a frame whose payload is yet to come
    }
    if (demand != Long.MAX_VALUE) {
      demand--;
    }
    boolean outer = calling;
    calling = true;
    try { // in line: no lambda per message
      if (takesParts) {
        listener.onPart(session.socket(), type, payload, end);
      } else {
        listener.onMessage(session.socket(), type, payload);
      }
    } catch (Throwable failure) {
      session.listenerFailed(failure);
    } finally {
      calling = outer;
    }
  }

  @Override
  boolean hasRoom() {
    return demand > 0;
  }

  @Override
  int assembled() {
    return assembling == null || assembling.isEmpty() ? 0 : assembling.memory();
  }

  @Override
  void endReading() {
    super.endReading();
    assembling = null; // it will never be complete
  }

  @Override
  void batchEnd() {
    releaseMemory();
    super.batchEnd();
  }

  /** An idle socket holds no memory for messages. */
  private void releaseMemory() {
    if (assembling != null && assembling.isEmpty()) {
      assembling = null;
    }
  }

  @Override
  void settle() {
    if (calling || !session.life().hasFoundEnd() || isKeepingMessages()) {
      return;
    }
    if (closeWaits) {
      closed();
    } else if (demand > 0 || isDiscarding() || session.life().isCloseSent()) {
      session.life().takeEffect();
    }
  }

  /** A message that the end has cut is not waited for. */
  private boolean isKeepingMessages() {
    return pieces.stream().anyMatch(piece -> takesParts || piece.part().endOfMessage());
  }

  /**
   * The peer's Close has taken effect: the listener may answer it, once it has what came before.
   */
  void closed() {
    closeWaits = isKeepingMessages();
    if (!closeWaits && !ended) {
      call(() -> listener.onClose(session.socket()));
    }
  }

  /** Returns whether the listener is in a call, of which this may be a part. */
  boolean isCalling() {
    return calling;
  }

  @Override
  void writable() {
    if (calling) {
      session.loop().execute(this::writable); // a send in that call has drained the queue
    } else if (!ended) {
      call(() -> listener.onWritable(session.socket()));
      pump(); // it may have asked for more
    }
  }

  @Override
  void drop() {
    assembling = null;
    super.drop();
  }

  @Override
  void ended() {
    ended = true;
    pieces.clear(); // nobody asked for them in time
    call(() -> listener.onEnded(session.socket(), Objects.requireNonNull(session.life().ending())));
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
}
