package dev.windhover.websocket;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What has come of a compressed socket and is not decompressed yet, since nobody takes it; the peer
 * is not read meanwhile. Loop only.
 */
final class Backlog {
  private @Nullable ByteBuffer bytes;
  private boolean ends;

  boolean isEmpty() {
    return bytes == null;
  }

  /** Keeps a copy of {@code more}, and uses it up. */
  void add(ByteBuffer more) {
    ByteBuffer before = bytes; // behind what it holds
    if (before == null) {
      bytes = ByteBuffer.allocate(more.remaining()).put(more);
    } else if (before.remaining() >= more.remaining()) {
      before.put(more);
    } else {
      int size = Math.max(2 * before.position(), before.position() + more.remaining());
      bytes = ByteBuffer.allocate(size).put(before.flip()).put(more);
    }
  }

  /** Takes all that is kept; null if there is nothing. */
  @Nullable ByteBuffer take() {
    ByteBuffer all = bytes;
    bytes = null;
    return all == null ? null : all.flip();
  }

  /** The peer has ended; returns whether that waits for what is kept. */
  boolean endsBehind() {
    ends = bytes != null;
    return ends;
  }

  /** Returns whether the peer has ended behind what was kept. */
  boolean isEnd() {
    return ends;
  }
}
