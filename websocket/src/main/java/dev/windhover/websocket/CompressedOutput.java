package dev.windhover.websocket;

import dev.windhover.http.MessageType;
import dev.windhover.http.PreparedMessage;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.MessageDeflater;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The compressed messages of a {@link SendQueue}. The queue's lock guards this too; the turn keeps
 * other senders away where the lock is let go.
 */
final class CompressedOutput {
  /** What a compressed frame has room for at least. */
  private static final int SMALLEST_CODED = 64;

  private final Compression compression;
  private final ReentrantLock lock;
  private final EncodedFrames frames;
  private final Turns turns;

  /** Whether the sender is compressing, without the lock. */
  private boolean coding;

  /** Whether the last call took all of its payload. */
  private boolean done;

  /** Whether the peer's window has something that ours has not. */
  private boolean behind;

  CompressedOutput(Compression compression, ReentrantLock lock, EncodedFrames frames, Turns turns) {
    this.compression = compression;
    this.lock = lock;
    this.frames = frames;
    this.turns = turns;
  }

  /** Returns whether a message of so many bytes is worth it. Any thread. */
  boolean isWorth(int size) {
    return compression.isWorth(size);
  }

  /**
   * Returns whether this piece is compressed: decided by the first of its message.
   *
   * @param plain whether its sender does not want it
   */
  boolean takes(int size, boolean end, boolean plain) {
    if (!turns.isContinued()) {
      boolean worth = !plain && (!end || isWorth(size));
      turns.sendAs(plain, worth && compression.deflater().begin());
    }
    return turns.isCoded();
  }

  /**
   * Compresses payload, as much as goes into a chunk: a frame's length stands before it. {@link
   * #append} is to follow.
   *
   * @param unlocks whether that happens without the lock, since it takes time
   */
  ByteBuffer code(ByteBuffer payload, boolean end, boolean unlocks) {
    ByteBuffer coded = frames.borrow(SMALLEST_CODED);
    boolean all = false;
    coding = true;
    if (unlocks) {
      lock.unlock();
    }
    try {
      var ends = end ? MessageDeflater.End.MESSAGE : MessageDeflater.End.FRAGMENT;
      all = compression.deflater().deflate(payload, coded, ends);
    } finally {
      if (unlocks) {
        lock.lock();
      }
      coding = false;
      done = all;
    }
    return coded.flip();
  }

  /**
   * Queues what {@link #code} gave as one frame.
   *
   * @return whether that was all of the payload
   */
  boolean append(ByteBuffer coded, MessageType type, boolean end) {
    int bits = turns.isContinued() ? 0 : Extension.RSV1; // RFC 7692 6.1: on the first frame
    frames.header(turns.opcode(type), end && done, bits, coded.remaining());
    frames.append(coded, Integer.MAX_VALUE);
    frames.recycle(coded);
    turns.sent(type, 0);
    return done;
  }

  /** Returns the payload compressed by itself; null if it goes out as it is. Any thread. */
  @Nullable ByteBuffer encoded(PreparedMessage message) {
    return compression.encoded(message);
  }

  /** Returns whether that may overtake nothing of ours. Any thread. */
  boolean takesOver() {
    return compression.takesOver();
  }

  /** A message that was compressed elsewhere goes out. */
  void passed() {
    behind = true;
  }

  /** No message is under way: what comes must not refer beyond one that we do not know. */
  void messageEnded() {
    if (behind) {
      behind = false;
      compression.deflater().rest();
    }
  }

  /** Nothing can be sent any more: gives the stream back, once nobody is using it. */
  void end() {
    if (!coding) {
      compression.endSending();
    }
  }

  /** Gives the stream back until it is needed again. */
  void rest() {
    if (!coding) {
      compression.deflater().rest();
    }
  }
}
