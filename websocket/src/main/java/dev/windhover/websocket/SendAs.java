package dev.windhover.websocket;

import dev.windhover.protocol.Extension;

/** What a sender hands to an {@link Outbox}, and wants done with it. */
enum SendAs {
  /** A piece of a message, compressed if that was agreed and is worth it. */
  COMPRESSIBLE,
  /** A piece of a message that is not to be compressed. */
  PLAIN,
  /** The payload of a {@link dev.windhover.http.websocket.PreparedMessage}, which never changes. */
  PREPARED,
  /** The same, compressed without reference to other messages. */
  PREPARED_CODED,
  /** The same, to be compressed for this socket alone. */
  PREPARED_COMPRESSIBLE;

  boolean isPrepared() {
    return this == PREPARED || this == PREPARED_CODED || this == PREPARED_COMPRESSIBLE;
  }

  /** Returns whether nothing is left to compress. */
  boolean isPlain() {
    return this != COMPRESSIBLE && this != PREPARED_COMPRESSIBLE;
  }

  /** Returns the bits of a first frame that goes out as it is. */
  int reservedBits() {
    return this == PREPARED_CODED ? Extension.RSV1 : 0;
  }
}
