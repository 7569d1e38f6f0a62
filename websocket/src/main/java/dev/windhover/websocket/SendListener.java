package dev.windhover.websocket;

import dev.windhover.http.websocket.MessageType;

/** What a {@link SendQueue} tells its session. */
interface SendListener {
  /** The lost middle of a frame cannot be made up for. */
  void abortSending(String why);

  /** A Close was queued and is not on its way yet; called under the queue's lock. */
  void closing();

  /** Everything is handed over and the connection is to be ended. */
  void drained();

  /** The queue has reached its high mark; loop only. */
  void full();

  /** The queue was over its high mark and is now below the low one; loop only. */
  void writable();

  /** A message was queued to its end. */
  void sent(MessageType type, long bytes);

  /** Returns whether the caller is the loop that is delivering bytes, and will flush. */
  boolean isDelivering();

  /** Output was flushed, and the transport may not have taken it; loop only. */
  void handedOver();
}
