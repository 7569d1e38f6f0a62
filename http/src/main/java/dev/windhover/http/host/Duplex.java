package dev.windhover.http.host;

import java.nio.ByteBuffer;

/**
 * The two byte streams of a request that was taken over: a TCP connection after 101, an HTTP/2
 * stream after an extended CONNECT, a pair of queues in memory.
 *
 * <p>All methods belong to the {@link #loop()}, except {@link #pending()}, {@link #id()} and {@link
 * #loop()} itself. What the peer sends arrives at the {@link Receiver}.
 *
 * <h2>Writing</h2>
 *
 * Small things are gathered: {@link #reserve} gives room in the output buffer, the caller writes at
 * its position, {@link #commit()} keeps what was written. {@link #write} adds bytes that stand
 * elsewhere. Nothing leaves before {@link #flush()}; while bytes are being delivered a host flushes
 * once, after {@link Receiver#onBatchEnd()}, so a receiver need not.
 *
 * <p>Implemented by Windhover's hosts; methods may be added.
 */
public interface Duplex {
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
   * Returns the output buffer with room for at least {@code bytes} at its position. The caller
   * advances the position past what it wrote and calls {@link #commit()} before anything else here.
   */
  ByteBuffer reserve(int bytes);

  /** Keeps what was written into the reserved room. */
  void commit();

  /** Adds {@code bytes} to the output; when this returns, the buffer is the caller's again. */
  void write(ByteBuffer bytes);

  /** Sends what was committed and written. */
  void flush();

  /** Returns the bytes of output that the transport has not taken yet; from any thread. */
  long pending();

  /**
   * Sets the mark for {@link Receiver#onWritable}: it is called each time {@link #pending()} falls
   * below {@code bytes}, having been at or above.
   */
  void writeMark(int bytes);

  /** Returns how many bytes of output the transport has taken in all: how a stall is seen. */
  long transmitted();

  /**
   * Ends our direction after what was written, as TCP's FIN or HTTP/2's END_STREAM, and flushes.
   * The peer may still send.
   */
  void end();

  /** Drops the connection now, both ways, without a word: TCP's RST, HTTP/2's CANCEL. */
  void abort();

  /**
   * What a host tells of a duplex, on the loop. After {@link #onEnd} no more bytes come.
   *
   * <p>Implemented by Windhover's engines; methods may be added.
   */
  interface Receiver {
    /** The request was answered and the connection is ours; the first call. */
    void onOpen();

    /**
     * Bytes have come. The buffer is lent for the duration of the call: the receiver may change its
     * content and should use up all of it.
     */
    void onBytes(ByteBuffer bytes);

    /** No more bytes are there for now: a good moment to answer what came. */
    void onBatchEnd();

    /** Output that had reached the mark has shrunk below it; see {@link Duplex#writeMark}. */
    void onWritable();

    /** The peer has ended its direction (FIN, END_STREAM). */
    void onEnd();

    /**
     * The connection is gone in both directions, for whatever reason, {@link Duplex#abort()}
     * included; the last call.
     *
     * @param why for the log: lower case, the fact
     */
    void onLost(String why);
  }
}
