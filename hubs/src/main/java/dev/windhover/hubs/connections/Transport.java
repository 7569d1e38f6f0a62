package dev.windhover.hubs.connections;

import dev.windhover.http.host.Recipient;
import java.nio.ByteBuffer;

/** What carries a connection at the moment. */
interface Transport {
  // ---- Any thread

  /** Sends a copy of {@code message}, and returns whether there is room for more. */
  boolean send(ByteBuffer message);

  /** Returns how many bytes wait for the client. */
  long bufferedAmount();

  /** Returns the connection as groups see it. */
  Recipient recipient();

  /**
   * Ends it after what was sent.
   *
   * @param failed whether the connection ends because something has failed
   */
  void close(boolean failed);

  /** Drops it, with what waits. */
  void abort();

  // ---- Loop of the connection only

  /** The listener has taken all that has come: more may come. */
  void readOn();
}
