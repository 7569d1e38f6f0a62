package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.deflate.MessageDeflater;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Makes frames of the messages of a {@link SendQueue}, and compresses those that are worth it. The
 * queue's lock guards this too; the turn keeps other senders away where the lock is let go.
 */
final class MessageEncoder {
  /** What a compressed frame has room for at least. */
  private static final int SMALLEST_CODED = 64;

  private final @Nullable Compression compression;
  private final ReentrantLock lock;
  private final EncodedFrames frames;
  private final Turns turns;

  private boolean coding;

  /** Whether the last call took all of its payload. */
  private boolean done;

  /** Whether the peer's window has something that ours has not. */
  private boolean behind;

  MessageEncoder(
      @Nullable Compression compression, ReentrantLock lock, SendState state, int largestChunk) {
    this.compression = compression;
    this.lock = lock;
    this.frames = new EncodedFrames(largestChunk);
    this.turns = new Turns(state);
  }

  /** Returns what waits to be handed over, and the frame under way at its end. */
  EncodedFrames frames() {
    return frames;
  }

  /** Returns whose message is under way. */
  Turns turns() {
    return turns;
  }

  /** A piece must go with those before it, if there are any. */
  void requireFits(MessageType type, SendAs as) {
    if (as.isPrepared()) {
      turns.requireNotBegun();
    } else {
      turns.requireType(type);
      turns.requireFlag(as.isPlain());
    }
  }

  // ---- As it is

  /** Appends the header of a piece that goes out as it is. */
  void header(ByteBuffer payload, MessageType type, boolean end, SendAs as) {
    frames.header(turns.opcode(type), end, as.reservedBits(), payload.remaining());
    behind |= as == SendAs.PREPARED_CODED;
  }

  /** Appends {@code most} of the payload behind that. */
  void payload(ByteBuffer payload, int most, SendAs as) {
    if (as.isPrepared()) {
      frames.share(payload, most);
    } else {
      frames.append(payload, most);
    }
  }

  /** Keeps a whole message until the one under way has ended. */
  void keepBehindMessage(ByteBuffer payload, MessageType type, SendAs as) {
    frames.keepBehindMessage(Turns.opcodeOf(type), as.reservedBits(), payload);
    behind |= as == SendAs.PREPARED_CODED;
  }

  // ---- Compressed

  /** Returns whether this piece is to be compressed: decided by the first of its message. */
  boolean compresses(int size, boolean end, SendAs as) {
    if (!turns.isContinued()) {
      boolean plain = as.isPlain();
      boolean coded =
          compression != null
              && !plain
              && (!end || compression.isWorth(size))
              && compression.deflater().begin();
      turns.sendAs(plain, coded);
    }
    return turns.isCoded();
  }

  /**
   * Compresses payload, as much as goes into a chunk: a frame's length stands before it. {@link
   * #append} is to follow.
   *
   * @param most how much may come out; if that is very little, up to 64 bytes
   * @param unlocks whether that happens without the lock, since it takes time
   */
  ByteBuffer code(ByteBuffer payload, boolean end, int most, boolean unlocks) {
    MessageDeflater deflater = Objects.requireNonNull(compression).deflater();
    ByteBuffer coded = frames.borrow(SMALLEST_CODED);
    coded.limit(coded.position() + Math.min(coded.remaining(), Math.max(most, SMALLEST_CODED)));
    boolean all = false;
    coding = true;
    if (unlocks) {
      lock.unlock();
    }
    try {
      var ends = end ? MessageDeflater.End.MESSAGE : MessageDeflater.End.FRAGMENT;
      all = deflater.deflate(payload, coded, ends);
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

  /** No message is under way: what comes must not refer beyond one that we do not know. */
  void messageEnded() {
    if (behind) {
      behind = false;
      rest();
    }
  }

  /** Returns whether the sender is compressing, without the lock. */
  boolean isCoding() {
    return coding;
  }

  /** Gives the stream back until it is needed again. */
  void rest() {
    if (compression != null && !coding) {
      compression.restSending();
    }
  }
}
