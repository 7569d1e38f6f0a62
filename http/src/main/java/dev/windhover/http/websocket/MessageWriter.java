package dev.windhover.http.websocket;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sends one message of unknown length, piece by piece, from any thread: it is not tied to the
 * thread that opened it. Other messages of the socket wait until it is finished, with a limit;
 * Pings and Pongs may go in between. A thread that alone has used it cannot send another message
 * until then, because it would wait for itself.
 *
 * <pre>{@code
 * try (MessageWriter message = socket.startMessage(MessageType.TEXT)) {
 *   for (String row : rows) {
 *     message.write(row);
 *   }
 *   message.finish();
 * }
 * }</pre>
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface MessageWriter extends AutoCloseable {
  /**
   * Sends a piece as a frame of its own; blocks as {@link WebSocket#send} does. Threads that write
   * at the same time wait for each other.
   *
   * @throws IllegalStateException on the connection's loop, which never waits, while another thread
   *     is sending a piece
   */
  void write(ByteBuffer piece) throws IOException, InterruptedException;

  /**
   * Sends a piece of text as a frame of its own; a surrogate pair may be split between pieces.
   *
   * @throws IllegalArgumentException if the piece has a lone surrogate, or does not complete the
   *     pair that the piece before has begun; nothing of it was sent
   */
  void write(CharSequence piece) throws IOException, InterruptedException;

  /**
   * Ends the message, so that the next one may be sent.
   *
   * @throws IllegalArgumentException if the last piece has begun a surrogate pair; the message has
   *     not ended
   */
  void finish() throws IOException, InterruptedException;

  /**
   * Does nothing after {@link #finish()}. Before it, this abandons the message and fails the socket
   * with 1011.
   */
  @Override
  void close();
}
