package dev.windhover.hubs.connections;

import dev.windhover.http.User;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection: an ordered pair of byte streams, whatever carries it. Any thread may call
 * its methods, except where one says otherwise, and none of them blocks.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface ConnectionContext {
  /** Returns the id by which others may address this connection. It is no secret. */
  String connectionId();

  /** Returns what carries it. */
  TransportType transport();

  /** Returns the request that opened it; with long polling, the first poll. */
  ConnectionRequest request();

  /** Returns who is asking; with long polling, who sent the last poll. Null for nobody. */
  @Nullable User user();

  /** Returns what the application keeps with this connection; a map for any thread. */
  Map<String, Object> items();

  /** Returns the loop that owns the connection, for as long as it lives. */
  Loop loop();

  // ---- Sending

  /** Returns in which form messages leave; {@link TransferFormat#TEXT} until it is set. */
  TransferFormat transferFormat();

  /**
   * Sets in which form messages leave, before the first is sent. On the loop.
   *
   * @throws IllegalArgumentException if the transport does not carry it
   */
  void transferFormat(TransferFormat format);

  /**
   * Sends a copy of {@code message}, whose position moves to its limit: over a WebSocket as one
   * message, otherwise as a part that is never divided. It leaves after all that the same thread
   * has sent before, here or to groups. While the client is away and may come back, it waits. It is
   * dropped if the connection has ended.
   *
   * @return whether there is room for more: less than {@link
   *     ConnectionOptions#transportMaxBufferSize} waits for the client. If not, {@link
   *     ConnectionListener#onWritable} is called when there is. What is sent nevertheless waits
   *     too; if it is 1 MiB (the send queue of sockets, or {@link #sendBound}), the client is
   *     disconnected. True if it was dropped
   */
  boolean send(ByteBuffer message);

  /**
   * As {@link #send}, but before all that waits, and after what was sent in this way before. It is
   * dropped while the client is away, and {@link ConnectionListener#onSent} does not hear of it. On
   * the loop.
   */
  void sendAhead(ByteBuffer message);

  /**
   * Lets what is sent wait, except for what is {@linkplain #sendAhead sent ahead}, until this is
   * called with false, or the connection is closed. On the loop, and only where {@link
   * #isStateful}.
   */
  void holdBack(boolean hold);

  /**
   * Sets how much may wait for the client before it is disconnected; 1 MiB by default. On the loop,
   * and only where {@link #isStateful}.
   */
  void sendBound(long bytes);

  /** Returns how many bytes wait for the client. */
  long bufferedAmount();

  /** Returns how many of these have not left: {@link ConnectionListener#onSent} may follow. */
  long unsentAmount();

  /**
   * Returns this connection as groups see it: over a WebSocket, that socket; otherwise, and if the
   * client may come back, one object as long as the connection lives.
   */
  Recipient recipient();

  // ---- Receiving

  /** Delivers again, after {@link ConnectionListener#onBytes} has left bytes unread. */
  void resume();

  // ---- Coming back

  /** Returns whether the client may come back when it has lost its transport. */
  boolean isStateful();

  /** Lets the client not come back any more: it turned out not to know how. On the loop. */
  void disableReconnect();

  // ---- Ending

  /**
   * Ends the connection after what was sent; over a WebSocket, with a Close of 1000. Its token is
   * dead from now on.
   */
  void close();

  /** As {@link #close()}, because of {@code error}; over a WebSocket, with a Close of 1011. */
  void close(Throwable error);

  /** Drops the connection, with what waits. */
  void abort();
}
