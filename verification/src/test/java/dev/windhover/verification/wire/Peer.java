package dev.windhover.verification.wire;

import java.io.IOException;

/** A client's end of a WebSocket, after its opening handshake, over whatever transport. */
public interface Peer extends AutoCloseable {
  /** Sends bytes, in one piece if the transport can. */
  void send(byte... bytes) throws IOException;

  /** Sends frames in one piece. */
  default void send(Frame... frames) throws IOException {
    send(Frame.masked(frames));
  }

  /**
   * Sends bytes without waiting for a server that does not read.
   *
   * @return how many the transport took before it had taken none for a while
   */
  long sendUntilBlocked(byte[] piece, long most) throws IOException;

  /**
   * Reads what has come, and waits for the first byte.
   *
   * @return how many bytes, or -1 where the server has ended its direction in order
   * @throws java.net.SocketTimeoutException if none came for long; one may ask again
   * @throws IOException if the server has dropped the connection
   */
  int receive(byte[] into) throws IOException;

  /** Reads one frame, which must be well-formed, of a server, and in its shortest form. */
  Frame frame() throws IOException;

  /** Reads on and requires that the server ends its direction in order: FIN, END_STREAM. */
  void expectEnd() throws IOException;

  /** Reads on and requires that the server drops the connection: RST, RST_STREAM. */
  void expectAbort() throws IOException;

  /**
   * Requires, where {@link #receive} has come to the end, that it is in order for the transport
   * too: FIN behind close_notify; END_STREAM on the frame of the last bytes if that is due.
   */
  default void requireEnd(boolean withLastBytes) throws IOException {}

  /** Requires, where {@link #receive} has failed, what the transport has for that: CANCEL. */
  default void requireDropped() {}

  /** Ends this direction. */
  void endOutput() throws IOException;

  /** Drops the connection. */
  void abort() throws IOException;

  @Override
  void close() throws IOException;
}
