package dev.windhover.websocket;

import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.websocket.deflate.Compression;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Compresses the messages of an {@link Outbox} as they leave, in slices: a frame for each chunk
 * that is full, since a frame's length stands before it. Loop only, except where it says otherwise.
 */
final class MessageCompressor {
  /** What a compressed frame has room for at least. */
  private static final int SMALLEST_CODED = 64;

  private final Compression compression;
  private final int chunkBytes;

  /** Whether a message is under way, is compressed, and has a frame out. */
  private boolean inMessage;

  private boolean coded;
  private boolean hasFrame;

  /** What came of the slices so far and is no frame yet; only within a message. */
  private @Nullable ByteBuffer chunk;

  private boolean isChunkPooled;

  /** Whether the peer's window has something that ours has not. */
  private boolean isPeerAhead;

  private boolean ended;

  /**
   * Creates one.
   *
   * @param largestChunk the most bytes of a frame
   */
  MessageCompressor(Compression compression, int largestChunk) {
    this.compression = compression;
    this.chunkBytes = Math.max(largestChunk, SMALLEST_CODED);
  }

  Compression compression() {
    return compression;
  }

  /**
   * Returns whether a message concerns no other: it is not compressed here, and no context goes on
   * after it. Any thread.
   */
  boolean standsAlone(int size, SendAs as) {
    return as == SendAs.PREPARED_CODED
        ? !compression.takesOver()
        : as.isPlain() || !compression.isWorth(size);
  }

  /** Returns whether {@code piece} is to be compressed: decided by the first of its message. */
  boolean compresses(OutgoingMessage piece) {
    if (!inMessage) {
      inMessage = true;
      hasFrame = false;
      coded =
          !piece.as.isPlain()
              && (!piece.end || compression.isWorth(piece.size))
              && compression.deflater().begin();
    }
    return coded;
  }

  /**
   * Compresses at most {@code slice} bytes of a piece, and writes a frame if there is a whole one.
   *
   * @return whether all of the piece is written
   */
  boolean write(OutgoingMessage piece, Conversation conversation, int slice) {
    ByteBuffer in = piece.payload();
    ByteBuffer out = chunk();
    int limit = in.limit();
    boolean isLast = in.remaining() <= slice;
    MessageDeflater.End until =
        !isLast
            ? MessageDeflater.End.NONE
            : piece.end ? MessageDeflater.End.MESSAGE : MessageDeflater.End.FRAGMENT;
    if (!isLast) {
      in.limit(in.position() + slice);
    }
    boolean done = compression.deflater().deflate(in, out, until);
    in.limit(limit);
    if (done && !isLast) {
      return false; // the frame goes on
    }
    Opcode opcode = hasFrame ? Opcode.CONTINUATION : piece.opcode;
    int bits = hasFrame ? 0 : Extension.RSV1; // RFC 7692 6.1: on the first frame
    hasFrame = true;
    boolean isFinal = done && piece.end;
    int size = out.flip().remaining();
    if (isChunkPooled && size >= PayloadPool.LEAST_BYTES) {
      chunk = null;
      conversation.header(opcode, isFinal, bits, size);
      conversation.payload(out, () -> PayloadPool.give(out));
    } else {
      conversation.frame(opcode, isFinal, bits, out);
      out.clear();
    }
    if (done) {
      giveChunk();
    }
    return done;
  }

  private ByteBuffer chunk() {
    ByteBuffer current = chunk;
    if (current == null) {
      current = chunkBytes == PayloadPool.BUFFER_BYTES ? PayloadPool.take() : null;
      isChunkPooled = current != null;
      if (current == null) {
        current = ByteBuffer.allocate(chunkBytes);
      }
      chunk = current;
    }
    return current;
  }

  private void giveChunk() {
    ByteBuffer current = chunk;
    if (current != null) {
      chunk = null;
      if (isChunkPooled) {
        PayloadPool.give(current);
      }
    }
  }

  /** A message has left to its end; what comes must not refer beyond one that we do not know. */
  void messageEnded(SendAs as) {
    inMessage = false;
    isPeerAhead |= as == SendAs.PREPARED_CODED;
    if (isPeerAhead) {
      isPeerAhead = false;
      rest();
    }
  }

  /** Gives the stream back until it is needed again. */
  void rest() {
    if (!ended) {
      compression.restSending();
    }
  }

  /** Nothing is compressed any more. */
  void end() {
    if (!ended) {
      ended = true;
      giveChunk();
      compression.endSending();
    }
  }
}
