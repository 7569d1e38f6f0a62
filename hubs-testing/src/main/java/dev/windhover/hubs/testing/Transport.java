package dev.windhover.hubs.testing;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** What carries a client's bytes: its end of what the hub calls a transport. For one thread. */
sealed interface Transport permits SocketTransport, EventTransport, PollTransport {
  /** Sends whole records. */
  void send(ByteBuffer records);

  /**
   * Waits for what comes next, for 10 s of real time at most.
   *
   * @return null when the transport has ended
   */
  @Nullable ByteBuffer receive();

  /** Returns what comes next if it has come; null if it has not, and at the end. */
  @Nullable ByteBuffer poll();

  /** Returns whether its end has not been received. */
  boolean isOpen();

  /** The hub ends the transport in order, and nothing comes before. */
  void expectEnd();

  /** Goes without a word. */
  void lose();

  /** Goes in order. */
  void close();
}
