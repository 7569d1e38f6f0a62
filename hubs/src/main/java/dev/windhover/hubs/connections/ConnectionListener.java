package dev.windhover.hubs.connections;

import java.nio.ByteBuffer;

/**
 * Receives what a connection's client sends, and its end. All calls come on the {@linkplain
 * ConnectionContext#loop() loop} of the connection, one at a time, and must not block. If one
 * throws an exception, the connection is closed with it, and one error line is logged.
 */
@FunctionalInterface
public interface ConnectionListener {
  /**
   * Bytes have come: any piece of the client's stream, without regard to the messages of the
   * transport.
   *
   * @param bytes lent only for the duration of the call. What is left unread is kept, and nothing
   *     more is delivered until {@link ConnectionContext#resume}; then the next call begins with
   *     it. Little is kept: the client is soon not read any more.
   */
  void onBytes(ByteBuffer bytes) throws Exception;

  /** There is room again, after {@link ConnectionContext#send} has returned false. */
  default void onWritable() throws Exception {}

  /**
   * A message is leaving: only where {@link ConnectionContext#isStateful}. It may not reach the
   * client before the transport is lost, so a listener that wants to send it again keeps it, and
   * {@linkplain SentMessage#forget forgets} it some time. By default, it is forgotten at once.
   */
  default void onSent(SentMessage message) throws Exception {
    message.forget();
  }

  /**
   * Returns how many bytes the listener keeps of what it has taken. They count in the server's
   * memory budget. Asked often, so it must not calculate much.
   */
  default long heldBytes() {
    return 0;
  }

  /**
   * The client has lost its transport and may come back: only where {@link
   * ConnectionContext#isStateful}. A message of which only a part has come is lost with it.
   */
  default void onTransportLost() throws Exception {}

  /**
   * The client is back, on a new transport; follows {@link #onTransportLost}. What has left before
   * may not have reached it. What has not leaves after this call, so {@linkplain
   * ConnectionContext#sendAhead what is to come first} is sent in it.
   */
  default void onTransportRestored() throws Exception {}

  /**
   * The connection is about to be closed, and not by the application: the server stops, the user's
   * authentication has expired, or the client has asked for it (DELETE). What is sent in this call
   * still leaves, as the last. Its token is dead already; {@link #onEnded} follows.
   */
  default void onClosing() throws Exception {}

  /**
   * The connection has ended. This is the last call.
   *
   * @param ending why
   */
  default void onEnded(ConnectionEnding ending) throws Exception {}
}
