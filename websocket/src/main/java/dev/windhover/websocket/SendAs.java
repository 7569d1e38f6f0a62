package dev.windhover.websocket;

import dev.windhover.protocol.Extension;

/** What a sender hands to a {@link SendQueue}, and wants done with it. */
enum SendAs {
  /** A piece of a message, compressed if that was agreed and is worth it. */
  COMPRESSIBLE,
  /** A piece of a message that is not to be compressed. */
  PLAIN,
  /** The payload of a {@link dev.windhover.http.websocket.PreparedMessage}, which never changes. */
  PREPARED,
  /** The same, compressed by itself. */
  PREPARED_CODED;

  boolean isPrepared() {
    return this == PREPARED || this == PREPARED_CODED;
  }

  /** Returns whether nothing is left to compress. */
  boolean isPlain() {
    return this != COMPRESSIBLE;
  }

  /** Returns the bits of a first frame that goes out as it is. */
  int reservedBits() {
    return this == PREPARED_CODED ? Extension.RSV1 : 0;
  }
}
