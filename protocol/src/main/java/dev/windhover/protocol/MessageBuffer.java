package dev.windhover.protocol;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Assembles a message from the pieces that arrive: one buffer that grows with what is there, never
 * by what a peer declares, up to a limit. Used by one thread at a time.
 */
public final class MessageBuffer {
  private static final int SMALLEST = 512;
  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final long limit;
  private @Nullable ByteBuffer buffer;

  /** Creates an empty one for messages of at most {@code limit} bytes. */
  public MessageBuffer(long limit) {
    this.limit = Math.min(limit, Integer.MAX_VALUE - 8);
  }

  /** Returns whether no byte of a message is here. */
  public boolean isEmpty() {
    return buffer == null || buffer.position() == 0;
  }

  /** Returns the bytes assembled so far. */
  public int size() {
    return buffer == null ? 0 : buffer.position();
  }

  /**
   * Returns the violation that the message commits if {@code more} bytes follow what is here, or
   * null. Asked with a frame's declared length, it refuses a big message at its header.
   */
  public @Nullable Violation exceededBy(long more) {
    long size = size();
    if (more <= limit - size) {
      return null;
    }
    long whole = size + Math.min(more, Long.MAX_VALUE - size); // a peer may declare 2^63-1
    return Violation.messageTooBig(whole, limit);
  }

  /**
   * Returns the buffer, positioned behind what is here, with room for {@code arrived} bytes, but
   * for one byte beyond the limit at most: what is found first in a message whose length nobody
   * declares, bad text or the limit, must not depend on how much of it comes at once.
   */
  public ByteBuffer room(int arrived) {
    return room(arrived, arrived);
  }

  /**
   * As {@link #room(int)}, of a frame of which {@code declared} bytes are due, the arrived ones
   * among them: if most of it is here, the rest has its room from the beginning.
   */
  public ByteBuffer room(int arrived, long declared) {
    ByteBuffer current = buffer;
    long left = limit - size();
    int room = arrived > left ? (int) left + 1 : arrived;
    if (current == null) {
      long due = Math.min(Math.min(declared, 2L * room), limit); // never by what is declared alone
      current = ByteBuffer.allocate((int) Math.max(Math.max(room, due), SMALLEST));
      buffer = current;
    } else if (current.capacity() - current.position() < room) {
      long needed = (long) current.position() + room;
      int capacity = (int) Math.max(Math.min(2L * current.capacity(), limit), needed);
      current = ByteBuffer.allocate(capacity).put(current.flip());
      buffer = current;
    }
    return current.limit(current.capacity() > limit ? (int) limit + 1 : current.capacity());
  }

  /** Returns a view of the assembled message, valid until {@link #clear()}. */
  public ByteBuffer message() {
    ByteBuffer current = buffer;
    if (current == null) {
      return EMPTY;
    }
    return current.duplicate().flip();
  }

  /** Starts the next message in the same memory. */
  public void clear() {
    if (buffer != null) {
      buffer.clear();
    }
  }
}
