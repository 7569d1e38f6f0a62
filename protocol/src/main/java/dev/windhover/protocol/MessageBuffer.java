package dev.windhover.protocol;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Assembles a message from the pieces that arrive. Its one buffer grows with the bytes that have
 * arrived, never with the length that a peer declares, up to a limit. Only one thread may use it at
 * a time.
 */
public final class MessageBuffer {
  private static final int SMALLEST = 512;
  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final long limit;
  private @Nullable ByteBuffer buffer;

  /** Creates an empty buffer for messages of at most {@code limit} bytes. */
  public MessageBuffer(long limit) {
    this.limit = Math.min(limit, Integer.MAX_VALUE - 8);
  }

  /** Returns whether it holds no byte of a message. */
  public boolean isEmpty() {
    return buffer == null || buffer.position() == 0;
  }

  /** Returns how many bytes have been assembled so far. */
  public int size() {
    return buffer == null ? 0 : buffer.position();
  }

  /**
   * Returns the violation that {@code more} bytes after the present ones would commit, or null. If
   * asked with a frame's declared length, it refuses a big message at its header.
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
   * Returns the buffer, positioned after the present bytes, with room for {@code arrived} bytes,
   * but for at most one byte beyond the limit. If the length of a message is not declared, the same
   * fault must be found first (invalid text or the limit) no matter how many bytes come together.
   */
  public ByteBuffer room(int arrived) {
    return room(arrived, arrived);
  }

  /**
   * Like {@link #room(int)}, for a frame of which {@code declared} bytes are due, including those
   * that have arrived. If most of them have arrived, there is room for all of the rest.
   */
  public ByteBuffer room(int arrived, long declared) {
    ByteBuffer current = buffer;
    long left = limit - size();
    int room = arrived > left ? (int) left + 1 : arrived;
    if (current == null) {
      long due = Math.min(Math.min(declared, 2L * room), limit); // never just what is declared
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

  /**
   * Reads what {@code in} holds of the payload that {@code reader} stands at, within the limits of
   * {@link #room(int, long)}. A message that is here whole gets memory of exactly its size.
   *
   * @return the number of bytes gained, or -1 after a violation that the reader found
   */
  public int read(FrameReader reader, ByteBuffer in) {
    long declared = reader.frameRemaining();
    int arrived = (int) Math.min(declared, in.remaining());
    if (reader.isCoded()) {
      arrived = Math.max(arrived, 1); // none may bring some
    } else if (buffer == null && reader.isFinal() && arrived == declared) {
      buffer = ByteBuffer.allocate(arrived);
    }
    return reader.readInto(in, room(arrived, declared));
  }

  /**
   * Appends {@code piece}, and uses it up. If it is the first one and begins at 0, its memory
   * becomes that of the message.
   */
  public void add(ByteBuffer piece) {
    if (isEmpty() && piece.position() == 0) {
      buffer = piece.position(piece.limit());
    } else {
      room(piece.remaining()).put(piece);
    }
  }

  /** Returns a view of the assembled message, valid until {@link #clear()}. */
  public ByteBuffer message() {
    ByteBuffer current = buffer;
    if (current == null) {
      return EMPTY;
    }
    return current.duplicate().flip();
  }

  /** Returns the assembled message with its memory, and starts the next one in other memory. */
  public ByteBuffer take() {
    ByteBuffer current = buffer;
    buffer = null;
    return current == null ? ByteBuffer.allocate(0) : current.flip();
  }

  /** Starts the next message, in the same memory. */
  public void clear() {
    if (buffer != null) {
      buffer.clear();
    }
  }
}
