package dev.windhover.websocket;

import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Frames as bytes, in order: appended behind, taken away in front a chunk at a time. Control frames
 * that come inside of a frame wait for its end, other senders' messages for the end of the one
 * under way. The lock of its {@link SendQueue} guards it; {@link #size()} may be asked without.
 */
final class EncodedFrames {
  private static final int SMALLEST_CHUNK = 512;

  /** Shared bytes are copied if fewer: a chunk of their own costs more. */
  private static final int LEAST_SHARED = 4096;

  private static final FrameWriter writer = FrameWriter.server();

  private final int slot = ChunkPool.slot();
  private final int largestChunk;

  // Whole chunks, then the one being filled. As most deques here it is seldom needed.
  private @Nullable Deque<ByteBuffer> chunks;
  private @Nullable ByteBuffer filling;

  /** Follows what is appended between two takes. */
  private int chunkSize;

  private volatile int size;

  private boolean insideFrame;
  private @Nullable Deque<ByteBuffer> behindFrame;
  private @Nullable Deque<ByteBuffer> behindMessage;
  private volatile int bytesBehindMessage;

  EncodedFrames(int largestChunk) {
    this.largestChunk = largestChunk;
    this.chunkSize = Math.min(SMALLEST_CHUNK, largestChunk);
  }

  /** Returns the bytes that are here, without control frames that wait; from any thread. */
  int size() {
    return size + bytesBehindMessage;
  }

  /** Returns those of them that do not wait for the end of the message under way. */
  int sizeAhead() {
    return size;
  }

  // ---- What must not be cut

  /** What is appended from here on is one frame, or several of one call. */
  void beginFrame() {
    insideFrame = true;
  }

  /** That frame is whole; behind it goes what was kept until then. */
  void endFrame() {
    insideFrame = false;
    appendAll(behindFrame);
    behindFrame = null;
  }

  /** The rest of that frame is not sent. */
  void abandonFrame() {
    insideFrame = false;
  }

  boolean isInsideFrame() {
    return insideFrame;
  }

  /** Returns whether control frames wait for the end of a frame. */
  boolean hasControlsBehindFrame() {
    return behindFrame != null;
  }

  /** Keeps a whole message until the one under way has ended. */
  void keepBehindMessage(Opcode opcode, int reservedBits, ByteBuffer payload) {
    ByteBuffer frame = frame(opcode, reservedBits, payload);
    behindMessage = added(behindMessage, frame);
    int sum = bytesBehindMessage + frame.remaining(); // under the lock, so that no change is lost
    bytesBehindMessage = sum;
  }

  /** The message under way has ended; behind it goes what was kept until then. */
  void endMessage() {
    appendAll(behindMessage);
    behindMessage = null;
    bytesBehindMessage = 0;
  }

  private static Deque<ByteBuffer> added(@Nullable Deque<ByteBuffer> to, ByteBuffer bytes) {
    Deque<ByteBuffer> all = to == null ? new ArrayDeque<>() : to;
    all.add(bytes);
    return all;
  }

  private void appendAll(@Nullable Deque<ByteBuffer> kept) {
    if (kept != null) {
      kept.forEach(frame -> append(frame, Integer.MAX_VALUE));
    }
  }

  private ByteBuffer frame(Opcode opcode, int reservedBits, ByteBuffer payload) {
    int size = payload.remaining();
    ByteBuffer frame = ByteBuffer.allocate(writer.headerSize(size) + size);
    writer.header(frame, opcode, true, reservedBits, size);
    writer.payload(payload, frame);
    return frame.flip();
  }

  // ---- Bytes

  /** Appends a header; its payload follows through {@link #append}, in any number of pieces. */
  void header(Opcode opcode, boolean fin, int reservedBits, long length) {
    ByteBuffer out = room(FrameWriter.MAX_HEADER_BYTES);
    int before = out.position();
    writer.header(out, opcode, fin, reservedBits, length);
    count(out.position() - before);
  }

  /** Appends a control frame, now or behind the frame under way. */
  void control(Opcode opcode, ByteBuffer payload) {
    if (insideFrame) {
      behindFrame = added(behindFrame, frame(opcode, 0, payload));
    } else {
      header(opcode, true, 0, payload.remaining());
      append(payload, Integer.MAX_VALUE);
    }
  }

  /** Appends payload, or bytes that are encoded already: at most {@code most}. */
  void append(ByteBuffer bytes, int most) {
    int left = Math.min(bytes.remaining(), most);
    int limit = bytes.limit();
    bytes.limit(bytes.position() + left);
    while (bytes.hasRemaining()) {
      writer.payload(bytes, room(1));
    }
    bytes.limit(limit);
    count(left);
  }

  /** As {@link #append}, for bytes that never change: large ones stay where they are. */
  void share(ByteBuffer bytes, int most) {
    int left = Math.min(bytes.remaining(), most);
    if (left < LEAST_SHARED) {
      append(bytes, left);
      return;
    }
    if (filling != null) {
      chunks = added(chunks, filling);
      filling = null;
    }
    count(left);
    while (left > 0) {
      int n = Math.min(left, largestChunk);
      // As one that was filled.
      chunks = added(chunks, bytes.slice(bytes.position(), n).position(n));
      bytes.position(bytes.position() + n);
      left -= n;
    }
  }

  /** Takes the first chunk away, to be read from its start; null if nothing is here. */
  @Nullable ByteBuffer take() {
    ByteBuffer chunk = chunks == null ? null : chunks.poll();
    if (chunk == null) {
      chunk = filling;
      filling = null;
      chunks = null;
      if (chunk == null) {
        return null;
      }
      if (chunk.position() < chunkSize / 4) {
        chunkSize = Math.max(chunkSize / 2, Math.min(SMALLEST_CHUNK, largestChunk));
      }
    }
    count(-chunk.position());
    return chunk.flip();
  }

  /** Takes back a chunk that was read, to be filled again; from any thread. */
  void recycle(ByteBuffer chunk) {
    ChunkPool.give(slot, chunk);
  }

  /** Returns an empty chunk for a caller to encode into and give back: {@link #recycle}. */
  ByteBuffer borrow(int least) {
    ByteBuffer pooled = largestChunk == ChunkPool.CHUNK_BYTES ? ChunkPool.take(slot) : null;
    return pooled != null ? pooled : ByteBuffer.allocate(Math.max(largestChunk, least));
  }

  void clear() {
    chunks = null;
    filling = null;
    count(-size);
    behindFrame = null;
    behindMessage = null;
    bytesBehindMessage = 0;
  }

  private ByteBuffer room(int bytes) {
    ByteBuffer current = filling;
    if (current != null && current.remaining() >= bytes) {
      return current;
    }
    if (current != null) {
      chunks = added(chunks, current);
      chunkSize = Math.min(2 * chunkSize, largestChunk);
    }
    current = chunkSize == ChunkPool.CHUNK_BYTES ? ChunkPool.take(slot) : null;
    if (current == null) {
      current = ByteBuffer.allocate(Math.max(chunkSize, bytes));
    }
    filling = current;
    return current;
  }

  /** Changes the size; under the lock, so that no change is lost. */
  private void count(int change) {
    int sum = size + change;
    size = sum;
  }
}
