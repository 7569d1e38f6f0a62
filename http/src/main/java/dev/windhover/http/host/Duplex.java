package dev.windhover.http.host;

import java.nio.ByteBuffer;

/**
 * The two byte streams of a request that was taken over: a TCP connection after 101, an HTTP/2
 * stream after an extended CONNECT, or a pair of queues in memory. Output goes through the {@link
 * Sink}, and what the peer sends arrives at the {@link Receiver}. After it has delivered bytes, a
 * host flushes once, after {@link Receiver#onBatchEnd()}, so the receiver need not.
 *
 * <p>A duplex exists from {@link Receiver#onOpen} on. Its methods may be called only on the {@link
 * #loop()}, except for {@link #pending()}, {@link #isOpen()}, {@link #id()} and {@link #loop()}
 * itself.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Duplex extends Sink {
  /** Returns the name of the request in logs, {@link Exchange#id}; from any thread. */
  String id();

  /** Returns the loop on which this connection lives; from any thread. */
  Loop loop();

  /**
   * Stops delivery as soon as the host can. Bytes that are already on their way to the receiver
   * still come.
   */
  void pause();

  /** Resumes delivery. */
  void resume();

  /** Returns how much memory is taken by bytes that have come and cannot be delivered yet. */
  default long held() {
    return 0;
  }

  /**
   * Gives back credit for {@code bytes} delivered bytes, which no longer take memory. A host with
   * its own flow control (HTTP/2, RFC 9113 6.9) lets the peer send that many more; other hosts
   * ignore this.
   */
  void consumed(int bytes);

  /**
   * The receiver needs nothing more of what the peer sends, which has said its last word. It still
   * gets what comes. Once our side has ended, too, a host that stops need not wait for the peer's
   * end.
   */
  default void inputIsOver() {}

  /**
   * Receives what happens to a duplex, on its loop. After {@link #onEnd}, no more bytes come.
   *
   * <p>Implemented by Windhover's engines; methods may be added.
   */
  interface Receiver {
    /**
     * The request was answered, and the connection now belongs to the receiver. This is the first
     * call, unless the connection was lost before.
     */
    void onOpen(Duplex duplex);

    /**
     * Bytes have come. The buffer is lent for the duration of the call. The receiver may change its
     * content and should consume all of it.
     */
    void onBytes(ByteBuffer bytes);

    /** No more bytes are available for now: a good moment to answer those that have come. */
    void onBatchEnd();

    /** The peer has ended its direction (FIN, END_STREAM). */
    void onEnd();

    /**
     * The connection is gone in both directions, for whatever reason, including {@link
     * Sink#abort()}. This is the last call; it may come before {@link #onOpen}.
     *
     * @param why the fact for the log, in lower case
     */
    void onLost(String why);
  }
}
