package dev.windhover.server.net;

import dev.windhover.http.host.Sink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * What the sinks of all transports have in common. Small writes are gathered in one buffer, which
 * leaves when it is full or flushed. What is written after a file waits for the file. Loop only,
 * except {@link #pending()}.
 */
public abstract class GatheringSink implements Sink {
  private static final AtomicIntegerFieldUpdater<GatheringSink> GATHERED =
      AtomicIntegerFieldUpdater.newUpdater(GatheringSink.class, "gathered");
  private static final AtomicLongFieldUpdater<GatheringSink> QUEUED =
      AtomicLongFieldUpdater.newUpdater(GatheringSink.class, "queued");

  private static final ByteBuffer NO_ROOM = ByteBuffer.allocate(0);

  /** Bytes in {@link #output}; read by other threads for {@link #pending()}. */
  private volatile int gathered;

  /** Bytes of files, and of writes that wait for files; read by other threads. */
  private volatile long queued;

  private @Nullable ByteBuf output;

  /** The free part of {@link #output}: its position is after what was written. */
  private ByteBuffer room = NO_ROOM;

  private int roomFrom;
  private int mark = Integer.MAX_VALUE;
  private @Nullable Runnable belowAgain;
  private @Nullable FileQueue files;
  private volatile boolean closed; // for other threads

  // ---- The transport's part

  /** Returns an empty buffer for at least {@code bytes}, with its indexes where they begin. */
  protected abstract ByteBuf allocate(int bytes);

  /** Returns a buffer for a piece of a file, as {@link #allocate} does. */
  protected abstract ByteBuf allocatePiece(int bytes);

  /** Returns the writable part of a buffer that was allocated for {@code bytes}. */
  protected abstract ByteBuffer roomOf(ByteBuf allocated, int bytes);

  /**
   * Takes bytes over and passes them on; {@code release} runs when they have left or never will.
   */
  protected abstract void transmit(ByteBuf bytes, @Nullable Runnable release);

  /** Returns whether what is passed on can still leave; otherwise the end is reported soon. */
  protected boolean canTransmit() {
    return isOpen();
  }

  /** Passes a file on as a whole; returns false if it has to be read in pieces instead. */
  boolean transmit(FilePart part) {
    return false;
  }

  /** Returns how many of the bytes passed on the network has not taken; from any thread. */
  protected abstract long inTransit();

  /** A file could not be read to its end, so the promised bytes cannot be sent. */
  protected abstract void fileFailed(Exception cause);

  // ---- Gathering

  @Override
  public final ByteBuffer reserve(int bytes) {
    if (room.remaining() < bytes) {
      takeOutput(bytes);
    }
    return room;
  }

  @Override
  public final void commit() {
    GATHERED.lazySet(this, room.position() - roomFrom);
  }

  @Override
  public final void write(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      if (!room.hasRemaining()) {
        takeOutput(Math.min(bytes.remaining(), largestOutput()));
      }
      int n = Math.min(room.remaining(), bytes.remaining());
      room.put(room.position(), bytes, bytes.position(), n).position(room.position() + n);
      bytes.position(bytes.position() + n);
      commit();
    }
  }

  /** Returns the maximum size of an output buffer, unless more is reserved at once. */
  protected abstract int largestOutput();

  /** Begins a new output buffer, after what the last one holds. */
  private void takeOutput(int bytes) {
    sendGathered();
    if (closed) { // nobody would release a pooled buffer
      room = ByteBuffer.allocate(bytes);
      roomFrom = 0;
      return;
    }
    ByteBuf taken = allocate(bytes);
    output = taken;
    room = roomOf(taken, bytes);
    roomFrom = room.position();
  }

  /** Returns what was gathered, which the caller releases; null if there is nothing. */
  protected final @Nullable ByteBuf takeGathered() {
    ByteBuf current = output;
    if (current == null) {
      return null;
    }
    int size = room.position() - roomFrom;
    output = null;
    room = NO_ROOM;
    roomFrom = 0;
    GATHERED.lazySet(this, 0);
    if (size == 0) { // reserved, but not used
      current.release();
      return null;
    }
    return current.writerIndex(current.readerIndex() + size);
  }

  /** Passes on what was gathered. */
  protected final void sendGathered() {
    ByteBuf current = takeGathered();
    if (current != null) {
      send(current, null);
    }
  }

  @Override
  public final void write(ByteBuffer bytes, Runnable release) {
    if (closed) {
      release.run();
      return;
    }
    sendGathered();
    send(Unpooled.wrappedBuffer(bytes), release);
  }

  private void send(ByteBuf bytes, @Nullable Runnable release) {
    if (files != null) {
      addQueued(bytes.readableBytes());
      files.add(new FileQueue.Bytes(bytes, release));
    } else {
      transmit(bytes, release);
    }
  }

  // ---- Files

  @Override
  public final void writeFile(FileChannel file, long position, long count, Runnable release) {
    FilePart part = new FilePart(file, position, count, release);
    if (closed) {
      part.release();
      return;
    }
    sendGathered();
    addQueued(count);
    if (files == null && transmit(part)) {
      return;
    }
    if (files == null) {
      files = new FileQueue(this);
    }
    files.add(part);
  }

  /** Runs {@code action} when everything that was written so far has been passed on. */
  protected final void inTurn(Runnable action) {
    sendGathered();
    if (files == null) {
      action.run();
    } else {
      files.add(action);
    }
  }

  /** Adds to the count of bytes in files and in writes after them; negative when they leave. */
  final void addQueued(long bytes) {
    QUEUED.lazySet(this, queued + bytes); // only the loop writes it
  }

  /** Nothing waits in {@code queue} any more. */
  final void filesEnded(FileQueue queue) {
    if (files == queue) {
      files = null;
    }
  }

  /** Returns whether a write would wait for a file. */
  protected final boolean isReadingFiles() {
    return files != null;
  }

  // ---- What is pending

  @Override
  public final long pending() {
    return gathered + queued + inTransit();
  }

  /**
   * Returns how many bytes that are {@link #pending()} take memory, which those of files do not.
   */
  public final long buffered() {
    return gathered + inTransit();
  }

  @Override
  public void mark(int bytes, Runnable action) {
    mark = bytes;
    belowAgain = action;
  }

  protected final int mark() {
    return mark;
  }

  /** Runs the action of the mark if less than the mark is pending now. */
  public final void checkMark() {
    if (belowAgain != null && pending() < mark && !closed) {
      belowAgain.run();
      flush();
    }
  }

  // ---- The end

  /** The connection, or the stream, is gone: drops everything that has not left. */
  public final void close() {
    if (closed) {
      return;
    }
    closed = true;
    ByteBuf current = output;
    if (current != null) {
      output = null;
      current.release();
    }
    room = NO_ROOM;
    roomFrom = 0;
    GATHERED.lazySet(this, 0);
    if (files != null) {
      files.drop();
      files = null;
    }
    QUEUED.lazySet(this, 0);
  }

  /** Closes, and tells whoever waits for room that none will come. */
  public final void lost() {
    close();
    Runnable waiting = belowAgain;
    belowAgain = null;
    if (waiting != null) {
      waiting.run();
    }
  }

  protected final boolean isClosed() {
    return closed;
  }
}
