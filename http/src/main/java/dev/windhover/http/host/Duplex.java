package dev.windhover.http.host;

import java.nio.ByteBuffer;

/**
 * The two byte streams of a request that was taken over: a TCP connection after 101, an HTTP/2
 * stream after an extended CONNECT, a pair of queues in memory. What leaves goes through the {@link
 * Sink}; what the peer sends arrives at the {@link Receiver}. While bytes are being delivered a
 * host flushes once, after {@link Receiver#onBatchEnd()}, so a receiver need not.
 *
 * <p>Exists from {@link Receiver#onOpen} on. All methods belong to the {@link #loop()}, except
 * {@link #pending()}, {@link #isOpen()}, {@link #id()} and {@link #loop()} itself.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Duplex extends Sink {
  /** Returns what named the request in logs, {@link Exchange#id}; from any thread. */
  String id();

  /** Returns the thread on which this connection lives. */
  Loop loop();

  /**
   * Stops delivery as soon as the host can; bytes already on their way to the receiver still come.
   */
  void pause();

  /** Takes delivery up again. */
  void resume();

  /**
   * Gives {@code bytes} of credit back: that many delivered bytes hold no memory any more. A host
   * with flow control of its own (HTTP/2) lets the peer send as many; others ignore it.
   */
  void consumed(int bytes);

  /**
   * What a host tells of a duplex, on the loop. After {@link #onEnd} no more bytes come.
   *
   * <p>Implemented by Windhover's engines; methods may be added.
   */
  interface Receiver {
    /**
     * The request was answered and the connection is the receiver's; the first call, unless the
     * connection was lost before.
     */
    void onOpen(Duplex duplex);

    /**
     * Bytes have come. The buffer is lent for the duration of the call: the receiver may change its
     * content and should use up all of it.
     */
    void onBytes(ByteBuffer bytes);

    /** No more bytes are there for now: a good moment to answer what came. */
    void onBatchEnd();

    /** The peer has ended its direction (FIN, END_STREAM). */
    void onEnd();

    /**
     * The connection is gone in both directions, for whatever reason, {@link Sink#abort()}
     * included, perhaps before it was open; the last call.
     *
     * @param why for the log: lower case, the fact
     */
    void onLost(String why);
  }
}
