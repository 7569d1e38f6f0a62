package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Assembles a message from the pieces that arrive. Its memory grows with the bytes that have
 * arrived, never with the length that a peer declares, up to a limit. Only one thread may use it at
 * a time.
 *
 * <p>A small message lies in one buffer that doubles. A larger one lies in pieces until it is
 * complete, so that an unfinished message takes little more memory than it has bytes, and no
 * garbage collector has to find room for a large array before there is a whole message.
 */
public final class MessageBuffer {
  private static final int SMALLEST = 512;

  /**
   * The most of a message that lies in one buffer before it is complete. With the 16 bytes of an
   * array's header it is a power of two, and far from what G1 gives regions of its own: half a
   * region, which is 512 KiB in a small heap.
   */
  private static final int PIECE_BYTES = 128 * 1024 - 16;

  private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

  private final long limit;

  /** The pieces before {@link #buffer}, each of them full and ready to be read. */
  private @Nullable List<ByteBuffer> full;

  private int fullBytes;

  /** What the next bytes go into. */
  private @Nullable ByteBuffer buffer;

  /** Creates an empty buffer for messages of at most {@code limit} bytes. */
  public MessageBuffer(long limit) {
    this.limit = Math.min(limit, Integer.MAX_VALUE - 8);
  }

  /** Returns whether it holds no byte of a message. */
  public boolean isEmpty() {
    return size() == 0;
  }

  /** Returns how many bytes have been assembled so far. */
  public int size() {
    return buffer == null ? 0 : fullBytes + buffer.position();
  }

  /** Returns how many bytes of memory it takes. */
  public int memory() {
    return buffer == null ? 0 : fullBytes + buffer.capacity();
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
   * When the message becomes large, there may be room for only some of the bytes, but for at least
   * one; ask again for the rest.
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
      long wanted = Math.max(Math.max(room, due), SMALLEST);
      current = ByteBuffer.allocate((int) Math.min(wanted, PIECE_BYTES));
    } else if (current.capacity() - current.position() < room) {
      current = more(current, room, left);
    }
    buffer = current;
    long most = limit + 1 - fullBytes;
    return current.limit((int) Math.min(current.capacity(), most));
  }

  /** Returns a buffer with more room than {@code current}: its copy, or the piece after it. */
  private ByteBuffer more(ByteBuffer current, int room, long left) {
    long needed = (long) current.position() + room;
    if (fullBytes == 0 && needed <= PIECE_BYTES) {
      long doubled = Math.min(Math.min(2L * current.capacity(), limit), PIECE_BYTES);
      return ByteBuffer.allocate((int) Math.max(doubled, needed)).put(current.flip());
    }
    if (current.position() < current.capacity()) {
      return current; // is filled first
    }
    if (full == null) {
      full = new ArrayList<>();
    }
    full.add(current.flip());
    fullBytes += current.remaining();
    return ByteBuffer.allocate((int) Math.min(left + 1, PIECE_BYTES));
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
      return;
    }
    int end = piece.limit();
    while (piece.hasRemaining()) {
      ByteBuffer into = room(piece.remaining());
      piece.limit(Math.min(end, piece.position() + into.remaining()));
      into.put(piece);
      piece.limit(end);
    }
  }

  /** Returns a view of the assembled message, valid until {@link #clear()}. */
  public ByteBuffer message() {
    ByteBuffer current = whole();
    return current == null ? EMPTY : current.duplicate().flip();
  }

  /** Returns the assembled message with its memory, and starts the next one in other memory. */
  public ByteBuffer take() {
    ByteBuffer current = whole();
    buffer = null;
    return current == null ? ByteBuffer.allocate(0) : current.flip();
  }

  /** Returns the message in one buffer, positioned after it. */
  private @Nullable ByteBuffer whole() {
    ByteBuffer last = buffer;
    List<ByteBuffer> pieces = full;
    if (pieces == null || last == null) {
      return last;
    }
    ByteBuffer all = ByteBuffer.allocate(size());
    pieces.forEach(all::put);
    full = null;
    fullBytes = 0;
    buffer = all.put(last.flip());
    return all;
  }

  /** Starts the next message, in the same memory unless that is large. */
  public void clear() {
    full = null;
    fullBytes = 0;
    if (buffer != null) {
      buffer = buffer.capacity() > PIECE_BYTES ? null : buffer.clear();
    }
  }
}
