package dev.windhover.hubs.connections;

import java.nio.ByteBuffer;

/**
 * A message that has left for a client who may come back, and may have to be sent again. It counts
 * in the server's memory budget until it is forgotten. On the connection's loop only.
 */
public interface SentMessage {
  /** Returns its bytes; not to be changed. */
  ByteBuffer bytes();

  /** It need not be sent again. To be called once, at the end of the connection at the latest. */
  void forget();
}
