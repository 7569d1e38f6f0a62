package dev.windhover.hubs.connections;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * What goes from a client to its listener: bytes, in order, and what else happens, one call at a
 * time. Bytes that the listener leaves are kept until it asks for more. Nothing is kept, and no
 * queue is made, as long as it takes everything. It begins paused: there is no listener yet. Loop
 * only.
 */
final class Inbound {
  private static final Queue<ByteBuffer> NONE = new ArrayDeque<>(0); // never added to

  /** Whose listener it is. */
  interface Owner {
    /** Returns whether the listener is to get no more bytes. */
    boolean isOver();

    /** The listener has taken so many bytes. */
    void taken(int bytes);

    /** The listener has thrown an exception. */
    void failed(Throwable failure);
  }

  /** A call of a listener's method. */
  @FunctionalInterface
  interface Call {
    void to(ConnectionListener listener) throws Exception;
  }

  private final Owner owner;

  /** Null before the beginning, and after the end. */
  private @Nullable ConnectionListener listener;

  private Queue<ByteBuffer> kept = NONE;

  /** The bytes in {@link #kept}. */
  private long keptBytes;

  /** How many bytes the listener has taken. */
  private long taken;

  /** The listener has left bytes, and has not asked for more since. */
  private boolean isPaused = true;

  private boolean isCalling;

  Inbound(Owner owner) {
    this.owner = owner;
  }

  // ---- The listener

  /** Gets the listener. It takes nothing before {@link #resume}. */
  void begin(Callable<ConnectionListener> opener) {
    isCalling = true;
    try {
      listener = Objects.requireNonNull(opener.call(), "the listener");
    } catch (Throwable failure) {
      owner.failed(failure);
    } finally {
      isCalling = false;
    }
  }

  /** Returns whether there is a listener. */
  boolean hasListener() {
    return listener != null;
  }

  /** Returns whether this is within a call of the listener. */
  boolean isCalling() {
    return isCalling;
  }

  /** Calls the listener, if there is one. */
  void tell(Call call) {
    ConnectionListener known = listener;
    if (known == null) {
      return;
    }
    boolean outer = isCalling;
    isCalling = true;
    try {
      call.to(known);
    } catch (Throwable failure) {
      owner.failed(failure);
    } finally {
      isCalling = outer;
    }
  }

  /** Tells the listener of the end, which is the last call. */
  void end(ConnectionEnding ending) {
    clear();
    tell(known -> known.onEnded(ending));
    listener = null;
  }

  // ---- Bytes

  /** Hands {@code bytes} over, or keeps what of them cannot be. Bytes that are lent are copied. */
  void add(ByteBuffer bytes, boolean areLent) {
    if (!isPaused) {
      deliver(bytes);
      isPaused |= bytes.hasRemaining();
    }
    if (bytes.hasRemaining()) {
      keep(areLent ? ByteBuffer.allocate(bytes.remaining()).put(bytes).flip() : bytes);
    }
  }

  @SuppressWarnings("ReferenceEquality") // the shared one, and no other that is empty
  private void keep(ByteBuffer bytes) {
    if (kept == NONE) {
      kept = new ArrayDeque<>(2);
    }
    kept.add(bytes);
    keptBytes += bytes.remaining();
  }

  /** The listener asks for more: what is kept comes first. */
  void resume() {
    isPaused = false;
    for (ByteBuffer first; !isPaused && (first = kept.peek()) != null; ) {
      int before = first.remaining();
      deliver(first);
      keptBytes = Math.max(0, keptBytes - (before - first.remaining())); // or it was cleared
      if (first.hasRemaining()) {
        isPaused = true;
      } else {
        kept.poll();
      }
    }
    if (kept.isEmpty()) {
      kept = NONE;
    }
  }

  /** As {@link #tell}, in line: there is no lambda for each message. */
  private void deliver(ByteBuffer bytes) {
    ConnectionListener known = listener;
    if (known == null || owner.isOver()) {
      bytes.position(bytes.limit());
      return;
    }
    boolean outer = isCalling;
    isCalling = true;
    int before = bytes.remaining();
    taken += before;
    try {
      known.onBytes(bytes);
    } catch (Throwable failure) {
      bytes.position(bytes.limit());
      owner.failed(failure);
    } finally {
      isCalling = outer;
    }
    taken -= bytes.remaining();
    owner.taken(before - bytes.remaining());
  }

  /** Returns whether the listener has taken everything, and takes more. */
  boolean isTaking() {
    return !isPaused;
  }

  /** Drops what is kept. */
  void clear() {
    kept = NONE;
    keptBytes = 0;
  }

  // ---- Memory

  /** Returns how many bytes are kept, here and by the listener. */
  long held() {
    ConnectionListener known = listener;
    return known == null ? keptBytes : keptBytes + known.heldBytes();
  }

  /** Returns how many bytes the listener has taken so far. */
  long taken() {
    return taken;
  }
}
